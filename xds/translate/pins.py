"""Pins: requests that name the version they want, in a header, a query parameter or a cookie.

The header speaks first, then the parameter, then the cookie. A version is pinned to whatever its
weight, and though it has no endpoints: whoever asks for it is to see that it is down (503).
"""

import re
from collections.abc import Callable, Iterator

from xds.slots.table import SlotTable
from xds.spec.splits import VersionSelector
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.stubs import envoy_type_matcher_v3_pb2 as matcher_v3
from xds.translate.cookies import ANY, match_cookie
from xds.translate.split import route
from xds.translate.values import describe
from xds.translate.view import View

_NOT_FOUND = 404


def pins(view: View, match: route_v3.RouteMatch) -> Iterator[route_v3.Route]:
    """The routes of requests that name a version."""
    selector = view.revision.spec.canary.version_selector
    if selector is None:
        return
    for narrow in _places(selector):
        for label, key in view.revision.labels.items():
            out = route(view, f"version/{label}", match, SlotTable.whole(key))
            narrow(out.match, re.escape(label))
            yield _secretly(out, selector)
        if selector.unknown == "not_found":
            out = _not_found(view, match)
            narrow(out.match, ANY)
            yield _secretly(out, selector)


def _places(said: VersionSelector) -> Iterator[Callable[[route_v3.RouteMatch, str], None]]:
    """For each place where a version can be named: what narrows a match to a value there."""
    header, query, cookie = said.header, said.query, said.cookie
    if header:
        yield lambda match, value: match.headers.append(
            route_v3.HeaderMatcher(name=header, string_match=_text(value))
        )
    if query:
        yield lambda match, value: match.query_parameters.append(
            route_v3.QueryParameterMatcher(name=query, string_match=_text(value))
        )
    if cookie:
        yield lambda match, value: match_cookie(match, cookie, value)


def _text(regex: str) -> matcher_v3.StringMatcher:
    return matcher_v3.StringMatcher(safe_regex=matcher_v3.RegexMatcher(regex=regex))


def _secretly(out: route_v3.Route, said: VersionSelector) -> route_v3.Route:
    """The route for those alone who know the secret, if there is one."""
    if said.secret:
        knows = matcher_v3.StringMatcher(exact=said.secret.value)
        out.match.headers.append(route_v3.HeaderMatcher(name=said.secret.header, string_match=knows))
    return out


def _not_found(view: View, match: route_v3.RouteMatch) -> route_v3.Route:
    name = view.revision.deployment
    out = route_v3.Route(name=f"{name}/version/unknown", match=match)
    describe(out.metadata, {"deployment": name})
    out.direct_response.status = _NOT_FOUND
    out.direct_response.body.inline_string = "no such version\n"
    return out
