"""Endpoints in requests, read as those in files are."""

from collections.abc import Sequence

from pydantic import JsonValue

from xds.spec.endpoint_lists import read_endpoints
from xds.spec.endpoints import Endpoint
from xds.spec.faults import Fault
from xds.spec.findings import Findings
from xds.stubs import canary_admin_v1_pb2 as admin

MOST = 10_000


def places_of(said: Sequence[admin.Endpoint], field: str) -> tuple[tuple[Endpoint, ...], list[Fault]]:
    """The endpoints that messages are, and what is wrong with them.

    Args:
        said: what a request has.
        field: where it has it.
    """
    if len(said) > MOST:
        return (), [Fault("request", 0, field, f"{len(said)} are too many", f"give {MOST} at most")]
    findings = Findings("request")
    values: list[JsonValue] = [_as_in_a_file(each) for each in said]
    endpoints = read_endpoints(values, findings, (field,), strict=True)
    return endpoints or (), findings.faults


def _as_in_a_file(said: admin.Endpoint) -> JsonValue:
    body: dict[str, JsonValue] = {"address": said.address, "port": said.port}
    return (
        body | ({"weight": said.weight} if said.weight else {}) | ({"zone": said.zone} if said.zone else {})
    )
