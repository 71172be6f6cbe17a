"""A route to weighted clusters, and how the requests of a match are spread over them.

    sticky     those with a key, each where their hash falls
    affinity   those whose cookie says where chance put them once
    split      everyone else: by chance, or to `main`

A sticky split matches only requests that carry the key, and not empty (`.+`), and hashes it over the
slot segments: Envoy takes `xxh64(key) % 10,000` and walks them. Facts: "Sticky splits".

Envoys that would ignore the hashing, and say nothing, get the last route alone: all to `main`, or by
chance if the deployment prefers that (`on_unsupported`).

Every entry of a split is for one build and says which version that is at present, in the response
header; so relabelling a build changes these routes and nothing else.
"""

import functools
from collections.abc import Callable, Iterator

from xds.slots.table import Segment, SlotTable
from xds.spec.deployment import MAIN
from xds.spec.envoy import Raw
from xds.spec.upstream import HeaderEdits, Retry, RouteSettings
from xds.stubs import envoy_config_core_v3_pb2 as core
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.translate import cookies
from xds.translate.keys import match_key, ring_policy, split_policy, turned
from xds.translate.raw_patches import patched
from xds.translate.settings import Said, route_settings, said_of_cluster, settled
from xds.translate.values import VERSION, describe, duration, set_header
from xds.translate.view import View

_NEVER_REACHED = "connect-failure,refused-stream,reset-before-request"
"""Failures before the model saw anything: safe to retry for every method."""

MOST_TRIES = 8
"""Retries on other versions, at most. Envoy sets aside the entries it tried, not the builds: who was
scattered over more segments than this may be tried again and again on one that is down."""

Taken = Callable[[SlotTable], SlotTable]
"""What somebody takes of a table before it is shared out."""


def spread(
    view: View, purpose: str, match: route_v3.RouteMatch, taken: Taken = lambda table: table
) -> Iterator[route_v3.Route]:
    """The routes that share out the requests of a match.

    Args:
        view: whose.
        purpose: stands before their names; "" for the split of all.
        match: which requests.
        taken: applied to every table that is shared out.
    """
    canary, main = view.revision.spec.canary, view.revision.labels[MAIN]
    own = taken(view.revision.slots)
    split = view.lent(own)
    if canary.is_sticky and not view.sticky_splits:
        if canary.on_unsupported != "random" and _is_split(split):
            yield route(view, f"{purpose}split", match, SlotTable.whole(main))
            return
    elif canary.is_sticky and _is_split(split):
        yield _sticky(view, f"{purpose}sticky", match, split)
        if canary.when_missing == MAIN:
            own = taken(SlotTable.whole(main))
            split = view.lent(own)
    split = _by_owner(split)
    last = route(view, f"{purpose}split", match, split)
    if canary.affinity is None:
        yield last
    elif not _is_split(own):
        yield cookies.forgetting(view, _named(view, last, f"{purpose}affinity"))
        yield last
    else:
        for key in own.shares():
            kept = route(view, f"{purpose}affinity/{key}", match, SlotTable.whole(view.answering(key)))
            yield cookies.keeping(view, kept, key)
        yield cookies.setting(view, last, [segment.owner for segment in split])


def route(view: View, purpose: str, match: route_v3.RouteMatch, split: SlotTable) -> route_v3.Route:
    """The route of a match to the builds of a split; which of them, is up to chance."""
    spec = view.revision.spec
    out = route_v3.Route(name=f"{spec.name}/{purpose}", match=match)
    describe(out.metadata, {"deployment": spec.name})
    said = route_settings(spec, view.gateway.defaults)
    out.route.CopyFrom(_action(said, _tries_elsewhere(view, split)))
    ring = ring_policy(view.revision)
    if ring is not None:
        out.route.hash_policy.append(ring)
    entries = out.route.weighted_clusters.clusters
    for segment in split:
        _enter(entries.add(), view, segment)
    return out


def _sticky(view: View, purpose: str, match: route_v3.RouteMatch, split: SlotTable) -> route_v3.Route:
    """The route of those who carry the key: the hash decides."""
    spec = view.revision.spec
    out = route(view, purpose, match, turned(spec, split))
    match_key(out.match, spec.canary)
    del out.route.hash_policy[:]
    out.route.hash_policy.append(split_policy(spec))
    out.route.weighted_clusters.use_hash_policy.value = True
    return out


