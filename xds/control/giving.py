"""Giving a gateway Envoy resources: what is to be recorded, or everything that is wrong with it. Pure."""

import dataclasses
from collections.abc import Callable, Container, Iterable, Iterator, Sequence

from xds.catalog.catalog import Catalog
from xds.catalog.types import Type, short_name
from xds.control.ledger import Key
from xds.control.parts import own_part
from xds.control.references import Surroundings, faults_between
from xds.control.resources import Given, parsed, read_resources
from xds.control.state import State
from xds.discovery.members import Members
from xds.discovery.stream import Stream
from xds.errors import InvalidInput, NotFound, NothingToDo
from xds.fleet.convergence import Blame, Convergence
from xds.revisions.record import Note
from xds.revisions.resources import ResourceSet, rollback_resources, set_resources
from xds.spec.faults import Fault
from xds.translate.bootstrap import CONTROL_PLANE_CLUSTER
from xds.translate.raw_gateway import virtual_hosts


@dataclasses.dataclass(frozen=True)
class ResourceStanding:
    """The Envoy resources that people gave a gateway, as they stand.

    Attributes:
        given: None where nobody ever gave it any.
        convergence: of these resources alone.
    """

    given: ResourceSet | None
    convergence: Convergence


def give(
    state: State, catalog: Catalog, gateway: str, texts: Iterable[tuple[str, str]], note: Note
) -> ResourceSet | None:
    """What replaces the resources in force; None if it is the same.

    Args:
        state: what is in force.
        catalog: what the gateway has, all of it published.
        gateway: its name.
        texts: a name and YAML or JSON each.
        note: who, when, why.

    Raises:
        InvalidInput: every fault.
    """
    given, faults = read_resources(texts)
    faults = faults or _clashing(state, catalog, gateway, given)
    if faults:
        raise InvalidInput(faults)
    return set_resources(gateway, [each.content for each in given], state.resources.get(gateway), note)


def give_back(
    state: State,
    catalog: Catalog,
    gateway: str,
    history: Sequence[ResourceSet],
    note: Note,
    to: int | None = None,
) -> ResourceSet:
    """What the resources in force replaced, or those of a number (0: none).

    Raises:
        NothingToDo: there are none.
        NotFound: there are none of that number.
        InvalidInput: something they name, or that would be there twice, has changed since.
    """
    if not history:
        raise NothingToDo(f"gateway {gateway} was never given any resources")
    target = rollback_resources(history, note) if to is None else _numbered(history, note, to)
    given = parsed(target.contents, f"resources {target.source}")
    faults = _clashing(state, catalog, gateway, given)
    if faults:
        raise InvalidInput(faults)
    return target


def standing(
    state: State,
    gateway: str,
    recorded: ResourceSet | None,
    members: Members,
    blame: Blame,
    *,
    pending: bool,
) -> ResourceStanding:
    """What a gateway was given, and what its Envoys made of it (and of its own virtual hosts)."""
    ours = {(each.type, each.name) for each in parsed(recorded.contents if recorded else ())}
    hosts = [host.name for host in virtual_hosts(state.gateways[gateway])]
    refused = [
        (stream.node.id, refusal)
        for stream in sorted(members.refusing(), key=lambda stream: stream.node.id)
        for refusal in _refusals(stream, ours, hosts, blame)
    ]
    done = len(members) - len({*members.behind(), *(id_ for id_, _ in refused)})
    rejections = tuple(f"{id_}: {refusal}" for id_, refusal in refused)
    return ResourceStanding(recorded, Convergence(len(members), 0 if pending else done, rejections))


def _numbered(history: Sequence[ResourceSet], note: Note, number: int) -> ResourceSet:
    """The set of a number as the newest one."""
    head = history[-1]
    nothing = ResourceSet(head.gateway, 0, "set", (), note)
    target = next((given for given in (nothing, *history) if given.number == number), None)
    if target is None:
        raise NotFound(f"gateway {head.gateway} was never given resources {number}")
    if target.contents == head.contents:
        raise NothingToDo(f"resources {number} of gateway {head.gateway} are in force already")
    return dataclasses.replace(
        target, number=head.number + 1, kind="rollback", source=number or None, note=note
    )


def refusals_of_resources(
    state: State, gateway: str, recorded: ResourceSet | None, blame: Blame
) -> Callable[[Stream], Iterable[str]]:
    """What a peer refuses of what a gateway was given, at the versions that it is to have now."""
    ours = {(each.type, each.name) for each in parsed(recorded.contents if recorded else ())}
    hosts = [host.name for host in virtual_hosts(state.gateways[gateway])]

    def current(stream: Stream) -> set[Key]:
        return {
            (type_, name)
            for type_, name in ours
            if type_ in stream.watches
            and stream.watches[type_].rejections.holds_back(name, stream.catalog.get(type_, name))
        }

    return lambda stream: _refusals(stream, current(stream), hosts, blame)


def _refusals(stream: Stream, ours: Container[Key], hosts: Iterable[str], blame: Blame) -> Iterator[str]:
    for type_, rejection in stream.rejections():
        if (type_, rejection.name) in ours:
            yield f"{short_name(type_)} {rejection.name}: {rejection.text}"
    for host in hosts:
        said = blame.objection(stream, own_part(host))
        if said is not None:
            yield f"VirtualHost {host}: {said}"


def _clashing(state: State, catalog: Catalog, gateway: str, given: Sequence[Given]) -> list[Fault]:
    """What is wrong between resources, and between them and what the gateway has already."""
    head = state.resources.get(gateway)
    present = {(each.type, each.name) for each in parsed(head.contents if head else ())}
    everything = {(str(type_), name) for type_ in Type for name in catalog.all(type_)}
    around = Surroundings(
        generated=frozenset(everything - present),
        reserved=state.clusters_ever(),
        static=frozenset({CONTROL_PLANE_CLUSTER, *state.gateways[gateway].static_clusters}),
    )
    return sorted(faults_between(given, around))
