"""What `scoped` gateways can't find: they look hosts up by their exact name."""

import dataclasses
from collections.abc import Iterable, Iterator

from xds.spec.claims import Claim
from xds.spec.faults import Fault
from xds.spec.gateway import Gateway

SCOPED = "scoped"


def is_exact(host: str) -> bool:
    """Whether a host (in lower case) can be looked up, and needs no matching."""
    return "*" not in host


def wildcards(claims: Iterable[Claim], gateways: Iterable[Gateway]) -> Iterator[Fault]:
    """A fault for each claim to a host with a wildcard on a scoped gateway."""
    gateways = list(gateways)
    scoped = {gateway.name for gateway in gateways if gateway.mode == SCOPED}
    able = ", ".join(gateway.name for gateway in gateways if gateway.mode != SCOPED)
    mend = "list the names" + (f", or leave the gateway out: gateways: [{able}]" if able else "")
    lost = (claim for claim in claims if claim.gateway in scoped and not is_exact(claim.host))
    for claim in dict.fromkeys(dataclasses.replace(claim, model="") for claim in lost):
        message = f"gateway {claim.gateway} is scoped, and finds hosts by their exact name only:"
        yield Fault(claim.file, claim.line, "hosts", f"{message} {claim.host} has a wildcard", mend)