def _is_split(table: SlotTable) -> bool:
    return len(table.segments) > 1


def _by_owner(table: SlotTable) -> SlotTable:
    """The same shares in the fewest entries: chance knows no slots."""
    shares = table.shares()
    if len(shares) == len(table.segments):
        return table
    return SlotTable.of(Segment(owner, size) for owner, size in shares.items())


def _named(view: View, route: route_v3.Route, purpose: str) -> route_v3.Route:
    """The same route under another name."""
    out = route_v3.Route()
    out.CopyFrom(route)
    out.name = f"{view.revision.deployment}/{purpose}"
    return out


@functools.lru_cache(1024)
def _action(said: RouteSettings, elsewhere: int) -> route_v3.RouteAction:
    """What routes with the same settings have alike; to be copied, not changed."""
    out = route_v3.RouteAction(timeout=duration(said.timeout or 0))
    if said.idle_timeout is not None:
        out.idle_timeout.CopyFrom(duration(said.idle_timeout))
    if said.max_stream_duration is not None:
        out.max_stream_duration.max_stream_duration.CopyFrom(duration(said.max_stream_duration))
    if said.retry and said.retry.attempts:
        out.retry_policy.CopyFrom(_retries(said.retry, elsewhere))
    return out


def _tries_elsewhere(view: View, split: SlotTable) -> int:
    """How often it takes to get past every segment of the canaries; 0: not on other versions."""
    if not view.retries_elsewhere or not view.other_version or not _is_split(split):
        return 0
    canaries = sum(segment.owner != view.revision.labels[MAIN] for segment in split)
    return min(canaries + 1, MOST_TRIES)


def _retries(said: Retry, elsewhere: int) -> route_v3.RetryPolicy:
    """What is tried again, how often, and where."""
    out = route_v3.RetryPolicy(retry_on=f"{_NEVER_REACHED},5xx" if said.on_5xx else _NEVER_REACHED)
    out.num_retries.value = max(said.attempts, elsewhere)
    if said.per_try_timeout:
        out.per_try_timeout.CopyFrom(duration(said.per_try_timeout))
    if elsewhere:
        out.refresh_cluster_on_retry = True
    return out


def _enter(out: route_v3.WeightedCluster.ClusterWeight, view: View, segment: Segment) -> None:
    """Make an entry what a segment says."""
    revision = view.revision
    label = revision.label_of(segment.owner)
    said = said_of_cluster(revision.spec.settings_of(label), revision.spec, view.gateway.defaults)
    out.CopyFrom(_edits(label, view.gateway.version_header, said))
    out.name = revision.cluster_of(segment.owner)
    out.weight.value = segment.size
    config = _filter_config(view, label)
    if config:
        out.CopyFrom(patched(out, config))


@functools.lru_cache(1024)
def _edits(label: str, version_header: str | None, levels: Said) -> route_v3.WeightedCluster.ClusterWeight:
    """What entries of the same label have alike; to be copied, not changed."""
    said = settled(levels).headers
    out = route_v3.WeightedCluster.ClusterWeight()
    if version_header:
        out.response_headers_to_add.append(set_header(version_header, label))
    else:
        out.request_headers_to_add.append(set_header(VERSION, label))
    if said:
        out.request_headers_to_add.extend(_set(said.request))
        out.request_headers_to_remove.extend(said.request.remove)
        out.response_headers_to_add.extend(_set(said.response))
        out.response_headers_to_remove.extend(said.response.remove)
    return out


def _filter_config(view: View, label: str) -> Raw | None:
    """What a version says itself of what HTTP filters are to do."""
    version = view.revision.spec.canary.versions.get(label)
    said = version.envoy.typed_per_filter_config if version and version.envoy else None
    return {"typed_per_filter_config": said} if said else None


def _set(edits: HeaderEdits) -> list[core.HeaderValueOption]:
    return [set_header(name, value) for name, value in edits.set.items()]
