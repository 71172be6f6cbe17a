"""Whether a route matches a request, as Envoy sees it."""

from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.stubs import envoy_type_matcher_v3_pb2 as matcher_v3
from xds.stubs import envoy_type_v3_pb2 as type_v3
from xds.translate.explain.asked import Request, Untold
from xds.translate.explain.texts import fits, fits_header, fits_parameter, fits_regex
from xds.translate.models import MODEL
from xds.translate.values import METADATA

_PATHS = {"prefix", "path", "safe_regex", "path_separated_prefix"}
_KNOWN = _PATHS | {"case_sensitive", "headers", "query_parameters", "dynamic_metadata", "runtime_fraction"}
_OUT_OF = {
    type_v3.FractionalPercent.HUNDRED: 100,
    type_v3.FractionalPercent.TEN_THOUSAND: 10_000,
    type_v3.FractionalPercent.MILLION: 1_000_000,
}


def matches(match: route_v3.RouteMatch, request: Request, model: str | None) -> bool:
    """Whether a route's match takes a request.

    Args:
        match: the route's.
        request: what is asked.
        model: what was read from the body; None: nothing was read (yet).

    Raises:
        Untold: everything that can be known fits, and the rest can't be known.
    """
    if not (
        _fits_path(match, request.path)
        and all(fits_header(matcher, request) for matcher in match.headers)
        and all(fits_parameter(matcher, request) for matcher in match.query_parameters)
        and all(_fits_metadata(matcher, model) for matcher in match.dynamic_metadata)
    ):
        return False
    strange = sorted({field.name for field, _ in match.ListFields()} - _KNOWN)
    if strange:
        raise Untold(f"it matches by {', '.join(strange)}, which explain doesn't know")
    return _takes(match)


def _fits_path(match: route_v3.RouteMatch, path: bytes) -> bool:
    kind = match.WhichOneof("path_specifier")
    if kind not in _PATHS:
        raise Untold(f"its path is matched by {kind}, which explain doesn't know")
    if kind == "safe_regex":
        return fits_regex(match.safe_regex.regex, path)
    wanted = str(getattr(match, kind)).encode()
    if match.HasField("case_sensitive") and not match.case_sensitive.value:
        wanted, path = wanted.lower(), path.lower()
    if kind == "path":
        return path == wanted
    below = path[len(wanted) : len(wanted) + 1]
    return path.startswith(wanted) and (kind == "prefix" or below in (b"", b"/"))


def _fits_metadata(matcher: matcher_v3.MetadataMatcher, model: str | None) -> bool:
    if matcher.filter != METADATA or [segment.key for segment in matcher.path] != [MODEL]:
        raise Untold(f"it matches by metadata of {matcher.filter}, which explain doesn't know")
    return _fits_value(matcher.value, model) != matcher.invert


def _fits_value(matcher: matcher_v3.ValueMatcher, model: str | None) -> bool:
    match matcher.WhichOneof("match_pattern"):
        case "present_match":
            return (model is not None) == matcher.present_match
        case "string_match":
            return model is not None and fits(matcher.string_match, model.encode())
        case "or_match":
            return any(_fits_value(each, model) for each in matcher.or_match.value_matchers)
        case other:
            raise Untold(f"it matches a model by {other}, which explain doesn't know")


def _takes(match: route_v3.RouteMatch) -> bool:
    """Whether a route takes what it matches: all, none, or by chance."""
    if not match.HasField("runtime_fraction"):
        return True
    part = match.runtime_fraction.default_value
    whole = _OUT_OF.get(part.denominator, 0)
    if 0 < part.numerator < whole:
        raise Untold(f"it takes {100 * part.numerator / whole:g} % of what it matches, by chance")
    return bool(part.numerator)
