"""Endpoints as messages."""

from collections.abc import Iterable

from xds.admin.messages import timestamp
from xds.control.endpoint_standing import (
    BuildStanding,
    EndpointOutcome,
    EndpointStanding,
    Registration,
    SourceStanding,
)
from xds.stubs import canary_admin_v1_pb2 as admin


def build(standing: BuildStanding) -> admin.BuildEndpoints:
    """A build's endpoints as they stand."""
    return admin.BuildEndpoints(
        build=standing.ref,
        versions=standing.versions,
        endpoints=map(_endpoint, standing.endpoints),
        usable=standing.usable,
        drained=standing.drained,
    )


def change(
    outcome: EndpointOutcome, confirmations: Iterable[admin.Confirmation] = ()
) -> admin.EndpointsResponse:
    """What a verb did to them."""
    return admin.EndpointsResponse(
        build=build(outcome.build), changed=outcome.changed, confirmations=confirmations
    )


def registration(said: Registration) -> admin.RegisterResponse:
    """A lease."""
    return admin.RegisterResponse(expires_at=timestamp(said.expires_at), created=said.created)


def source(said: SourceStanding) -> admin.EndpointSource:
    """A source that is polled."""
    return admin.EndpointSource(
        name=said.name, problem=said.problem, read_at=timestamp(said.read_at), endpoints=said.endpoints
    )


def _endpoint(said: EndpointStanding) -> admin.Endpoint:
    return admin.Endpoint(
        address=said.endpoint.address,
        port=said.endpoint.port,
        weight=said.endpoint.weight,
        zone=said.endpoint.zone or "",
        sources=said.sources,
        drained=said.drained,
        expires_at=timestamp(said.expires_at),
        unhealthy=said.unhealthy,
    )
