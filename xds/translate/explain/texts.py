"""Envoy's matchers of texts, on bytes."""

from xds.spec import regexes
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.stubs import envoy_type_matcher_v3_pb2 as matcher_v3
from xds.translate.explain.asked import Request, Untold

_KNOWN = {"exact", "prefix", "suffix", "contains", "safe_regex", "ignore_case"}
_LONGEST = 60 * 1024
"""Bytes of all headers that an Envoy takes, unless told otherwise."""


def fits_regex(regex: str, value: bytes) -> bool:
    """Whether an expression matches all of a value.

    Raises:
        Untold: the expression is none of RE2's, or the value too long to be tried.
    """
    if len(value) > _LONGEST:
        raise Untold(f"the expression {regex!r} meets a value of more than {_LONGEST} bytes")
    return compiled(regex).fullmatch(value) is not None


def compiled(regex: str) -> regexes.Pattern:
    """An RE2 expression.

    Raises:
        Untold: RE2 here doesn't understand it.
    """
    try:
        return regexes.compiled(regex)
    except ValueError as error:
        raise Untold(f"the expression {regex!r} is one that only Envoy understands") from error


def fits(matcher: matcher_v3.StringMatcher, value: bytes) -> bool:
    """Whether a value is as a StringMatcher has it."""
    kind = matcher.WhichOneof("match_pattern")
    if kind is None or {field.name for field, _ in matcher.ListFields()} - _KNOWN:
        raise Untold("a matcher of texts is of a kind that explain doesn't know")
    if kind == "safe_regex":
        return fits_regex(matcher.safe_regex.regex, value)
    wanted = str(getattr(matcher, kind)).encode()
    if matcher.ignore_case:
        wanted, value = wanted.lower(), value.lower()
    return {
        "exact": value == wanted,
        "prefix": value.startswith(wanted),
        "suffix": value.endswith(wanted),
        "contains": wanted in value,
    }[kind]


def fits_header(matcher: route_v3.HeaderMatcher, request: Request) -> bool:
    """Whether a request's header is as a matcher has it: one of its values is enough."""
    values = request.values(matcher.name)
    if not values and matcher.treat_missing_header_as_empty:
        values = [b""]
    kind = matcher.WhichOneof("header_match_specifier") or "present_match"
    if kind == "present_match":
        wanted = matcher.present_match if matcher.HasField("present_match") else True
        return (bool(values) == wanted) != matcher.invert_match
    if kind != "string_match":
        raise Untold(f"the header {matcher.name} is matched by {kind}, which explain doesn't know")
    if not values:
        return False
    return any(fits(matcher.string_match, value) for value in values) != matcher.invert_match


def fits_parameter(matcher: route_v3.QueryParameterMatcher, request: Request) -> bool:
    """Whether a request's query parameter is as a matcher has it: the first value counts."""
    value = request.parameter(matcher.name)
    if matcher.HasField("string_match"):
        return value is not None and fits(matcher.string_match, value)
    return (value is not None) == (matcher.present_match if matcher.HasField("present_match") else True)
