"""A gateway back as it was at a snapshot: which revisions that takes. Pure.

A deployment that the gateway serves, or served then, goes back to the revision of then; one that was
not there yet is deleted, one that is there no more is brought back. One that other gateways serve too
changes there as well: a deployment has one state.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping

from xds.control.intake import check
from xds.control.snapshots import serves
from xds.control.standing import Standings
from xds.control.state import State
from xds.errors import InvalidInput, NotFound, TooFewEndpoints
from xds.revisions import decide
from xds.revisions.record import Note, Revision
from xds.spec.read import Document


@dataclasses.dataclass(frozen=True)
class Step:
    """What becomes of one deployment."""

    before: Revision
    after: Revision


def changed_since(state: State, then: Mapping[str, int]) -> dict[str, int]:
    """The number at a snapshot of every deployment that is at another one now (0: it wasn't there)."""
    heads = {name: state.newest(name) for name in {*state.names(), *then}}
    return {
        name: then.get(name, 0)
        for name, newest in sorted(heads.items())
        if newest is not None and newest.number != then.get(name, 0)
    }


def plan(
    state: State, gateway: str, found: Mapping[str, tuple[int, Revision | None]], note: Note
) -> list[Step]:
    """The steps back, by deployment.

    Args:
        state: what is in force.
        gateway: its name.
        found: of each deployment that changed since: the number it had (0: none), and that revision.
        note: who, when, why.

    Raises:
        NotFound: revisions that are not kept any more; all of them are named.
        InvalidInput: what they need was taken since.
    """
    steps = []
    pruned = []
    for name, (number, then) in found.items():
        now = state.ever(name)
        if number and then is None:
            pruned += [f"{name} revision {number}"] if serves(now, gateway) else []
        elif serves(now, gateway) or (then is not None and serves(then, gateway)):
            after = _after(now, then, note)
            steps += [Step(now, after)] if after is not None else []
    if pruned:
        raise NotFound(
            f"{', '.join(pruned)} is kept no more (revision_history_limit), so gateway {gateway} can't go "
            "back that far; choose a newer snapshot"
        )
    faults = check(state, list(_documents(steps)), leaving={step.after.deployment for step in steps})
    if faults:
        raise InvalidInput(sorted(faults))
    return steps


def check_endpoints(standings: Standings, steps: Iterable[Step]) -> None:
    """Nobody gets a version that can't serve them.

    Raises:
        TooFewEndpoints: all that is missing is named.
    """
    few = [
        f"{step.after.deployment}: {said}"
        for step in steps
        if step.after.kind == "rollback"
        for said in standings.objections(step.before, step.after)
    ]
    if few:
        raise TooFewEndpoints(f"{'; '.join(few)}; nothing was changed; add endpoints, or force it")


def _after(now: Revision, then: Revision | None, note: Note) -> Revision | None:
    """The next revision of one deployment; None where it is as it was."""
    if then is None or then.kind == "delete":
        return decide.delete(now, note)
    if now.kind == "delete":
        return decide.undelete(now, (then, now), note)
    return None if then.same_content(now) else decide.rollback((then, now), note, then.number)


def _documents(steps: Iterable[Step]) -> Iterator[Document]:
    for step in steps:
        if step.after.kind != "delete":
            yield Document(f"revision {step.after.source}", 0, step.after.spec, {})
