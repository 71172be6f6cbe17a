"""The next revision: apply, set weights, promote, abort, rollback, delete, undelete.

Each takes the revision in force and returns the next one, or None where nothing would change. The
slot table follows by the fewest moves; a rollback brings the recorded table back as it was.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from xds.errors import InvalidInput, NothingToDo
from xds.revisions.builds import assign_keys
from xds.revisions.history import numbered_target, rollback_target, stable_target
from xds.revisions.promotion import promoted
from xds.revisions.record import Kind, Note, Revision
from xds.slots.layout import lay_out
from xds.slots.table import SlotTable
from xds.spec.deployment import MAIN, Canary, Deployment
from xds.spec.faults import Fault
from xds.spec.values import parse_percent


def apply(spec: Deployment, head: Revision | None, known: Mapping[str, str], note: Note) -> Revision | None:
    """The deployment as a file has it.

    Args:
        spec: what the file says.
        head: the newest revision, be it a deletion, if there is one.
        known: key by ref of every build the deployment ever had.
        note: who, when, why.
    """
    if head is not None and head.kind != "delete" and head.spec == spec:
        return None
    return _next("apply", spec, head, known, note)


def set_weights(head: Revision, weights: Mapping[str, float], note: Note) -> Revision | None:
    """The same deployment with other weights; versions not named keep theirs.

    Raises:
        InvalidInput: an unknown version, a weight out of range, or more than 100 in all.
    """
    faults, read = _read_weights(head, weights)
    wanted = head.spec.weights() | read
    canaries = round(sum(weight for label, weight in wanted.items() if label != MAIN), 2)
    if not faults and canaries > 100:  # noqa: PLR2004 (percent)
        faults.append(_fault(head, "", f"the weights add up to {canaries:g}, which is more than 100"))
    if not faults and MAIN in read and round(read[MAIN] + canaries, 2) != 100:  # noqa: PLR2004 (percent)
        rest = f"{100 - canaries:g}"
        faults.append(_fault(head, MAIN, f"main gets what the others leave: {rest}", "leave main out"))
    if faults:
        raise InvalidInput(faults)
    return _reweighted("set-weights", head, wanted, note)


def abort(head: Revision, note: Note) -> Revision | None:
    """Everything to `main`; needs no expectation and can be repeated."""
    return _reweighted("abort", head, dict.fromkeys(head.spec.weights(), 0.0), note)


def promote(head: Revision, label: str, note: Note) -> Revision:
    """A canary becomes `main`, with everybody; its label goes, other canaries are kept at 0.

    No cluster changes by it: builds keep theirs, and what the canary was set to is set for `main` now
    (`xds.revisions.promotion`).

    Args:
        head: the revision in force.
        label: the canary's; "" where only one has users.
        note: who, when, why.

    Raises:
        InvalidInput: there is no such canary, or several to choose from; or its patches of Envoy's
            configuration can't be said of the deployment.
    """
    chosen = label or _only_canary(head)
    if chosen == MAIN:
        raise InvalidInput([_named(head, "version", "main is what everybody is to have already")])
    if chosen not in head.labels:
        raise InvalidInput([_named(head, "version", f"there is no version {chosen!r}", _there_are(head))])
    return _next("promote", promoted(head, chosen), head, _known(head), note)


def rollback(
    history: Sequence[Revision], note: Note, to: int | None = None, *, stable: bool = False
) -> Revision:
    """Spec, labels and slot table of an earlier revision.

    Args:
        history: the deployment's revisions, oldest first; the last is in force.
        note: who, when, why.
        to: this very revision; None: what the one in force replaced, and so on back.
        stable: of those, the newest with `main` at 100 %.

    Raises:
        NothingToDo: there is no such revision, or it is in force.
        NotFound: there is none of this number, or it is a deletion.
    """
    _refuse_deleted(history[-1])
    if to is not None:
        return _again("rollback", numbered_target(history, to), history[-1], note)
    target = stable_target(history) if stable else rollback_target(history)
    return _again("rollback", target, history[-1], note)


def delete(head: Revision, note: Note) -> Revision | None:
    """Out of service; it says what was in force."""
    if head.kind == "delete":
        return None
    return dataclasses.replace(head, number=head.number + 1, kind="delete", source=None, note=note)


def undelete(head: Revision, history: Sequence[Revision], note: Note) -> Revision:
    """What was in force when it was deleted: spec, labels and slot table.

    Args:
        head: the newest revision.
        history: the deployment's revisions, oldest first; `head` is the last.
        note: who, when, why.

    Raises:
        NothingToDo: it is not deleted.
    """
    if head.kind != "delete":
        raise NothingToDo(f"{head.deployment} is not deleted: revision {head.number} is in force")
    target = next((each for each in reversed(history) if each.kind != "delete"), head)
    return _again("undelete", target, head, note)


def _again(kind: Kind, target: Revision, head: Revision, note: Note) -> Revision:
    return dataclasses.replace(target, number=head.number + 1, kind=kind, source=target.number, note=note)


def _refuse_deleted(head: Revision) -> None:
    if head.kind == "delete":
        name = head.deployment
        raise NothingToDo(f"{name} is deleted; `canary undelete {name}` brings it back")


def _only_canary(head: Revision) -> str:
    """The one canary that has users: nobody is given what was taken out of traffic unless it is named."""
    canaries = {label: weight for label, weight in head.spec.weights().items() if label != MAIN}
    with_users = [label for label, weight in canaries.items() if weight]
    if len(with_users) == 1:
        return with_users[0]
    if not canaries:
        problem, mend = "has no canary to promote", "add one: canary.versions"
    else:
        problem = "has several canaries with users" if with_users else "has no canary with users"
        mend = f"name one: {', '.join(f'{label} ({weight:g} %)' for label, weight in canaries.items())}"
    raise InvalidInput([_named(head, "version", f"{head.deployment} {problem}", mend)])


def _known(head: Revision) -> dict[str, str]:
    return {ref: key for key, ref in head.builds.items()}


def _reweighted(kind: Kind, head: Revision, weights: Mapping[str, float], note: Note) -> Revision | None:
    versions = {
        label: version.model_copy(update={"weight": weights[label]})
        for label, version in head.spec.canary.versions.items()
    }
    canary: Canary = head.spec.canary.model_copy(update={"versions": versions})
    spec: Deployment = head.spec.model_copy(update={"canary": canary})
    if spec == head.spec:
        return None
    return _next(kind, spec, head, _known(head), note)


def _next(
    kind: Kind, spec: Deployment, head: Revision | None, known: Mapping[str, str], note: Note
) -> Revision:
    weights = spec.weights()
    refs = {label: spec.build_ref(label) for label in weights}
    keys = assign_keys(refs.values(), known)
    labels = {label: keys[ref] for label, ref in refs.items()}
    return Revision(
        number=head.number + 1 if head else 1,
        kind=kind,
        spec=spec,
        labels=labels,
        builds={key: ref for ref, key in keys.items()},
        slots=_slots(labels, weights, head.slots if head else None),
        note=note,
    )


def _slots(labels: Mapping[str, str], weights: Mapping[str, float], before: SlotTable | None) -> SlotTable:
    shares: dict[str, int] = {}
    for label, key in labels.items():
        shares[key] = shares.get(key, 0) + round(weights[label] * 100)
    return lay_out(shares, before)


def _read_weights(head: Revision, weights: Mapping[str, float]) -> tuple[list[Fault], dict[str, float]]:
    faults, read = [], {}
    for label, weight in weights.items():
        if label not in head.labels:
            faults.append(_fault(head, label, f"there is no version {label!r}", _there_are(head)))
            continue
        try:
            read[label] = parse_percent(weight)
        except ValueError as error:
            faults.append(_fault(head, label, str(error)))
    return faults, read


def _fault(head: Revision, label: str, message: str, mend: str = "") -> Fault:
    return _named(head, f"weights.{label}" if label else "weights", message, mend)


def _named(head: Revision, path: str, message: str, mend: str = "") -> Fault:
    return Fault(head.deployment, 0, path, message, mend)


def _there_are(head: Revision) -> str:
    return f"there are: {', '.join(head.labels)}"
