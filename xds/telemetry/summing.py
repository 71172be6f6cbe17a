"""Windows of several gateways -> what they say together.

Rates add up over gateways, each over the time its own reports cover; counts and histograms just do.

A call by gRPC that failed is HTTP 200, except where Envoy answered it itself: then it is counted as 5xx
and by its gRPC status as well. So of the 5xx only as many are failures as there were requests that
were no gRPC.
"""

from collections.abc import Iterable, Mapping

from xds.telemetry.buckets import latency
from xds.telemetry.message import COUNTERS, GRPC_STATUSES
from xds.telemetry.records import Counts, Point, Scope, Summary
from xds.telemetry.window import Window

_CLASSES = 5
_TO_BLAME = frozenset((2, 4, 12, 13, 14, 15))
"""Unknown, deadline exceeded, unimplemented, internal, unavailable, data loss: the server's fault, as
OpenTelemetry has it."""


def counts_of(window: Window) -> Counts:
    """What was counted, by names."""
    known = {name: max(0, window.counts[place]) for place, name in enumerate(COUNTERS)}
    statuses = {name: known[name] for name in COUNTERS[:_CLASSES] if known[name]}
    by_status = [known[f"grpc {status}"] for status in range(GRPC_STATUSES)]
    requests = sum(statuses.values())
    failed_calls = sum(by_status[status] for status in _TO_BLAME)
    no_calls = max(0, requests - sum(by_status))
    return Counts(
        requests=requests,
        statuses=statuses,
        grpc={str(status): count for status, count in enumerate(by_status) if count},
        failures=failed_calls + min(known["5xx"], no_calls),
        timeouts=known["timeouts"],
        retries=known["retries"],
        resets=known["resets"],
        resets_after_first_byte=known["resets_after_first_byte"],
        connect_failures=known["connect_failures"],
        overflows=known["overflows"],
        mirrored=known["mirrored"],
    )


def summed(scope: Scope, gateways: Mapping[str, Window], clocks: Mapping[str, float]) -> Summary:
    """A summary of windows by gateway, without its times.

    Args:
        scope: what they are of.
        gateways: one window each, added up.
        clocks: the seconds that each one's reports cover.
    """
    together = Window()
    rate = error_rate = 0.0
    for gateway, window in gateways.items():
        together.add(window)
        counts, seconds = counts_of(window), clocks.get(gateway, 0.0)
        if seconds:
            rate += counts.requests / seconds
            error_rate += counts.failures / seconds
    counts = counts_of(together)
    return Summary(
        scope,
        begins=0.0,
        ends=0.0,
        seconds=max(clocks.values(), default=0.0),
        counts=counts,
        rate=rate,
        error_rate=error_rate,
        success_rate=1 - counts.failures / counts.requests if counts.requests else None,
        latency=latency(together.time.counts, together.time.total),
        first_byte=latency(together.first_byte.counts, together.first_byte.total),
    )


def point(at: float, summary: Summary, windows: Iterable[Window]) -> Point:
    """A step of a series."""
    return Point(
        at,
        summary.seconds,
        summary.counts,
        summary.rate,
        summary.error_rate,
        summary.success_rate,
        summary.latency,
        summary.first_byte,
        in_flight=sum(window.active for window in windows),
    )
