"""A Prometheus as a source of metrics: one query for each metric, all at once.

What it doesn't know (no such series, NaN) isn't there. One query that fails makes the source unavailable:
half an answer could be taken for a good one.
"""

import asyncio
import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from xds.control.metrics import Names
from xds.errors import Unavailable
from xds.spec.metric_sources import PrometheusSource
from xds.telemetry.query import Clock
from xds.telemetry.records import Counts, Latency, Point, Scope, Summary

_LARGEST = 16 * 1024 * 1024
"""Bytes of an answer that are read."""
_TOLD = 200
"""Characters of an error that are told."""
_SPECIAL = re.compile(r"([.^$*+?()\[\]{}|\\])")
_KNOWN = re.compile(r"\{(deployment|version|build|builds|gateway|span)\}")
_LATENCIES = ("mean", "p50", "p90", "p95", "p99")
_RATES = ("rate", "error_rate", "success_rate", "in_flight")

Values = Mapping[str, float]
"""By metric."""


T = TypeVar("T")
NamesOf = Callable[[Scope], Names]


class Prometheus:
    """Asks one.

    Args:
        source: where it is, and what it is asked.
        names_of: what builds are called.
        clock: epoch seconds.
    """

    def __init__(self, source: PrometheusSource, names_of: NamesOf, clock: Clock) -> None:
        self._source = source
        self._queries = source.all_queries()
        self._names_of = names_of
        self._clock = clock
        self._url = source.prometheus.rstrip("/")

    @property
    def name(self) -> str:
        """What it is called."""
        return self._source.name

    async def summary(self, scope: Scope, span: float) -> Summary:
        """A scope over the last `span` seconds, in as much as Prometheus knows it.

        Raises:
            Unavailable: it doesn't answer, or refuses a query; with the reason.
        """
        now = self._clock()
        answers = await self._ask("query", scope, span, {"time": f"{now:.3f}"}, _number_of)
        values = {name: value for name, value in answers.items() if value is not None}
        return Summary(
            scope,
            begins=now - span,
            ends=now,
            seconds=span if values else 0.0,
            counts=_counts(values, span),
            rate=values.get("rate", 0.0),
            error_rate=values.get("error_rate", 0.0),
            success_rate=_success(values),
            latency=_latency(values, "latency"),
            first_byte=_latency(values, "first_byte"),
            in_flight=round(values["in_flight"]) if "in_flight" in values else None,
            source=self.name,
            measures={name: value for name, value in values.items() if not _has_a_place(name)},
        )

    async def series(self, scope: Scope, step: float, span: float) -> list[Point]:
        """The same in steps, oldest first; of metrics that have a place in one.

        Raises:
            Unavailable: as above.
        """
        now = self._clock()
        begin = now // step * step - span // step * step
        window = {
            "start": f"{begin + step:.3f}",
            "end": f"{now // step * step + step:.3f}",
            "step": f"{step:g}",
        }
        answers = await self._ask("query_range", scope, step, window, _numbers_of)
        steps: defaultdict[float, dict[str, float]] = defaultdict(dict)
        for name, each in answers.items():
            for at, value in each:
                steps[at][name] = value
        count = round(span / step) + 1
        return [_point(begin + step * n, step, steps.get(begin + step * (n + 1), {})) for n in range(count)]

    async def _ask(
        self, what: str, scope: Scope, span: float, said: Mapping[str, str], read: Callable[[Any], T]
    ) -> dict[str, T]:
        """What every query came to, by metric."""
        filled = {name: self._filled(query, scope, span) for name, query in self._queries.items()}
        timeout = aiohttp.ClientTimeout(total=self._source.timeout)
        try:
            async with aiohttp.ClientSession(timeout=timeout, headers=self._headers()) as session:
                url = f"{self._url}/api/v1/{what}"
                asked = [_result(session, url, {"query": query, **said}, read) for query in filled.values()]
                async with asyncio.timeout(self._source.timeout):
                    found = await asyncio.gather(*asked)
        except TimeoutError as error:
            raise Unavailable(f"no answer within {self._source.timeout:g} s") from error
        except (aiohttp.ClientError, OSError, UnicodeError, ValueError) as error:
            raise Unavailable((str(error) or type(error).__name__)[:_TOLD]) from error
        return dict(zip(filled, found, strict=True))

    def _headers(self) -> dict[str, str]:
        if self._source.bearer_token_file is None:
            return {}
        token = Path(self._source.bearer_token_file).read_text(encoding="utf-8").strip()
        return {"authorization": f"Bearer {token}"}

    def _filled(self, query: str, scope: Scope, span: float) -> str:
        names = self._names_of(scope)
        one = names.refs[0] if scope.build is not None and names.refs else None
        known = {
            "deployment": _text(scope.deployment),
            "version": None if names.label is None else _text(names.label),
            "build": None if one is None else _text(one),
            "builds": _text("|".join(map(_literally, names.refs))),
            "gateway": _text(scope.gateway or ""),
            "span": f"{max(1, round(span))}s",
        }

        def value(found: re.Match[str]) -> str:
            said = known[found[1]]
            if said is None:
                raise Unavailable(f"a query names {found[0]}, and more than one version was asked about")
            return said

        return _KNOWN.sub(value, query)


