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


def in_sync(streams: Iterable[Stream]) -> bool:
    """Whether an Envoy acknowledged all that it is to have, on all its streams."""
    return all(stream.in_sync for stream in streams)


def acknowledged(streams: Iterable[Stream], hub: Hub) -> bool:
    """Whether an Envoy is in sync, refuses nothing, and has nobody's older routes for that."""
    return all(
        stream.in_sync and next(stream.rejections(), None) is None and not hub.holds(stream)
        for stream in streams
    )
