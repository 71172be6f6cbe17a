"""What the past of a deployment means for now: where a rollback leads, which builds to keep."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol, TypeVar

from xds.errors import NotFound, NothingToDo
from xds.revisions.guard import guard
from xds.revisions.record import Revision

KEEP_BUILDS = 10 * 60
"""Seconds for which a build nobody references keeps its cluster, unless the server is told otherwise:
rolling back to it within that time is one route push, onto warm connections."""


class Recorded(Protocol):
    """One numbered record of something: a deployment's revision, a gateway's set of resources."""

    @property
    def title(self) -> str: ...  # noqa: D102 (what it is a record of)
    @property
    def number(self) -> int: ...  # noqa: D102 (1 for the first)
    @property
    def kind(self) -> str: ...  # noqa: D102 (what made it)
    @property
    def source(self) -> int | None: ...  # noqa: D102 (the number whose content was brought back)


R = TypeVar("R", bound=Recorded)


def rollback_target(history: Sequence[R]) -> R:
    """What the record in force replaced; for a rollback or an abort, further back.

    Going back undoes: a plain change is undone to exactly what was before it, be that an abort or
    something that was brought back. Repeated, it walks on from there, past aborts and what they left,
    to records that are each older than the last: so it never toggles.

    Args:
        history: oldest first; the last is in force.

    Raises:
        NothingToDo: there is none.
    """
    head = history[-1]
    left = _left_by_aborts(history)
    undoes = "rollback" != head.kind != "abort"
    for record in _walk_back(history):
        if undoes or (record.kind != "abort" and record.number not in left):
            return record
    raise NothingToDo(
        f"{head.title} has no earlier revision to return to: revision {head.number} is in force, and "
        f"those before it are none, or were themselves left by a rollback or an abort{_instead(history)}"
    )


def stable_target(history: Sequence[Revision]) -> Revision:
    """Walking back in the same way, the first in which `main` has everybody; an abort may be one.

    Raises:
        NothingToDo: there is none.
    """
    for revision in _walk_back(history):
        if revision.spec.main_weight == 100:  # noqa: PLR2004 (percent)
            return revision
    raise NothingToDo(
        f"{history[-1].title} has no earlier revision with main at 100 % that was not itself left by a "
        f"rollback{_instead(history)}"
    )


def numbered_target(history: Sequence[Revision], number: int) -> Revision:
    """The revision of a number, whatever became of it.

    Raises:
        NotFound: there is none, or it is a deletion; the message names those there are.
        NothingToDo: what it says is in force.
    """
    head = history[-1]
    there_are = {revision.number: revision for revision in history if revision.kind != "delete"}
    target = there_are.get(number)
    if target is None:
        named = _ranges(there_are)
        raise NotFound(f"{head.title} has no revision {number} to return to (there are: {named})")
    if target.same_content(head):
        as_ = "" if target is head else f", as revision {head.number}"
        raise NothingToDo(f"revision {number} of {head.title} is in force already{as_}")
    return target


def returnable(
    revision: Revision,
    head: Revision,
    usable: Mapping[str, int],
    unhealthy: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Why a deployment can't be rolled back to one of its revisions now; "" where it can.

    Args:
        revision: the one to return to.
        head: the one in force.
        usable: how many usable endpoints builds have, by ref.
        unhealthy: those with endpoints none of which is healthy, by ref: why.
    """
    if revision.number == head.number:
        return "it was deleted" if head.kind == "delete" else "it is in force"
    if revision.kind == "delete":
        return "it is a deletion"
    if head.kind == "delete":
        return f"{head.title} is deleted: undelete it first"
    if revision.same_content(head):
        return f"it is in force, as revision {head.number}"
    return ", ".join(guard(head, revision, usable, unhealthy))


def _walk_back(history: Sequence[R]) -> Iterator[R]:
    """What was replaced by what is in force, what was replaced by that, and so on.

    A record whose content was brought back stands where that content first stood, so what a rollback
    left is not on the way.
    """
    kept = {record.number: record for record in history}
    position = _origin(history, history[-1])
    while True:
        before = [each for each in history if each.number < position and each.kind != "delete"]
        position = _origin(history, before[-1]) if before else 0
        if position not in kept:
            return
        yield kept[position]


def _origin(history: Iterable[Recorded], record: Recorded) -> int:
    """The number whose content a record has: it may have been brought back several times."""
    sources = {each.number: each.source for each in history if each.source is not None}
    number = record.number
    while number in sources:
        number = sources[number]
    return number


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


def _left_by_aborts(history: Sequence[Recorded]) -> set[int]:
    """The records that an abort took out of force, by the number their content first had."""
    return {
        _origin(history, before) for before, after in itertools.pairwise(history) if after.kind == "abort"
    }


def _ranges(numbers: Iterable[int]) -> str:
    """`1-4, 6`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], number]
        else:
            runs.append([number])
    return ", ".join("-".join(map(str, run)) for run in runs) or "none"


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
