"""The names of a deployment file: deployments, versions, tags, gateways, header names.

What a name may consist of follows from where it ends up: a deployment's in Envoy cluster names and
in host names, a version's in a response header, a header's in Envoy's matchers.
"""

import re
from typing import Annotated

from pydantic import AfterValidator

from xds.spec.complaint import show, wrong

MAIN = "main"
"""The label of the default version; reserved."""

NAME_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
LABEL_PATTERN = r"^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?$"

_NAME, _LABEL = re.compile(NAME_PATTERN[:-1]), re.compile(LABEL_PATTERN[:-1])
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LONGEST_NAME = 63
_LONGEST_HEADER_VALUE = 16_384  # Envoy's own bound
_LONGEST_SALT = 256
_COOKIE_PATH = re.compile(r"/[!-:<-~]*")
_QUERY_DELIMITERS = re.compile(r"[\x00-\x20&=#\x7f]")


def parse_name(value: str) -> str:
    """A deployment's or a gateway's name: at most 63 of a-z, 0-9 and, inside, dashes.

    Raises:
        ValueError: it has other characters, or too many.
    """
    return _checked(value, _NAME, "lower-case letters, digits and inner dashes", value.lower())


def parse_label(value: str) -> str:
    """A version's label: like a name, but upper case is allowed, and `main` is reserved.

    Raises:
        ValueError: it has other characters, too many, or is `main`.
    """
    if value == MAIN:
        raise wrong(
            "main is the default version and can't be listed",
            "its build is the deployment's own bento, its share what the others leave",
        )
    return _checked(value, _LABEL, "letters, digits and inner dashes", value)


def _checked(value: str, pattern: re.Pattern[str], allowed: str, near: str) -> str:
    if not value:
        raise wrong("a name can't be empty")
    if len(value) > _LONGEST_NAME:
        raise wrong(f"{show(value)} is longer than {_LONGEST_NAME} characters")
    if pattern.fullmatch(value) is None:
        suggestion = re.sub(r"[^A-Za-z0-9-]+", "-", near).strip("-")
        raise wrong(f"{show(value)} may only have {allowed}", f"write {suggestion}" if suggestion else "")
    return value


def parse_build(value: str) -> str:
    """What runs under a label: a tag, or `<deployment>@<label>` for a build that has none.

    Raises:
        ValueError: it is neither.
    """
    name, at, label = value.partition("@")
    if not at:
        return parse_tag(value)
    parse_name(name)
    if label != MAIN:
        parse_label(label)
    return value


def parse_tag(value: str) -> str:
    """A bento tag, `summarization:xq4d`, or whatever else names a build.

    Raises:
        ValueError: it is empty, or has whitespace or an `@`, which marks builds without a tag.
    """
    if not value:
        raise wrong("a tag can't be empty", "leave the key out: the build is then called after its version")
    if "@" in value or re.search(r"[\x00-\x20\x7f\s]", value):
        raise wrong(f"{show(value)} is no tag: it has whitespace or an @ in it", "write name:version")
    return value


def parse_header_name(value: str) -> str:
    """A header that may be set or removed: an RFC 9110 token, no pseudo header, not `host`.

    Raises:
        ValueError: it is none.
    """
    if value.startswith(":"):
        raise wrong(f"{show(value)} is a pseudo header of HTTP/2, which Envoy keeps to itself")
    if _TOKEN.fullmatch(value) is None:
        raise wrong(f"{show(value)} is no header name", "use letters, digits and dashes: X-User-ID")
    if value.lower() == "host":
        raise wrong("the host header is Envoy's to route by", "use another header")
    return value


def parse_key_header(value: str) -> str:
    """A header that requests are told apart by: a header name without underscores.

    Raises:
        ValueError: it is none, or has an underscore: gateways refuse requests with such headers.
    """
    name = parse_header_name(value)
    if "_" in name:
        raise wrong(
            f"{show(value)} has an underscore, and gateways refuse requests with such headers",
            f"use dashes: {name.replace('_', '-')}",
        )
    return name


def parse_query_key(value: str) -> str:
    """The name of a query parameter, case-sensitive.

    Raises:
        ValueError: it has whitespace, `&`, `=` or `#`.
    """
    if not value or _QUERY_DELIMITERS.search(value):
        raise wrong(f"{show(value)} is no query parameter", "write the name alone, as in ?user=1: user")
    return value


def parse_header_value(value: str) -> str:
    """A header's value.

    Raises:
        ValueError: it has a line break or another control character, or is too long.
    """
    if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
        raise wrong(f"{show(value)} has a line break or another control character")
    if len(value.encode()) > _LONGEST_HEADER_VALUE:
        raise wrong(f"is longer than {_LONGEST_HEADER_VALUE} bytes")
    return value


def parse_cookie_name(value: str) -> str:
    """A cookie's name, case-sensitive: an RFC 9110 token.

    Raises:
        ValueError: it is none.
    """
    if _TOKEN.fullmatch(value) is None:
        raise wrong(f"{show(value)} is no cookie name", "use letters, digits and dashes: canary-version")
    return value


def parse_cookie_path(value: str) -> str:
    """The path of a cookie.

    Raises:
        ValueError: it doesn't begin with a slash, or has characters that end it.
    """
    if _COOKIE_PATH.fullmatch(value) is None:
        raise wrong(f"{show(value)} is no cookie path", "begin with a slash, and leave out ; and spaces")
    return value


def parse_salt(value: str) -> str:
    """What a deployment's keys are hashed behind; empty: nothing.

    Raises:
        ValueError: it has control characters, or is too long.
    """
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise wrong(f"{show(value)} has a control character")
    if len(value.encode()) > _LONGEST_SALT:
        raise wrong(f"is longer than {_LONGEST_SALT} bytes")
    return value


def parse_secret(value: str) -> str:
    """A header's value that is to be told by those who know it.

    Raises:
        ValueError: it is empty, begins or ends with a blank, or is no header value. It is not shown.
    """
    if not value:
        raise wrong("can't be empty", "leave secret out")
    if value.strip() != value or re.search(r"[\x00-\x1f\x7f]", value):
        raise wrong("has blanks around it or a control character, and no header arrives like that")
    if len(value.encode()) > _LONGEST_SALT:
        raise wrong(f"is longer than {_LONGEST_SALT} bytes")
    return value


DeploymentName = Annotated[str, AfterValidator(parse_name)]
GatewayName = Annotated[str, AfterValidator(parse_name)]
Label = Annotated[str, AfterValidator(parse_label)]
BuildName = Annotated[str, AfterValidator(parse_build)]
HeaderName = Annotated[str, AfterValidator(parse_header_name)]
KeyHeader = Annotated[str, AfterValidator(parse_key_header)]
HeaderValue = Annotated[str, AfterValidator(parse_header_value)]
QueryName = Annotated[str, AfterValidator(parse_query_key)]
CookieName = Annotated[str, AfterValidator(parse_cookie_name)]
CookiePath = Annotated[str, AfterValidator(parse_cookie_path)]
Salt = Annotated[str, AfterValidator(parse_salt)]
SecretText = Annotated[str, AfterValidator(parse_secret)]
