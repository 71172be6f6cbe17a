"""How far the connected Envoys have got."""

import dataclasses
from collections.abc import Iterable

from xds.catalog.types import short_name
from xds.discovery.stream import Stream
from xds.fleet.limits import limits
from xds.spec.deployment import Deployment


@dataclasses.dataclass(frozen=True)
class Convergence:
    """Of so many connected Envoys, so many acknowledged everything; and what keeps the others.

    Attributes:
        rejections: what an Envoy refuses: `<id>: <type> <name>: <text>`.
        limited: the Envoys that can't do all of it, and what they do instead.
    """

    envoys: int
    in_sync: int
    rejections: tuple[str, ...]
    limited: tuple[str, ...] = ()


def convergence(spec: Deployment, streams: Iterable[Stream], *, pending: bool) -> Convergence:
    """How these streams stand (`pending`: something was committed that none has been sent yet)."""
    streams = list(streams)
    return Convergence(
        envoys=len(streams),
        in_sync=0 if pending else sum(stream.in_sync for stream in streams),
        rejections=tuple(
            f"{stream.node.id}: {short_name(type_)} {rejection.name}: {rejection.text}"
            for stream in streams
            for type_, rejection in stream.rejections()
        ),
        limited=limits(spec, (stream.node for stream in streams)),
    )
