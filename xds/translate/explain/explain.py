"""The way from a request to its version: the first route that matches, its hash, whose segment that is."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from xds.revisions.record import Revision
from xds.spec.deployment import MAIN, Deployment
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.translate.explain.answer import EMPTY, Down, Explanation, Place, Segment, place_of
from xds.translate.explain.asked import Request, Untold
from xds.translate.explain.hashing import hash_of
from xds.translate.explain.matching import matches
from xds.translate.explain.paths import is_redirected, is_refused
from xds.translate.models import READ

Revisions = Mapping[str, Revision]
_NOBODY: Down = {}


def explain(
    routes: Sequence[route_v3.Route], revisions: Revisions, request: Request, down: Down = _NOBODY
) -> Explanation:
    """Which version a request gets.

    Args:
        routes: those of its host, in their order.
        revisions: those in force that have them, by deployment.
        request: what is asked.
        down: what is wrong with their builds.
    """
    if is_refused(request.sent_path):
        return Explanation("Its path has a %00: Envoy answers 400.", status=400)
    if is_redirected(request.sent_path):
        reason = "Its path has an escaped slash: Envoy answers 307, to the path without."
        return Explanation(reason, status=307)
    found = _first(routes, request, None)
    if isinstance(found, route_v3.Route) and found.name == READ:
        found = _first(routes, request, request.model or "")
    match found:
        case None:
            return Explanation("No route of this host matches the request: Envoy answers 404.", status=404)
        case Explanation():
            return found
    try:
        return _with_state(_forwarded(found, revisions, request), down)
    except Untold as why:
        return _untold(found, why)


def _with_state(told: Explanation, down: Down) -> Explanation:
    """The explanation with what is wrong with who is to answer."""
    places = [told.place] if told.place else told.choices
    states = [(place, down[place.cluster]) for place in places if place.cluster in down]
    if not states:
        return told
    said = [f"{str(place)[0].upper()}{str(place)[1:]} {state}." for place, state in states]
    all_empty = len(states) == len(places) and all(state == EMPTY for _, state in states)
    return dataclasses.replace(
        told, reason=" ".join([told.reason, *said]), status=503 if all_empty else told.status
    )


def _first(
    routes: Sequence[route_v3.Route], request: Request, model: str | None
) -> route_v3.Route | Explanation | None:
    """The first route that matches, or why none can be named."""
    if request.model is not None and not request.values("content-type"):
        request = dataclasses.replace(
            request, headers=(*request.headers, ("content-type", b"application/json"))
        )
    for route in routes:
        try:
            if matches(route.match, request, model):
                return route
        except Untold as why:
            return _untold(route, why)
    return None


def _untold(route: route_v3.Route, why: Untold) -> Explanation:
    return Explanation(
        f"Nobody can say beforehand: the route {route.name} may answer, and {why}.", route=route.name
    )


def _forwarded(route: route_v3.Route, revisions: Revisions, request: Request) -> Explanation:
    match route.WhichOneof("action"):
        case "direct_response":
            status = route.direct_response.status
            reason = f"The route {route.name} answers {status} by itself."
            return Explanation(reason, route=route.name, status=status)
        case "route":
            pass
        case other:
            raise Untold(f"does not forward it, but has a {other}")
    action = route.route
    match action.WhichOneof("cluster_specifier"):
        case "cluster":
            return _whole(route, place_of(action.cluster, revisions), revisions)
        case "weighted_clusters":
            return _split(route, revisions, request)
        case other:
            raise Untold(f"chooses by {other}, which explain doesn't know")


def _split(route: route_v3.Route, revisions: Revisions, request: Request) -> Explanation:
    clusters = route.route.weighted_clusters
    if any(entry.cluster_header for entry in clusters.clusters) or clusters.runtime_key_prefix:
        raise Untold("chooses by something besides its weights")
    places = {entry.name: place_of(entry.name, revisions) for entry in clusters.clusters}
    live = [entry for entry in clusters.clusters if entry.weight.value]
    if len({entry.name for entry in live}) == 1:
        return _whole(route, places[live[0].name], revisions)
    hashed = hash_of(route.route.hash_policy, request) if clusters.use_hash_policy.value else None
    if hashed is None:
        return _by_chance(route, [(places[entry.name], entry.weight.value) for entry in live], revisions)
    total = sum(entry.weight.value for entry in live)
    slot = hashed.value % total
    name, segment = next(
        (name, each) for name, each in _segments(clusters, total) if each.start <= slot <= each.end
    )
    place = places[name]
    reason = f"{hashed.said} hashes to slot {slot}, which is in {place}'s segment {segment} (of {total})."
    return Explanation(_led(route, revisions, reason), place, route.name, slot, segment)


def _segments(clusters: route_v3.WeightedCluster, total: int) -> Iterator[tuple[str, Segment]]:
    start = 0
    for index, entry in enumerate(clusters.clusters):
        yield entry.name, Segment(index, start, start + entry.weight.value - 1, total)
        start += entry.weight.value


def _whole(route: route_v3.Route, place: Place, revisions: Revisions) -> Explanation:
    """A route that has one version for all of its requests."""
    _, _, purpose = route.name.partition("/")
    kind, _, what = purpose.partition("/")
    if kind == "version":
        reason = f"The request names the version {what}."
    elif kind.startswith("rule-") and not what:
        reason = f"It matches rule {kind.removeprefix('rule-')}, whose requests go to {place}."
    elif purpose.rpartition("/")[0].endswith("affinity"):
        reason = (
            f"Its cookie names the build {purpose.rpartition('/')[2]}, which {place} runs or answers for."
        )
    else:
        reason = _led(route, revisions, f"{place} gets every request of the route {route.name}.")
    return Explanation(reason[0].upper() + reason[1:], place, route.name)


def _by_chance(
    route: route_v3.Route, entries: Sequence[tuple[Place, int]], revisions: Revisions
) -> Explanation:
    total = sum(weight for _, weight in entries)
    shares: dict[str, float] = {}
    for place, weight in entries:
        shares[str(place)] = shares.get(str(place), 0.0) + weight * 100 / total
    said = ", ".join(f"{version} {share:g} %" for version, share in shares.items())
    how = "once, and a cookie keeps it" if _is_kept(route, revisions) else "for every request anew"
    reason = _led(route, revisions, f"Chance decides {how}: {said}.")
    choices = tuple(dict.fromkeys(place for place, _ in entries))
    return Explanation(reason, route=route.name, shares=shares, choices=choices)


def _is_kept(route: route_v3.Route, revisions: Revisions) -> bool:
    """Whether whom chance put somewhere is given the cookie that keeps them there."""
    revision = revisions.get(route.name.partition("/")[0])
    if revision is None:
        return False
    cookie = f"{revision.spec.affinity_cookie}="
    return any(
        added.header.key == "set-cookie" and added.header.value.startswith(cookie)
        for entry in route.route.weighted_clusters.clusters
        for added in entry.response_headers_to_add
    )


def _led(route: route_v3.Route, revisions: Revisions, reason: str) -> str:
    """The reason, with what led to this route: a rule for a part, a key that is missing."""
    name, _, purpose = route.name.partition("/")
    revision = revisions.get(name)
    rule, _, rest = purpose.rpartition("/")
    led = f"It matches rule {rule.removeprefix('rule-')}, which shares its requests out. " if rule else ""
    if revision is not None and rest == "split" and _lacks_key(revision.spec):
        canary = revision.spec.canary
        then = f", and when_missing is {canary.when_missing}" if canary.when_missing else ""
        led += f"{canary.route_by} is missing or empty{then}. "
    return led + reason


def _lacks_key(spec: Deployment) -> bool:
    """Whether those who come to the last route had no key; where all have one version nobody needs one."""
    return spec.canary.is_sticky and any(weight for label, weight in spec.weights().items() if label != MAIN)
