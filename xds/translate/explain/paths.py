"""Paths as our listeners make of them what routes are matched against: `//p`, `/x/../p` and `/%70` are `/p`.

Measured with Envoys 1.39 and 1.40 under `normalize_path`, `merge_slashes` and UNESCAPE_AND_REDIRECT.
(Older ones keep `/..;x/p`.)
"""

import re

_DOTS_WITH_PARAMETERS = re.compile(rb"(?<=/)(\.\.?);[^/]*")
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")
_ESCAPED_SLASH = re.compile(rb"%(?:2[Ff]|5[Cc])")
_UNRESERVED = re.compile(rb"[A-Za-z0-9._~-]")
_TO_BE_ESCAPED = re.compile(rb'["<>^`{|}]')


def is_redirected(path: bytes) -> bool:
    """Whether Envoy sends the client to the path without escaped slashes, instead of to a route."""
    return _ESCAPED_SLASH.search(path) is not None


def is_refused(path: bytes) -> bool:
    """Whether Envoy answers 400, as it can't normalize it."""
    slashed = re.sub(rb"(?i)%2f", b"/", path)
    return b"%00" in _DOTS_WITH_PARAMETERS.sub(rb"\1", slashed)


def normalized(path: bytes) -> bytes:
    """What routes are matched against.

    Args:
        path: without its query.
    """
    path = _DOTS_WITH_PARAMETERS.sub(rb"\1", path)
    path = _ESCAPED.sub(_unescaped, path).replace(b"\\", b"/")
    path = _TO_BE_ESCAPED.sub(lambda odd: b"%%%02X" % odd[0][0], path)
    return _merged(_without_dots(path))


def _unescaped(escaped: re.Match[bytes]) -> bytes:
    said = bytes.fromhex(escaped[1].decode())
    return said if _UNRESERVED.fullmatch(said) else escaped[0]


def _without_dots(path: bytes) -> bytes:
    """`..` takes back one segment, an empty one too; beyond the root it does nothing."""
    *before, last = path.split(b"/")[1:]
    kept: list[bytes] = []
    for segment in before:
        if segment == b"..":
            del kept[-1:]
        elif segment != b".":
            kept.append(segment)
    if last == b"..":
        del kept[-1:]
    return b"/" + b"/".join([*kept, b"" if last in (b".", b"..") else last])


def _merged(path: bytes) -> bytes:
    """Several slashes are one; but a path of nothing else keeps two."""
    return re.sub(rb"/+", b"/", path) if path.strip(b"/") else path[:2]
