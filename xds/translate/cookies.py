"""Cookies: matched, set, and forgotten.

An affinity cookie names a build by its key, never by its label: who is with a build stays with it
when it is promoted. It is set for `main`'s users as well, so nobody is diced for twice, and a canary
doesn't fill up with time. It is set where there is none that holds, and not renewed: after `max_age`
chance decides anew. A build that owns no slots has no route that keeps people: an abort empties it.

Matched is the `cookie` header itself: Envoys that don't know the newer `cookies` would ignore it,
and the route would take everybody.
"""

import re
from collections.abc import Iterable

from xds.spec.deployment import Deployment
from xds.spec.splits import SessionAffinity
from xds.stubs import envoy_config_core_v3_pb2 as core
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.stubs import envoy_type_matcher_v3_pb2 as matcher_v3
from xds.translate.view import View

ANY = '[^;"]+'
"""The expression for every value."""


def match_cookie(match: route_v3.RouteMatch, name: str, value: str) -> None:
    """Match only requests whose cookie `name` fits the expression `value`."""
    regex = rf'(?:.*;[ \t]*)?{re.escape(name)}="?{value}"?[ \t]*(?:;.*)?'
    match.headers.append(
        route_v3.HeaderMatcher(
            name="cookie",
            string_match=matcher_v3.StringMatcher(safe_regex=matcher_v3.RegexMatcher(regex=regex)),
        )
    )


def keeping(view: View, route: route_v3.Route, key: str) -> route_v3.Route:
    """The route for those alone whose cookie names the build."""
    match_cookie(route.match, view.revision.spec.affinity_cookie, re.escape(key))
    return route


def setting(view: View, route: route_v3.Route, keys: Iterable[str]) -> route_v3.Route:
    """The route with a cookie for whoever comes through it: `keys` has the build of each entry."""
    spec = view.revision.spec
    said = spec.canary.affinity or SessionAffinity()
    for entry, key in zip(route.route.weighted_clusters.clusters, keys, strict=True):
        entry.response_headers_to_add.append(_set_cookie(spec, said, key, round(said.max_age)))
    return route


def forgetting(view: View, route: route_v3.Route) -> route_v3.Route:
    """The route for those with a cookie, while there is nothing to be kept: it is taken back."""
    spec = view.revision.spec
    match_cookie(route.match, spec.affinity_cookie, ANY)
    for entry in route.route.weighted_clusters.clusters:
        entry.response_headers_to_add.append(
            _set_cookie(spec, spec.canary.affinity or SessionAffinity(), "", 0)
        )
    return route


def _set_cookie(spec: Deployment, said: SessionAffinity, value: str, age: int) -> core.HeaderValueOption:
    """One `set-cookie` more, beside those of the upstream."""
    text = f"{spec.affinity_cookie}={value}; Max-Age={age}; Path={said.path or spec.path_prefix}; HttpOnly"
    return core.HeaderValueOption(
        header=core.HeaderValue(key="set-cookie", value=text.replace("%", "%%")),
        append_action=core.HeaderValueOption.APPEND_IF_EXISTS_OR_ADD,
    )
