"""Envoys behind streams. One has a stream, or several where each type has its own; its id says which."""

from collections.abc import Iterable

from xds.discovery.hub import Hub
from xds.discovery.stream import Stream


def by_envoy(streams: Iterable[Stream]) -> list[list[Stream]]:
    """The streams of each Envoy, by their ids."""
    found: dict[str, list[Stream]] = {}
    for stream in streams:
        found.setdefault(stream.node.id, []).append(stream)
    return [found[id_] for id_ in sorted(found)]


def acknowledged(streams: Iterable[Stream], hub: Hub) -> bool:
    """Whether an Envoy is in sync, refuses nothing, and has nobody's older routes for that."""
    return all(
        stream.in_sync and next(stream.rejections(), None) is None and not hub.holds(stream)
        for stream in streams
    )


def count_acknowledged(hub: Hub, gateway: str) -> int:
    """How many Envoys of a gateway acknowledged everything; only the others are looked at."""
    members = hub.members(gateway)
    refusing = (each.node.id for each in members.refusing() if not acknowledged((each,), hub))
    return len(members) - len({*members.behind(), *refusing})
