"""Regular expressions, as far as they can be checked without RE2, which Envoy matches with.

Checked is what Python and RE2 have in common, and what RE2 is known not to have: looking around,
back references, atomic groups, possessive and very long repetitions. What gets past this and isn't
RE2 is refused by the Envoy, which then keeps the deployment's last good routes.
"""

import re
import warnings
from typing import Annotated

from pydantic import AfterValidator

from xds.spec.complaint import show, wrong

_LONGEST = 1024
_MOST_REPEATS = 1000
_RE2_ONLY = re.compile(r"\\(?:[pP](?:\{\^?\w+\}|\w)|[Cz])|\[:\^?\w+:\]|(\\.)", re.DOTALL)
"""Escapes and classes that RE2 has and Python hasn't; as a group, every other escape."""
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_CLASS = re.compile(r"\[\^?\]?[^\]]*\]")
_BACK_REFERENCE = re.compile(r"\\[1-9]|\(\?P=")
_LACKING = (
    (re.compile(r"\(\?<?[=!]"), "looks around"),
    (re.compile(r"\(\?\("), "has a condition"),
    (re.compile(r"\(\?>"), "has an atomic group"),
    (re.compile(r"[*+?}]\+"), "has a possessive repetition"),
)
_REPEATS = re.compile(r"\{(\d+)(?:,(\d*))?\}")


def parse_regex(value: str) -> str:
    """An expression that RE2 takes, as far as this can tell.

    Raises:
        ValueError: it is none, or too long.
    """
    if not value:
        raise wrong("can't be empty", "leave the key out")
    if len(value) > _LONGEST:
        raise wrong(f"is longer than {_LONGEST} characters")
    alike = _RE2_ONLY.sub(lambda found: found[1] or "x", value)
    if _BACK_REFERENCE.search(alike.replace("\\\\", "")):
        raise wrong(f"{show(value)} refers back to a group, which RE2 doesn't do")
    bare = _CLASS.sub("x", _ESCAPED.sub("x", alike))
    for lacking, what in _LACKING:
        if lacking.search(bare):
            raise wrong(f"{show(value)} {what}, which RE2 doesn't do")
    if any(int(count) > _MOST_REPEATS for found in _REPEATS.findall(bare) for count in found if count):
        raise wrong(f"{show(value)} repeats more than {_MOST_REPEATS} times, which RE2 doesn't do")
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(alike)
    except (re.error, OverflowError, RecursionError) as error:
        raise wrong(f"{show(value)} is no regular expression: {error}") from error
    return value


Regex = Annotated[str, AfterValidator(parse_regex)]
