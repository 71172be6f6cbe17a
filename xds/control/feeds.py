"""Feeds: what there is, then what changes. A reader that is slow misses what was in between, never the end.

Nothing is queued: each look is compared with what was sent last.
"""

import dataclasses
from collections.abc import AsyncIterator, Mapping
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Here(Generic[T]):
    """It is there, or changed."""

    value: T


@dataclasses.dataclass(frozen=True)
class Gone:
    """It is there no more: a deployment's name, an Envoy's id."""

    name: str


@dataclasses.dataclass(frozen=True)
class Current:
    """All that was there at the beginning has been sent."""


Event: TypeAlias = Here[T] | Gone | Current


async def feed(looks: AsyncIterator[Mapping[str, T]]) -> AsyncIterator[Event[T]]:
    """What is there by name at the first look, a marker, and then what differs from what was sent."""
    sent: dict[str, T] | None = None
    async for found in looks:
        for name in (sent or {}).keys() - found.keys():
            yield Gone(name)
        for name, value in found.items():
            if sent is None or sent.get(name) != value:
                yield Here(value)
        if sent is None:
            yield Current()
        sent = dict(found)
