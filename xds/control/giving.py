"""Giving a gateway Envoy resources: what is to be recorded, or everything that is wrong with it. Pure."""

import dataclasses
from collections.abc import Container, Iterable, Iterator, Sequence

from xds.catalog.catalog import Catalog
from xds.catalog.types import Type, short_name
from xds.control.ledger import Key
from xds.control.references import Surroundings, faults_between
from xds.control.resources import Given, parsed, read_resources
from xds.control.state import State
from xds.control.table import own_part
from xds.discovery.stream import Stream
from xds.errors import InvalidInput, NothingToDo
from xds.fleet.convergence import Blame, Convergence
from xds.fleet.envoys import by_envoy, in_sync
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
    state: State, catalog: Catalog, gateway: str, history: Sequence[ResourceSet], note: Note
) -> ResourceSet:
    """The newest earlier resources that were never left by a rollback.

    Raises:
        NothingToDo: there are none.
        InvalidInput: something they name, or that would be there twice, has changed since.
    """
    if not history:
        raise NothingToDo(f"gateway {gateway} was never given any resources")
    target = rollback_resources(history, note)
    given = parsed(target.contents, f"resources {target.source}")
    faults = _clashing(state, catalog, gateway, given)
    if faults:
        raise InvalidInput(faults)
    return target


def standing(
    state: State,
    gateway: str,
    recorded: ResourceSet | None,
    streams: Iterable[Stream],
    blame: Blame,
    *,
    pending: bool,
) -> ResourceStanding:
    """What a gateway was given, and what its Envoys made of it (and of its own virtual hosts)."""
    ours = {(each.type, each.name) for each in parsed(recorded.contents if recorded else ())}
    hosts = [host.name for host in virtual_hosts(state.gateways[gateway])]
    envoys = by_envoy(streams)
    refusals = {s: list(_refusals(s, ours, hosts, blame)) for envoy in envoys for s in envoy}
    done = sum(in_sync(envoy) and not any(refusals[stream] for stream in envoy) for envoy in envoys)
    rejections = tuple(f"{s.node.id}: {refusal}" for s, refused in refusals.items() for refusal in refused)
    return ResourceStanding(recorded, Convergence(len(envoys), 0 if pending else done, rejections))


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
