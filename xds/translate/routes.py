"""The routes of a deployment: its split, as weighted clusters.

A sticky split is two routes. The first matches only requests that carry the key, and not empty
(`.+`), and hashes it over the slot segments: Envoy takes `xxh64(key) % 10,000` and walks them. The
second takes what falls through (no key, an empty one): by chance over the same segments, or to
`main`. A random split is the second route alone. Facts: "Sticky splits".

Envoys that would ignore the hashing, and say nothing, get the second route alone as well: all to
`main`, or by chance if the deployment prefers that (`on_unsupported`).

Every entry of the split is for one build and says which version that is at present, in the response
header; so relabelling a build changes this route and nothing else.
"""

from collections.abc import Iterator

from google.protobuf.wrappers_pb2 import BoolValue, UInt32Value

from xds.slots.table import SlotTable
from xds.spec.deployment import MAIN, Canary
from xds.spec.envoy import Raw
from xds.spec.upstream import ClusterSettings, HeaderEdits, RouteSettings
from xds.stubs import envoy_config_core_v3_pb2 as core
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.stubs import envoy_type_matcher_v3_pb2 as matcher_v3
from xds.translate.raw_patches import patched
from xds.translate.settings import cluster_settings, route_settings
from xds.translate.values import VERSION, duration, metadata, set_header
from xds.translate.view import View

_NOT_EMPTY = matcher_v3.RegexMatcher(regex=".+")
_NEVER_REACHED = "connect-failure,refused-stream,reset-before-request"
"""Failures before the model saw anything: safe to retry for every method."""


def routes(view: View) -> list[route_v3.Route]:
    """The routes of a deployment, in the order in which Envoy is to try them."""
    patches = view.revision.spec.envoy
    return [patched(route, patches.route if patches else None) for route in _routes(view)]


def _routes(view: View) -> Iterator[route_v3.Route]:
    canary = view.revision.spec.canary
    split = view.effective()
    if canary.is_sticky and not view.sticky_splits:
        split = _substitute(view, split)
    elif canary.is_sticky and len(split.segments) > 1:
        sticky = _route(view, "sticky", split)
        _match_key(sticky.match, canary)
        sticky.route.hash_policy.append(_hash_policy(canary))
        sticky.route.weighted_clusters.use_hash_policy.CopyFrom(BoolValue(value=True))
        yield sticky
        if canary.when_missing == MAIN:
            split = SlotTable.whole(view.revision.labels[MAIN])
    yield _route(view, "split", split)


def _substitute(view: View, split: SlotTable) -> SlotTable:
    """The split of Envoys that can't keep everyone where they are, if it still is one."""
    several = len(split.segments) > 1
    if several and view.revision.spec.canary.on_unsupported != "random":
        return SlotTable.whole(view.revision.labels[MAIN])
    return split


def _route(view: View, purpose: str, split: SlotTable) -> route_v3.Route:
    spec = view.revision.spec
    said = route_settings(spec, view.gateway.defaults)
    out = route_v3.Route(
        name=f"{spec.name}/{purpose}",
        match=_match_path(spec.path_prefix),
        metadata=metadata({"deployment": spec.name}),
    )
    _act(out.route, said)
    _balance_by_header(view, out.route)
    out.route.weighted_clusters.clusters.extend(
        _entry(view, segment.owner, segment.size) for segment in split
    )
    return out


def _match_path(prefix: str) -> route_v3.RouteMatch:
    if prefix == "/":
        return route_v3.RouteMatch(prefix="/")
    return route_v3.RouteMatch(path_separated_prefix=prefix)


def _act(action: route_v3.RouteAction, said: RouteSettings) -> None:
    action.timeout.CopyFrom(duration(said.timeout or 0))
    if said.idle_timeout is not None:
        action.idle_timeout.CopyFrom(duration(said.idle_timeout))
    if said.max_stream_duration is not None:
        action.max_stream_duration.max_stream_duration.CopyFrom(duration(said.max_stream_duration))
    if said.retry and said.retry.attempts:
        action.retry_policy.retry_on = _NEVER_REACHED
        action.retry_policy.num_retries.value = said.retry.attempts
        if said.retry.per_try_timeout:
            action.retry_policy.per_try_timeout.CopyFrom(duration(said.retry.per_try_timeout))


def _balance_by_header(view: View, action: route_v3.RouteAction) -> None:
    """Let `ring_hash` hash by its header where the split itself hashes nothing."""
    spec = view.revision.spec
    header = spec.load_balancing.header if spec.load_balancing else None
    if header is None or (spec.canary.is_sticky and view.sticky_splits):
        return
    policies = {
        balancing.policy
        for label in view.revision.labels
        if (balancing := cluster_settings(spec.settings_of(label), spec).load_balancing)
    }
    if "ring_hash" in policies:
        action.hash_policy.append(_by_header(header))


def _entry(view: View, key: str, slots: int) -> route_v3.WeightedCluster.ClusterWeight:
    revision = view.revision
    label = revision.label_of(key)
    said = cluster_settings(revision.spec.settings_of(label), revision.spec, view.gateway.defaults)
    out = route_v3.WeightedCluster.ClusterWeight(
        name=revision.cluster_of(key), weight=UInt32Value(value=slots)
    )
    if view.gateway.version_header:
        out.response_headers_to_add.append(set_header(view.gateway.version_header, label))
    else:
        out.request_headers_to_add.append(set_header(VERSION, label))
    _edit_headers(out, said)
    return patched(out, _filter_config(view, label))


def _filter_config(view: View, label: str) -> Raw | None:
    """What a version says itself of what HTTP filters are to do."""
    version = view.revision.spec.canary.versions.get(label)
    said = version.envoy.typed_per_filter_config if version and version.envoy else None
    return {"typed_per_filter_config": said} if said else None


def _edit_headers(out: route_v3.WeightedCluster.ClusterWeight, said: ClusterSettings) -> None:
    if said.headers:
        out.request_headers_to_add.extend(_set(said.headers.request))
        out.request_headers_to_remove.extend(said.headers.request.remove)
        out.response_headers_to_add.extend(_set(said.headers.response))
        out.response_headers_to_remove.extend(said.headers.response.remove)


def _set(edits: HeaderEdits) -> list[core.HeaderValueOption]:
    return [set_header(name, value) for name, value in edits.set.items()]


def _match_key(match: route_v3.RouteMatch, canary: Canary) -> None:
    present = matcher_v3.StringMatcher(safe_regex=_NOT_EMPTY)
    if canary.route_type == "header":
        match.headers.append(route_v3.HeaderMatcher(name=canary.route_by, string_match=present))
    else:
        match.query_parameters.append(
            route_v3.QueryParameterMatcher(name=canary.route_by, string_match=present)
        )


def _hash_policy(canary: Canary) -> route_v3.RouteAction.HashPolicy:
    if canary.route_type == "header":
        return _by_header(canary.route_by or "")
    by = route_v3.RouteAction.HashPolicy.QueryParameter(name=canary.route_by)
    return route_v3.RouteAction.HashPolicy(query_parameter=by)


def _by_header(name: str) -> route_v3.RouteAction.HashPolicy:
    by = route_v3.RouteAction.HashPolicy.Header(header_name=name)
    return route_v3.RouteAction.HashPolicy(header=by)
