"""What a batch of documents changes, or everything that is wrong with it. Nothing half way.

Documents from the specs folder are *governed*: what was last applied from a file is remembered, and
only a part that differs from it is applied. So neither a restart nor a touch undoes a rollback, and
an edit of endpoints alone never applies the spec again.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import xxhash

from xds.catalog.types import Type
from xds.control.endpoint_book import APPLY, is_file, merged
from xds.control.resources import parsed
from xds.control.state import State
from xds.errors import InvalidInput
from xds.revisions import decide
from xds.revisions.builds import assign_keys
from xds.revisions.record import Note, Revision, cluster_name
from xds.spec.claims import Claim, claims_of, conflicts, unknown_gateways
from xds.spec.deployment import Deployment
from xds.spec.endpoints import Endpoint
from xds.spec.faults import Fault
from xds.spec.proxyless import unresolved, unsupported
from xds.spec.read import Document
from xds.spec.scoped import SCOPED, wildcards
from xds.store.records import Write
from xds.stubs.envoy_config_route_v3_pb2 import ScopedRouteConfiguration
from xds.translate.raw_gateway import clashes
from xds.translate.raw_patches import faults_of_document
from xds.translate.scopes import keys_of
from xds.translate.settings_check import faults_of_settings

_ENDPOINTS = "endpoints:"


@dataclasses.dataclass(frozen=True)
class EndpointChange:
    """What becomes of a build's endpoints.

    Attributes:
        build: its ref.
        count: how many it has then, over all sources.
        changed: whether that differs from what it had.
        deployments: those that use it, by name.
    """

    build: str
    count: int
    changed: bool
    deployments: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Intake:
    """What is to be committed, and the revision each deployment is at then."""

    write: Write
    heads: tuple[tuple[Revision, bool], ...]
    """One for each document with a deployment: the revision, and whether it is new."""
    endpoints: tuple[EndpointChange, ...] = ()
    """One for each build whose endpoints are given."""


def take_in(
    state: State,
    documents: Sequence[Document],
    note: Note,
    *,
    governed: bool = False,
    present: Collection[str] = (),
) -> Intake:
    """Decide what a batch of documents changes.

    Args:
        state: what is in force.
        documents: what was read, without faults.
        note: who applies them, and when.
        governed: they come from the specs folder.
        present: the files of that folder; endpoints of one that is gone make way for those of another.

    Raises:
        InvalidInput: every fault of every document.
    """
    digests: dict[tuple[str, str], str] = {}
    news = [_only_news(state, document, digests) for document in documents] if governed else list(documents)
    endpoints = _endpoint_lists(state, news, governed=governed, present=present)
    unions = _unions(state, endpoints)
    _raise([*check(state, news), *_mixed_endpoints(news, unions)])
    heads = [_apply(state, document.deployment, note) for document in news if document.deployment is not None]
    revisions = tuple(revision for revision, new in heads if new)
    edits = _endpoint_changes(state, unions, {revision.deployment: revision for revision, _ in heads})
    return Intake(Write(revisions, endpoints, digests), tuple(heads), edits)


def check(state: State, documents: Sequence[Document], leaving: Collection[str] = ()) -> list[Fault]:
    """What is wrong with documents in view of what is in force, and of each other.

    Args:
        state: what is in force.
        documents: what is to be.
        leaving: deployments that change or go at the same time: what they claim now is free.
    """
    deployments = [document for document in documents if document.deployment is not None]
    claims: list[Claim] = []
    faults = []
    for document in deployments:
        faults += unknown_gateways(_spec(document), state.gateways.values(), document.file, document.line)
        faults += unsupported(_spec(document), state.gateways.values(), document.file, document.line)
        claims += claims_of(_spec(document), state.gateways.values(), document.file, document.line)
        faults += faults_of_document(document)
        faults += faults_of_settings(document, state.gateways.values())
    names = {_spec(document).name for document in deployments}.union(leaving)
    faults += wildcards(claims, state.gateways.values())
    faults += clashes(claims, state.gateways.values())
    faults += _taken_names(state, deployments)
    faults += _taken_hosts(state, claims)
    faults += conflicts([*state.rivals(claims, names), *claims])
    faults += _unresolved(state, documents)
    return faults


def _only_news(state: State, document: Document, digests: dict[tuple[str, str], str]) -> Document:
    """The parts of a document that differ from what was last applied from its file."""

    def is_news(part: str, text: str) -> bool:
        key, digest = (document.file, part), _digest(text)
        if state.applied.get(key) == digest:
            return False
        digests[key] = digest
        return True

    spec = document.deployment
    fresh = {
        ref: given for ref, given in document.endpoints.items() if is_news(_ENDPOINTS + ref, repr(given))
    }
    return dataclasses.replace(
        document, deployment=spec if spec and is_news(spec.name, _as_written(spec)) else None, endpoints=fresh
    )


def digest_of_spec(spec: Deployment) -> str:
    """What is remembered of a spec that was applied from a file."""
    return _digest(_as_written(spec))


def _digest(text: str) -> str:
    return xxhash.xxh3_64_hexdigest(text.encode())


def _as_written(spec: Deployment) -> str:
    """A spec without defaults, so that a newer Canary with other defaults finds no news in an old file."""
    return spec.model_dump_json(exclude_defaults=True)


def _raise(faults: Iterable[Fault]) -> None:
    faults = sorted(faults)
    if faults:
        raise InvalidInput(faults)


def _taken_names(state: State, documents: Iterable[Document]) -> Iterator[Fault]:
    """Clusters that a deployment would have, under names that people gave to theirs."""
    taken = {
        given.name: gateway
        for gateway, recorded in state.resources.items()
        for given in parsed(recorded.contents)
        if gateway in state.gateways and given.type == Type.CLUSTER
    }
    for document in documents if taken else ():
        spec = _spec(document)
        refs = (spec.build_ref(label) for label in spec.weights())
        for key in assign_keys(refs, state.builds.get(spec.name, {})).values():
            cluster = cluster_name(spec.name, key)
            if cluster in taken:
                message = f"its cluster {cluster} is also among the resources of gateway {taken[cluster]}"
                yield Fault(document.file, document.line, "name", message, "rename one of them")


def _taken_hosts(state: State, claims: Iterable[Claim]) -> Iterator[Fault]:
    """Hosts that deployments would answer on, and that scopes have which people gave."""
    taken = {
        (gateway, host): given.name
        for gateway, recorded in state.resources.items()
        if gateway in state.gateways and state.gateways[gateway].mode == SCOPED
        for given in parsed(recorded.contents)
        if isinstance(given.message, ScopedRouteConfiguration)
        for host in (given.name, *keys_of(given.message))
    }
    held = (claim for claim in claims if (claim.gateway, claim.host) in taken)
    for claim in dict.fromkeys(dataclasses.replace(claim, model="") for claim in held):
        scope = taken[claim.gateway, claim.host]
        message = f"{claim.host} is also the scope {scope} among the resources of gateway {claim.gateway}"
        yield Fault(claim.file, claim.line, "hosts", message, "take it out of one of them")


def _apply(state: State, spec: Deployment, note: Note) -> tuple[Revision, bool]:
    newest = state.newest(spec.name)
    revision = decide.apply(spec, newest, state.builds[spec.name], note)
    return (revision, True) if revision is not None else (state.existing(spec.name), False)


def _endpoint_lists(
    state: State, documents: Iterable[Document], *, governed: bool, present: Collection[str]
) -> dict[tuple[str, str], tuple[Endpoint, ...]]:
    """The lists that documents give, by source and build ref; and those that make way for them, empty."""
    given = {
        (document.file if governed else APPLY, ref): endpoints
        for document in documents
        for ref, endpoints in document.endpoints.items()
    }
    gone = {
        (source, ref): ()
        for _, ref in given
        for source in (state.lists_of(ref) if present else ())
        if is_file(source) and source not in present
    }
    return gone | given


def _unions(
    state: State, lists: Mapping[tuple[str, str], tuple[Endpoint, ...]]
) -> dict[str, tuple[Endpoint, ...]]:
    """What builds have, over all sources, once these lists are in force."""
    coming: defaultdict[str, dict[str, tuple[Endpoint, ...]]] = defaultdict(dict)
    for (source, ref), given in lists.items():
        coming[ref][source] = given
    return {ref: merged({**state.lists_of(ref), **given}) for ref, given in coming.items()}


def _endpoint_changes(
    state: State, unions: Mapping[str, tuple[Endpoint, ...]], heads: Mapping[str, Revision]
) -> tuple[EndpointChange, ...]:
    """What that means for each build, and for whom; `heads` are the revisions to be in force."""
    coming: defaultdict[str, set[str]] = defaultdict(set)
    for name, revision in heads.items():
        for ref in revision.builds.values():
            coming[ref].add(name)

    def users(ref: str) -> set[str]:
        staying = (state.head(name) for name in state.users_of(ref) if name not in heads)
        using = {head.deployment for head in staying if head is not None and ref in head.builds.values()}
        return coming[ref] | using

    return tuple(
        EndpointChange(ref, len(union), union != state.book.union.get(ref, ()), tuple(sorted(users(ref))))
        for ref, union in unions.items()
    )


def _mixed_endpoints(
    documents: Iterable[Document], unions: Mapping[str, tuple[Endpoint, ...]]
) -> Iterator[Fault]:
    """A build's cluster is either resolved by Envoy or fed by us, whatever its sources say."""
    for document in documents:
        for ref in document.endpoints:
            if len({endpoint.is_name for endpoint in unions[ref]}) > 1:
                message = f"the endpoints of {ref} mix host names and IP addresses with those known already"
                mend = "give all of a build's endpoints in one of the two ways"
                yield Fault(document.file, document.line, "endpoints", message, mend)


def _unresolved(state: State, documents: Iterable[Document]) -> Iterator[Fault]:
    """Names where gRPC's clients need addresses: given with a deployment, before it, or after it."""
    given = {ref: found for document in documents for ref, found in document.endpoints.items()}
    endpoints = {**state.book.union, **given}
    said: dict[str, tuple[Deployment, Document]] = {}
    for document in documents:
        heads = (state.head(user) for ref in document.endpoints for user in state.users_of(ref))
        said = {head.deployment: (head.spec, document) for head in heads if head is not None} | said
        if document.deployment is not None:
            said[document.deployment.name] = (document.deployment, document)
    for spec, document in said.values():
        yield from unresolved(spec, state.gateways.values(), endpoints, document.file, document.line)


def _spec(document: Document) -> Deployment:
    if document.deployment is None:
        raise TypeError("a document without a deployment has no spec")
    return document.deployment
