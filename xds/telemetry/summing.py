"""Windows of several gateways -> what they say together.

Rates add up over gateways, each over the time its own reports cover; counts and histograms just do.

A call counts as a request when its answer begins, and as a failure when it ends, which may be much later:
of a short time there may be more failures than requests.
"""

from collections.abc import Iterable, Mapping

from xds.telemetry.buckets import latency
from xds.telemetry.message import COUNTERS, GRPC_STATUSES
from xds.telemetry.records import Counts, Point, Scope, Summary
from xds.telemetry.window import Window

_CLASSES = 5


def counts_of(window: Window) -> Counts:
    """What was counted, by names."""
    known = {name: max(0, window.counts[place]) for place, name in enumerate(COUNTERS)}
    statuses = {name: known[name] for name in COUNTERS[:_CLASSES] if known[name]}
    by_status = [known[f"grpc {status}"] for status in range(GRPC_STATUSES)]
    requests = sum(statuses.values())
    return Counts(
        requests=requests,
        statuses=statuses,
        grpc={str(status): count for status, count in enumerate(by_status) if count},
        failures=known["failures"],
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
        success_rate=max(0.0, 1 - counts.failures / counts.requests) if counts.requests else None,
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
