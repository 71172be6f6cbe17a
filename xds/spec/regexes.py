"""Regular expressions as Envoy has them: RE2's, of bytes.

RE2's time grows with the text, never exponentially: an expression can't stop whoever tries it. Envoy's
see bytes, not characters: `.` is one byte, of UTF-8 too (measured).
"""

import functools
from collections.abc import Callable
from typing import Annotated, Protocol, cast

import re2
from pydantic import AfterValidator

from xds.spec.complaint import show, wrong

_LONGEST = 1024
_LACKING = (
    ("invalid perl operator: (?(", "has a condition"),
    ("invalid perl operator: (?>", "has an atomic group"),
    ("invalid perl operator: (?P", "refers back to a group"),
    ("invalid perl operator: (?=", "looks around"),
    ("invalid perl operator: (?!", "looks around"),
    ("invalid perl operator: (?<", "looks around"),
    ("invalid named capture group: (?<=", "looks around"),
    ("invalid named capture group: (?<!", "looks around"),
    ("bad repetition operator: ", "has a possessive repetition"),
    ("invalid repetition size: ", "repeats more than 1000 times"),
    *((rf"invalid escape sequence: \{digit}", "refers back to a group") for digit in range(1, 10)),
)
"""How RE2 refuses what others have, and what that is."""


class Match(Protocol):
    """What an expression matched."""

    def group(self, number: int, /) -> bytes | None:
        """A group's text; 0: all of it."""


class Pattern(Protocol):
    """An expression, ready to match."""

    def fullmatch(self, text: bytes, /) -> Match | None:
        """The match of all of a text."""

    def sub(self, replace: Callable[[Match], bytes], text: bytes, /) -> bytes:
        """A text with every match replaced."""


@functools.lru_cache(maxsize=128)
def compiled(regex: str) -> Pattern:
    """An expression as Envoy reads it.

    Raises:
        ValueError: it is none; the text is RE2's.
    """
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    try:
        return cast("Pattern", re2.compile(regex.encode(), options))
    except re2.error as error:
        said: bytes = error.args[0]
        raise ValueError(said.decode(errors="replace")) from error


def parse_regex(value: str) -> str:
    """An expression that RE2 takes.

    Raises:
        ValueError: it is none, or too long.
    """
    if not value:
        raise wrong("can't be empty", "leave the key out")
    if len(value) > _LONGEST:
        raise wrong(f"is longer than {_LONGEST} characters")
    try:
        compiled(value)
    except ValueError as error:
        said = str(error)
        for refusal, what in _LACKING:
            if said.startswith(refusal):
                raise wrong(f"{show(value)} {what}, which RE2 doesn't do") from error
        raise wrong(f"{show(value)} is no regular expression: {said.partition(': ')[0]}") from error
    return value


Regex = Annotated[str, AfterValidator(parse_regex)]
