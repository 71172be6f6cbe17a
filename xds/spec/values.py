"""The scalar values of a deployment file: durations, percentages, names.

Each is an annotated type that reads what a person writes and serializes to what a person would
write, so that a file that was read and written again says the same thing.
"""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)?")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}


def parse_duration(value: object) -> float:
    """Seconds of `30`, `0.25`, `"30s"`, `"250ms"`, `"5m"`, `"1h"`.

    Raises:
        ValueError: it is none of these, or negative.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return float(value)
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r} is no duration; write seconds, or a number with ms, s, m or h: 30s")
    return float(found[1]) * _UNIT_SECONDS[found[2]]


def parse_percent(value: object) -> float:
    """Percent with a resolution of 0.01 of `20`, `12.75`, `"20"`.

    Raises:
        ValueError: it is no number, lies outside 0-100, or is finer than 0.01.
    """
    try:
        percent = float(value) if isinstance(value, (int, float, str)) and value is not True else None
    except ValueError:
        percent = None
    if percent is None or percent is False or percent != percent:  # noqa: PLR0124 (NaN differs from itself)
        raise ValueError(f"{value!r} is no percentage; write a number from 0 to 100")
    if not 0 <= percent <= 100:  # noqa: PLR2004 (percent)
        raise ValueError(f"{value} is not between 0 and 100")
    if abs(percent * 100 - round(percent * 100)) > 1e-6:  # noqa: PLR2004 (float noise)
        raise ValueError(f"{value} is finer than 0.01 %; round it to two decimals")
    return round(percent, 2)


def write_duration(seconds: float) -> str:
    """`30s`, `0.25s`: the shortest form that reads back as the same number."""
    return f"{seconds:g}s"


def write_percent(percent: float) -> int | float:
    """`20` rather than `20.0`."""
    return int(percent) if percent == int(percent) else percent


Duration = Annotated[
    float, BeforeValidator(parse_duration), PlainSerializer(write_duration, return_type=str)
]
"""Seconds."""

Percent = Annotated[
    float, BeforeValidator(parse_percent), PlainSerializer(write_percent, return_type=int | float)
]
"""Percent, 0-100, in steps of 0.01."""

Port = Annotated[int, Field(ge=1, le=65535)]
