"""Rules: requests that match get a version before anybody is split; the first rule decides.

A rule for all of its requests is one route. One for a part of them shares out the split's own table,
of which its version has taken that part all over, the same slots whatever the weights are: so a key
decides whether someone is taken, the same every time, and whoever isn't is where the split has them.

Not by Envoy's `runtime_fraction`: it dices once for a request, so what missed a rule's 50 % would miss
the next one's as well, and a split by chance behind it would only see the upper half of its slots.
"""

import re
from collections.abc import Iterator, Mapping

from xds.slots.table import SLOTS, SlotTable
from xds.spec.splits import HeaderMatch, PathMatch, QueryMatch, Rule, RuleMatch
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.stubs import envoy_type_matcher_v3_pb2 as matcher_v3
from xds.translate.split import route, spread
from xds.translate.values import match_path
from xds.translate.view import View

_ALL = 100


def rules(view: View) -> Iterator[route_v3.Route]:
    """The routes of a deployment's rules, in their order."""
    for number, rule in enumerate(view.revision.spec.rules, start=1):
        key = view.revision.labels.get(rule.version)
        if key is not None and rule.percentage:
            yield from _rule(view, f"rule-{number}", rule, key)


def _rule(view: View, name: str, rule: Rule, key: str) -> Iterator[route_v3.Route]:
    match = _match(view.revision.spec.path_prefix, rule.match)
    if rule.percentage == _ALL:
        yield route(view, name, match, SlotTable.whole(view.answering(key)))
        return
    slots = round(rule.percentage * SLOTS / _ALL)
    yield from spread(view, f"{name}/", match, lambda table: table.with_share(key, slots))


def _match(prefix: str, said: RuleMatch) -> route_v3.RouteMatch:
    out = match_path(prefix)
    if said.path:
        _match_path(out, said.path, prefix)
    _match_headers(out, said.headers)
    for name, value in said.query.items():
        matcher = out.query_parameters.add(name=name)
        if value.present:
            matcher.present_match = True
        else:
            matcher.string_match.CopyFrom(_text(value))
    return out


def _match_path(out: route_v3.RouteMatch, said: PathMatch, prefix: str) -> None:
    """The rule's path, which lies below the deployment's."""
    if said.exact:
        out.path = said.exact
    elif said.prefix:
        out.CopyFrom(match_path(said.prefix))
    elif said.regex:
        out.safe_regex.regex = said.regex
        if prefix != "/":
            below = matcher_v3.RegexMatcher(regex=rf"{re.escape(prefix)}(?:[/?].*)?")
            out.headers.add(name=":path").string_match.safe_regex.CopyFrom(below)


def _match_headers(out: route_v3.RouteMatch, said: Mapping[str, HeaderMatch]) -> None:
    for name, value in said.items():
        matcher = out.headers.add(name=name)
        if value.present is not None:
            matcher.present_match = value.present
        else:
            matcher.string_match.CopyFrom(_text(value))


def _text(said: HeaderMatch | QueryMatch) -> matcher_v3.StringMatcher:
    if said.regex:
        return matcher_v3.StringMatcher(safe_regex=matcher_v3.RegexMatcher(regex=said.regex))
    if said.prefix:
        return matcher_v3.StringMatcher(prefix=said.prefix)
    return matcher_v3.StringMatcher(exact=said.exact or "")
