"""Envoy resources that people gave a gateway: an immutable, numbered record of the whole set."""

import dataclasses
from collections.abc import Sequence
from typing import Literal

from pydantic import JsonValue

from xds.revisions.history import rollback_target
from xds.revisions.record import Note

Content = dict[str, JsonValue]
"""One resource as JSON, with its `@type`."""


@dataclasses.dataclass(frozen=True)
class ResourceSet:
    """All the resources that people gave a gateway, as of one change.

    Attributes:
        number: 1 for a gateway's first.
        source: the number whose content a rollback brought back; None for the other kind.
    """

    gateway: str
    number: int
    kind: Literal["set", "rollback"]
    contents: tuple[Content, ...]
    note: Note
    source: int | None = None

    @property
    def title(self) -> str:
        """What it is a record of."""
        return f"the resources of gateway {self.gateway}"


def set_resources(
    gateway: str, contents: Sequence[Content], head: ResourceSet | None, note: Note
) -> ResourceSet | None:
    """The set that replaces the one in force; None if they are the same."""
    before = head.contents if head is not None else ()
    if tuple(contents) == before:
        return None
    return ResourceSet(gateway, head.number + 1 if head else 1, "set", tuple(contents), note)


def rollback_resources(history: Sequence[ResourceSet], note: Note) -> ResourceSet:
    """The content that the set in force replaced; for a rollback, further back.

    Args:
        history: oldest first; the last is in force.
        note: who, when, why.

    Raises:
        NothingToDo: there is no such set.
    """
    target = rollback_target(history)
    number = history[-1].number + 1
    return dataclasses.replace(target, number=number, kind="rollback", source=target.number, note=note)
