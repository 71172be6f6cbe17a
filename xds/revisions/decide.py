"""The next revision: apply, set weights, abort, rollback.

Each takes the revision in force and returns the next one, or None where nothing would change. The
slot table follows by the fewest moves; a rollback brings the recorded table back as it was.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from xds.errors import InvalidInput
from xds.revisions.builds import assign_keys
from xds.revisions.history import rollback_target
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
        head: the revision in force, if there is one.
        known: key by ref of every build the deployment ever had.
        note: who, when, why.
    """
    if head is not None and head.spec == spec:
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


def rollback(history: Sequence[Revision], note: Note) -> Revision:
    """Spec, labels and slot table of the newest earlier revision that was never left on purpose.

    Args:
        history: the deployment's revisions, oldest first; the last is in force.
        note: who, when, why.

    Raises:
        NothingToDo: there is no such revision.
    """
    target = rollback_target(history)
    number = history[-1].number + 1
    return dataclasses.replace(target, number=number, kind="rollback", source=target.number, note=note)


def _reweighted(kind: Kind, head: Revision, weights: Mapping[str, float], note: Note) -> Revision | None:
    versions = {
        label: version.model_copy(update={"weight": weights[label]})
        for label, version in head.spec.canary.versions.items()
    }
    canary: Canary = head.spec.canary.model_copy(update={"versions": versions})
    spec: Deployment = head.spec.model_copy(update={"canary": canary})
    if spec == head.spec:
        return None
    return _next(kind, spec, head, {ref: key for key, ref in head.builds.items()}, note)


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
    known = ", ".join(head.labels)
    for label, weight in weights.items():
        if label not in head.labels:
            faults.append(_fault(head, label, f"there is no version {label!r}", f"there are: {known}"))
            continue
        try:
            read[label] = parse_percent(weight)
        except ValueError as error:
            faults.append(_fault(head, label, str(error)))
    return faults, read


def _fault(head: Revision, label: str, message: str, mend: str = "") -> Fault:
    return Fault(head.deployment, 0, f"weights.{label}" if label else "weights", message, mend)
