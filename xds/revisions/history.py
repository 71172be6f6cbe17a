"""What the past of a deployment means for now: where a rollback leads, which builds to keep."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from xds.errors import NothingToDo
from xds.revisions.record import Revision

KEEP_BUILDS = 10 * 60
"""Seconds for which a build nobody references keeps its cluster, unless the server is told otherwise:
rolling back to it within that time is one route push, onto warm connections."""

_STOPS = ("rollback", "abort")


class Recorded(Protocol):
    """One numbered record of something: a deployment's revision, a gateway's set of resources."""

    @property
    def title(self) -> str: ...  # noqa: D102 (what it is a record of)
    @property
    def number(self) -> int: ...  # noqa: D102 (1 for the first)
    @property
    def kind(self) -> str: ...  # noqa: D102 (what made it)
    @property
    def source(self) -> int | None: ...  # noqa: D102 (the number a rollback brought back)


R = TypeVar("R", bound=Recorded)


def rollback_target(history: Sequence[R]) -> R:
    """The newest revision older than the one in force that was never left by a rollback or an abort.

    For a rollback in force, older than its source. So repeating it walks further back and never
    toggles. Rollbacks and aborts themselves are never returned to.

    Args:
        history: oldest first; the last is in force.

    Raises:
        NothingToDo: there is none.
    """
    head = history[-1]
    before = head.source or head.number
    left = _left_on_purpose(history)
    for revision in reversed(history):
        if revision.number < before and revision.kind not in _STOPS and revision.number not in left:
            return revision
    raise NothingToDo(
        f"{head.title} has no earlier revision to return to: revision {head.number} is in force, and "
        f"those before it are none, or were themselves left by a rollback or an abort{_instead(history)}"
    )


def _instead(history: Sequence[Recorded]) -> str:
    """What to do where there is nothing to return to: canaries can always be taken out of traffic."""
    head = history[-1]
    if not isinstance(head, Revision):
        return ""
    if any(label != "main" and weight for label, weight in head.spec.weights().items()):
        return f"; `canary abort {head.title}` takes its canaries out of traffic"
    if any(record.kind == "abort" for record in history):
        return f"; all traffic is on main, as after `canary abort {head.title}`"
    return ""


def _left_on_purpose(history: Sequence[Recorded]) -> set[int]:
    """The revisions that a rollback or an abort walked away from, by whatever number they were in force."""
    left: set[int] = set()
    for before, after in itertools.pairwise(history):
        if after.kind in _STOPS:
            left.add(before.source or before.number)
    return left


def retired_builds(
    history: Sequence[Revision], now: float, keep: float = KEEP_BUILDS
) -> Mapping[str, tuple[Revision, float]]:
    """The builds nobody references any more that still keep their cluster.

    Args:
        history: oldest first; the last is in force.
        now: seconds since the epoch.
        keep: seconds they keep it for.

    Returns:
        By key: the newest revision that had the build, and when its cluster may go.
    """
    retired: dict[str, tuple[Revision, float]] = {}
    for revision, successor in itertools.pairwise(history):
        until = successor.note.at + keep
        for key in revision.builds:
            retired[key] = (revision, until)
    in_force = history[-1].builds
    return {key: kept for key, kept in retired.items() if key not in in_force and kept[1] > now}
