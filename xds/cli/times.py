"""Moments as people read and write them: `5m ago`, `in 25s`, `--since 2h`."""

import datetime as dt
import re
import time

import click
from google.protobuf.timestamp_pb2 import Timestamp

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SPAN = re.compile(r"(?P<number>\d+)(?P<unit>[smhd])")


def now() -> float:
    """Seconds since 1970, by this machine's clock."""
    return time.time()


def exact(moment: Timestamp) -> str:
    """`2026-11-22 10:03:05Z`; "" where there is none."""
    return f"{moment.ToDatetime():%Y-%m-%d %H:%M:%S}Z" if moment.ToNanoseconds() else ""


def ago(moment: Timestamp) -> str:
    """`5m ago`; "" where there is none."""
    return f"{span(now() - moment.ToNanoseconds() / 1e9)} ago" if moment.ToNanoseconds() else ""


def ahead(moment: Timestamp) -> str:
    """`in 25s`; "" where there is none."""
    if not moment.ToNanoseconds():
        return ""
    left = moment.ToNanoseconds() / 1e9 - now()
    return f"in {span(left)}" if left > 0 else "now"


def span(seconds: float) -> str:
    """`45s`, `5m`, `3h`, `12d`: the largest unit that is full at least twice, for short ones once."""
    whole = max(0, round(seconds))
    for unit, size in (("d", _UNITS["d"]), ("h", _UNITS["h"]), ("m", _UNITS["m"])):
        if whole >= 2 * size:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def as_since(_ctx: click.Context, _param: click.Parameter, value: str | None) -> dt.datetime | None:
    """Click callback: `2h` ago, or `2026-11-22`, `2026-11-22T10:00` (UTC unless it says more)."""
    if value is None:
        return None
    back = _SPAN.fullmatch(value)
    try:
        if back is not None:
            seconds = int(back["number"]) * _UNITS[back["unit"]]
            return dt.datetime.fromtimestamp(now() - seconds, dt.UTC)
        moment = dt.datetime.fromisoformat(value)
    except (ValueError, OverflowError, OSError) as error:
        raise click.BadParameter(
            f"{value!r} is no time; write for example 2h, 3d, 2026-11-22 or 2026-11-22T10:00"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
