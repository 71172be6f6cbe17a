"""What people call a build: by its tag, or as a version of a deployment."""

from collections.abc import Iterable, Iterator, Mapping

from pydantic_core import PydanticCustomError

from xds.control.state import State
from xds.errors import InvalidInput, NotFound
from xds.revisions.record import Revision
from xds.spec.complaint import parts_of
from xds.spec.endpoints import Endpoint
from xds.spec.faults import Fault
from xds.spec.names import parse_tag
from xds.translate.settings import LendWhen
from xds.translate.view import effective_slots, lending_builds

_SHOWN = 10


def new_or_known(state: State, target: str) -> str:
    """The ref of a build that may get its first endpoints before any deployment uses it.

    Raises:
        NotFound: it is called `<deployment>@<label>`, and there is no such version.
        InvalidInput: it can't be a tag, or it is a deployment of several versions.
    """
    if "@" in target:
        return _of_version(state, target)
    _refuse_deployment(state, target)
    try:
        return parse_tag(target)
    except PydanticCustomError as error:
        raise InvalidInput([Fault(target, 0, "target", *parts_of(error))]) from error


def known(state: State, target: str) -> str:
    """The ref of a build there is: it has endpoints, or a deployment that had it.

    Raises:
        NotFound, InvalidInput: there is none; the message names those there are.
    """
    ref = new_or_known(state, target)
    if not state.users_of(ref) and ref not in state.book.refs():
        raise NotFound(f"nothing is known of a build {target!r} (there are: {_some(all_builds(state))})")
    return ref


def listed(state: State, target: str) -> list[str]:
    """The refs of builds to list, sorted: those of a target, of a deployment's versions, or ("") all.

    Raises:
        NotFound, InvalidInput: as `known`.
    """
    head = state.head(target)
    if not target:
        return all_builds(state)
    return sorted(set(head.builds.values())) if head is not None else [known(state, target)]


def polled(state: State, target: str) -> str:
    """The ref that a poll means; a version nobody knows yet is a build that is called so."""
    try:
        return _of_version(state, target) if "@" in target else target
    except NotFound:
        return target


def all_builds(state: State) -> list[str]:
    """Every build that is in force or has endpoints, sorted."""
    in_force = (ref for name in state.names() for ref in state.existing(name).builds.values())
    return sorted({*in_force, *state.book.refs()})


def users(state: State, ref: str) -> Iterator[Revision]:
    """The revisions in force that have a build, by deployment."""
    for name in sorted(state.users_of(ref)):
        head = state.head(name)
        if head is not None and ref in head.builds.values():
            yield head


def versions(state: State, ref: str) -> tuple[str, ...]:
    """The versions that run a build, as `<deployment>@<label>`."""
    return tuple(
        f"{head.deployment}@{label}"
        for head in users(state, ref)
        for label, key in head.labels.items()
        if head.builds[key] == ref
    )


def lost(head: Revision, endpoints: Mapping[str, tuple[Endpoint, ...]], when: LendWhen) -> int:
    """How many slots of a deployment end at a build without endpoints (`main`: it can't lend)."""
    shares = effective_slots(head, lending_builds(head, endpoints, when)).shares()
    return sum(slots for key, slots in shares.items() if not endpoints.get(head.builds[key]))


def _of_version(state: State, target: str) -> str:
    name, _, label = target.partition("@")
    head = state.existing(name)
    if label in head.labels:
        return head.builds[head.labels[label]]
    if target in state.builds[name]:  # it ran under a label that is gone, or is another's now
        return target
    raise NotFound(f"{name} has no version {label!r} (it has: {', '.join(head.labels)})")


def _refuse_deployment(state: State, target: str) -> None:
    head = state.head(target)
    if head is not None and target not in state.book.refs() and not state.users_of(target):
        message = f"{target} is a deployment, and endpoints belong to one of its versions"
        mend = " or ".join(f"{target}@{label}" for label in head.labels)
        raise InvalidInput([Fault(target, 0, "target", message, f"write {mend}")])


def _some(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more if names else "none yet"
