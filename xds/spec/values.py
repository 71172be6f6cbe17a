"""The numbers of a deployment file: durations, percentages, counts, ports.

Each is an annotated type that reads what a person writes and serializes to what a person would
write, so that a file that was read and written again says the same thing.
"""

import math
import re
from typing import Annotated

from pydantic import BeforeValidator, Field, JsonValue, PlainSerializer, SkipValidation, WithJsonSchema

from xds.spec.complaint import show, wrong

_DURATION = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*(ms|s|m|h)?")
_NUMBER = re.compile(r"\s*[-+]?[0-9]+(\.[0-9]*)?\s*")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}
_LONGEST_DURATION = 365 * 24 * 3600.0
_UINT32 = 2**32 - 1
_NOISE = 1e-6
"""Of floats: what 0.07 * 100 may differ from 7 by."""


def parse_duration(value: object) -> float:
    """Seconds of `30`, `0.25`, `"30s"`, `"250ms"`, `"5m"`, `"1h"`, with a resolution of 1 ms.

    Raises:
        ValueError: it is none of these, negative, finer than 1 ms, or longer than a year.
    """
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is not None:
        seconds = float(found[1]) * _UNIT_SECONDS[found[2]]
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        seconds = float(min(value, _LONGEST_DURATION + 1))
    else:
        raise wrong(f"{show(value)} is no duration", "write seconds, or a number with ms, s, m or h: 30s")
    if seconds > _LONGEST_DURATION:
        raise wrong(f"{show(value)} is longer than a year")
    if abs(seconds * 1000 - round(seconds * 1000)) > _NOISE * max(1.0, seconds):
        raise wrong(f"{show(value)} is finer than a millisecond")
    return round(seconds, 3)


def parse_positive_duration(value: object) -> float:
    """Like `parse_duration`, but 0 is refused.

    Raises:
        ValueError: it is no duration, or 0.
    """
    seconds = parse_duration(value)
    if not seconds:
        raise wrong("must be longer than 0")
    return seconds


def parse_cookie_age(value: object) -> float:
    """Like `parse_positive_duration`, in whole seconds: a cookie's age has no others.

    Raises:
        ValueError: it is no duration, 0, or has a fraction of a second.
    """
    seconds = parse_positive_duration(value)
    if seconds != int(seconds):
        raise wrong(f"{show(value)} is no whole number of seconds")
    return seconds


def parse_percent(value: object) -> float:
    """Percent with a resolution of 0.01 of `20`, `12.75`, `"20"`.

    Raises:
        ValueError: it is no number, lies outside 0-100, or is finer than 0.01.
    """
    percent = _number(value)
    if percent is None:
        raise wrong(f"{show(value)} is no percentage", "write a number from 0 to 100")
    if not 0 <= percent <= 100:  # noqa: PLR2004 (percent)
        raise wrong(f"{show(value)} is not between 0 and 100")
    if abs(percent * 100 - round(percent * 100)) > _NOISE:
        raise wrong(f"{show(value)} is finer than 0.01 %", f"write {write_percent(round(percent, 2))}")
    return round(percent, 2)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        return None
    try:
        number = float(value)
    except OverflowError:
        return math.inf
    return None if math.isnan(number) else number


def write_duration(seconds: float) -> str:
    """`30s`, `0.25s`: the shortest form that reads back as the same number."""
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"


def write_percent(percent: float) -> int | float:
    """`20` rather than `20.0`."""
    return int(percent) if percent == int(percent) else percent


class Whole:
    """Reads a whole number between two bounds; `"3000"` and `3000.0` are 3000, `true` is not 1."""

    def __init__(self, low: int, high: int = _UINT32) -> None:
        self.low, self.high = low, high

    def __call__(self, value: object) -> int:
        """The number.

        Raises:
            ValueError: it is none, or out of bounds.
        """
        number = _number(value)
        if number is None or (math.isfinite(number) and number != int(number)):
            raise wrong(f"{show(value)} is no whole number", f"write a number from {self.low} to {self.high}")
        if not self.low <= number <= self.high:
            raise wrong(f"{show(value)} is not between {self.low} and {self.high}")
        return int(number)

    def schema(self) -> WithJsonSchema:
        """What JSON Schema knows of it."""
        number = {"type": "integer", "minimum": self.low, "maximum": self.high}
        return WithJsonSchema({"anyOf": [number, {"type": "string", "pattern": r"^\s*[0-9]+\s*$"}]})


_DURATION_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"type": "number", "minimum": 0},
            {"type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*(ms|s|m|h)?\s*$"},
        ]
    }
)
_PERCENT_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": 100},
            {"type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]*)?\s*$"},
        ]
    }
)
_AS_DURATION = PlainSerializer(write_duration, return_type=str)

Duration = Annotated[float, BeforeValidator(parse_duration), _AS_DURATION, _DURATION_SCHEMA]
"""Seconds; 0 usually means: none."""

PositiveDuration = Annotated[float, BeforeValidator(parse_positive_duration), _AS_DURATION, _DURATION_SCHEMA]
"""Seconds, more than 0."""

CookieAge = Annotated[float, BeforeValidator(parse_cookie_age), _AS_DURATION, _DURATION_SCHEMA]
"""Whole seconds, more than 0."""

Percent = Annotated[
    float,
    BeforeValidator(parse_percent),
    PlainSerializer(write_percent, return_type=int | float),
    _PERCENT_SCHEMA,
]
"""Percent, 0-100, in steps of 0.01."""

_PORT, _COUNT, _ATTEMPTS, _ENDPOINT_WEIGHT = Whole(1, 65535), Whole(1), Whole(0, 10), Whole(1, 128)

Port = Annotated[int, BeforeValidator(_PORT), _PORT.schema()]
Count = Annotated[int, BeforeValidator(_COUNT), _COUNT.schema()]
Attempts = Annotated[int, BeforeValidator(_ATTEMPTS), _ATTEMPTS.schema()]
EndpointWeight = Annotated[int, BeforeValidator(_ENDPOINT_WEIGHT), _ENDPOINT_WEIGHT.schema()]

Text = Annotated[str, Field(min_length=1)]
"""Any text but an empty one."""

Kept = Annotated[JsonValue, SkipValidation]
"""Whatever the file says; not looked into, because nothing acts on it."""