async def _result(
    session: aiohttp.ClientSession, url: str, said: Mapping[str, str], read: Callable[[Any], T]
) -> T:
    """What a query came to.

    Raises:
        Unavailable: nothing, for this reason.
    """
    async with session.post(url, data=said) as response:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > _LARGEST:
                raise Unavailable(f"its answer is longer than {_LARGEST} bytes")
    try:
        answer = json.loads(body)
        if answer["status"] == "success":
            return read(answer["data"])
        why = f"{answer['errorType']}: {answer['error']}"
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        why = f"it answered {response.status} {response.reason}, and not as a Prometheus does"
    raise Unavailable(f"{why[:_TOLD]} (query: {said['query'][:_TOLD]})")


def _number_of(data: Any) -> float | None:
    """The number that an instant query's answer is; of several series the first one's."""
    if data["resultType"] == "scalar":
        return _number(data["result"][1])
    return _number(data["result"][0]["value"][1]) if data["result"] else None


def _numbers_of(data: Any) -> list[tuple[float, float]]:
    """Times and numbers of a range query's answer; of several series the first one's."""
    found = data["result"][0]["values"] if data["result"] else []
    return [(float(at), value) for at, said in found if (value := _number(said)) is not None]


def _number(said: object) -> float | None:
    value = float(str(said))
    return value if math.isfinite(value) else None


def _counts(values: Values, span: float) -> Counts:
    """Prometheus has rates; what they come to."""
    return Counts(
        requests=round(values.get("rate", 0.0) * span), failures=round(values.get("error_rate", 0.0) * span)
    )


def _success(values: Values) -> float | None:
    if "success_rate" in values:
        return values["success_rate"]
    if values.get("rate") and "error_rate" in values:
        return max(0.0, 1 - values["error_rate"] / values["rate"])
    return None


def _latency(values: Values, what: str) -> Latency:
    known = {share: values[f"{what}_{share}"] for share in _LATENCIES if f"{what}_{share}" in values}
    return Latency(count=1 if known else 0, **known)


def _point(at: float, step: float, values: Values) -> Point:
    return Point(
        at=at,
        seconds=step if values else 0.0,
        counts=_counts(values, step),
        rate=values.get("rate", 0.0),
        error_rate=values.get("error_rate", 0.0),
        success_rate=_success(values),
        latency=_latency(values, "latency"),
        first_byte=_latency(values, "first_byte"),
        in_flight=round(values.get("in_flight", 0.0)),
    )


def _has_a_place(name: str) -> bool:
    """Whether a metric is one of a summary's own."""
    what, _, share = name.rpartition("_")
    return name in _RATES or (what in {"latency", "first_byte"} and share in _LATENCIES)


def _literally(ref: str) -> str:
    """A regular expression for just this."""
    return _SPECIAL.sub(r"\\\1", ref)


def _text(said: str) -> str:
    """As it stands in a string of PromQL."""
    return said.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
