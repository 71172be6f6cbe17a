"""One message of Envoy's metrics service: what it says about our clusters, and nothing else.

A counter is what was counted since Envoy's last flush, a histogram what was measured since then, a
gauge how it is now. Envoy tells the families apart by name, and clusters by a label.

A copy of a request (mirroring) asks for statistics of its own (xds.translate.mirror), but counts in
its cluster's as well: what the former say is taken away from the latter.

Nothing here trusts the peer: numbers that can't be are no report.
"""

import bisect
import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence

from google.protobuf.message import DecodeError

from xds.discovery.node import node_of
from xds.discovery.request import Node
from xds.errors import CanaryError
from xds.stubs import envoy_service_metrics_v3_pb2 as metrics_v3
from xds.stubs import io_prometheus_client_pb2 as prometheus
from xds.telemetry.buckets import BOUNDS, BUCKETS, from_cumulative

GRPC_STATUSES = 17
"""0 to 16."""

COUNTERS = (
    *("1xx", "2xx", "3xx", "4xx", "5xx"),
    *("timeouts", "retries", "resets", "resets_after_first_byte"),
    *("connect_failures", "overflows", "mirrored"),
    *(f"grpc {status}" for status in range(GRPC_STATUSES)),
    "covered",
    "failures",
)
"""What is counted, by its place in a window. `covered` is no count of Envoy's (see `telemetry`), nor is
`failures` (see `Sample`)."""

_AT = {name: place for place, name in enumerate(COUNTERS)}

_SUMMED: Mapping[str, int] = {
    "cluster.upstream_rq_timeout": _AT["timeouts"],
    "cluster.upstream_rq_per_try_timeout": _AT["timeouts"],
    "cluster.upstream_rq_retry": _AT["retries"],
    "cluster.upstream_rq_rx_reset": _AT["resets"],
    "cluster.upstream_cx_destroy_remote_with_active_rq": _AT["resets"],
    "cluster.upstream_cx_connect_fail": _AT["connect_failures"],
    "cluster.upstream_cx_connect_timeout": _AT["connect_failures"],
    "cluster.upstream_rq_pending_overflow": _AT["overflows"],
    **{f"cluster.grpc.{status}": _AT[f"grpc {status}"] for status in range(GRPC_STATUSES)},
}
_SERVERS = 5
_TO_BLAME = frozenset((2, 4, 12, 13, 14, 15))
"""Unknown, deadline exceeded, unimplemented, internal, unavailable, data loss: the server's fault, as
OpenTelemetry has it."""
_OF_ENVOY = frozenset((2, 4, 14))
"""What Envoy says of a 5xx of its own."""
_KINDS: Mapping[int, Sequence[str]] = {
    **{
        _AT[f"{digit}xx"]: ("requests", "5xx") if digit == _SERVERS else ("requests",)
        for digit in range(1, 6)
    },
    **{
        _AT[f"grpc {status}"]: (
            "calls",
            *(("failed",) if status in _TO_BLAME else ()),
            *(("of Envoy",) if status in _OF_ENVOY else ()),
        )
        for status in range(GRPC_STATUSES)
    },
}
"""What a count counts towards, of that which failures are made of."""
_AFTER_FIRST_BYTE = "upstream_reset_after_response_started"

_CLUSTER, _CLASS = "envoy.cluster_name", "envoy.response_code_class"
_OUR_CLUSTER, _DETAILS = "cluster", "details"

_PROBES = (0, len(BOUNDS) // 2, len(BOUNDS) - 1)
"""Bounds that are looked at, to tell ours from another bootstrap's."""

_MOST = 2**40
"""Of anything, in one flush: whoever counts more doesn't count requests."""


class Garbage(CanaryError):
    """This is no report of metrics."""


@dataclasses.dataclass(slots=True)
class Measured:
    """What a report says of a histogram: the buckets from the first that isn't empty to the last.

    Attributes:
        first: the place of the first.
        counts: by bucket, from there on.
        total: the milliseconds they add up to.
    """

    first: int
    counts: list[int]
    total: float

    def plus(self, other: "Measured", sign: int) -> "Measured":
        """The two together, or (-1) the one less the other."""
        counts = [0] * BUCKETS
        for measured, way in ((self, 1), (other, sign)):
            for place, count in enumerate(measured.counts, measured.first):
                counts[place] += way * count
        return Measured(0, counts, self.total + sign * other.total)


@dataclasses.dataclass(slots=True)
class Sample:
    """What a message says about a cluster.

    Attributes:
        counts: place in `COUNTERS`, and by how much it grew. A place may come twice.
        active: requests in flight; None where it isn't said.
        healthy: endpoints that can be used, of `total`.
    """

    counts: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    time: Measured | None = None
    first_byte: Measured | None = None
    active: int | None = None
    healthy: int | None = None
    total: int | None = None

    @property
    def failures(self) -> int:
        """5xx, and calls by gRPC that failed by the server's fault.

        Such a call is HTTP 200, except where Envoy answered it itself: then it is counted as 5xx and by its
        gRPC status, both at once and so in one report, and is one failure. What Envoy answers itself has no
        `time`: so many of the requests, or of the ends of calls, as have none may be of that kind. It is
        exact where all are calls, or none is; else 5xx and failed calls of one report may be taken for one.
        """
        of = dict.fromkeys(("requests", "5xx", "calls", "failed", "of Envoy"), 0)
        for place, value in self.counts:
            for kind in _KINDS.get(place, ()):
                of[kind] += value
        timed = sum(self.time.counts) if self.time is not None else 0
        untimed = max(of["requests"], of["calls"]) - timed
        twice = max(0, min(of["5xx"], of["of Envoy"], untimed))
        return of["5xx"] + of["failed"] - twice


@dataclasses.dataclass(slots=True)
class Report:
    """A message.

    Attributes:
        at: Envoy's own time of it, in milliseconds since the epoch; 0 where nothing was reported.
        samples: by cluster.
        unbucketed: histograms left out, for bounds that are not ours.
    """

    at: int
    samples: dict[str, Sample]
    unbucketed: int = 0


def decode(raw: bytes, *, first: bool) -> tuple[Node | None, Report]:
    """Read a message.

    Args:
        raw: an `envoy.service.metrics.v3.StreamMetricsMessage`.
        first: whether it is a stream's first, which says whose it is.

    Returns:
        Who it is from, if it is the first and says so; and what it says.

    Raises:
        Garbage: it is none.
    """
    try:
        message = metrics_v3.StreamMetricsMessage.FromString(raw)
        node = node_of(message.identifier.node) if first and message.HasField("identifier") else None
        return node, _report(message.envoy_metrics)
    except (DecodeError, UnicodeDecodeError) as error:
        raise Garbage("this is no message of the metrics service") from error


def _report(families: Iterable[prometheus.MetricFamily]) -> Report:
    report = Report(0, {})
    for family in families:
        name = family.name
        place = _SUMMED.get(name)
        if place is not None:
            for metric in family.metric:
                if (value := metric.counter.value) and (sample := _sample(metric, report, _CLUSTER)):
                    sample.counts.append((place, _number(value)))
        elif name in _READERS:
            label, read = _READERS[name]
            for metric in family.metric:
                if sample := _sample(metric, report, label):
                    read(metric, sample, report)
    return report


def _sample(metric: prometheus.Metric, report: Report, label: str) -> Sample | None:
    """The sample of a metric's cluster; None where it is of none."""
    cluster = next((pair.value for pair in metric.label if pair.name == label), None)
    if cluster is None:
        return None
    cluster = str(cluster)  # protobuf hands out bytes for what is no UTF-8, in messages of its second edition
    sample = report.samples.get(cluster)
    if sample is None:
        sample = report.samples[cluster] = Sample()
        report.at = metric.timestamp_ms
    return sample


def _read_class(metric: prometheus.Metric, sample: Sample, _: Report) -> None:
    value = _number(metric.counter.value)
    if value:
        sample.counts.append((_class(metric), value))


def _read_mirrored_class(metric: prometheus.Metric, sample: Sample, _: Report) -> None:
    value = _number(metric.counter.value)
    if value:
        sample.counts += ((_AT["mirrored"], value), (_class(metric), -value))


def _read_cut(metric: prometheus.Metric, sample: Sample, _: Report) -> None:
    value = _number(metric.counter.value)
    details = (str(pair.value) for pair in metric.label if pair.name == _DETAILS)
    if value and any(said.startswith(_AFTER_FIRST_BYTE) for said in details):
        sample.counts.append((_AT["resets_after_first_byte"], value))


def _read_active(metric: prometheus.Metric, sample: Sample, _: Report) -> None:
    sample.active = _number(metric.gauge.value)


def _read_healthy(metric: prometheus.Metric, sample: Sample, _: Report) -> None:
    sample.healthy = _number(metric.gauge.value)


def _read_total(metric: prometheus.Metric, sample: Sample, _: Report) -> None:
    sample.total = _number(metric.gauge.value)


def _read_time(metric: prometheus.Metric, sample: Sample, report: Report) -> None:
    sample.time = _sum(sample.time, _measured(metric.histogram, report), 1)


def _read_mirrored_time(metric: prometheus.Metric, sample: Sample, report: Report) -> None:
    sample.time = _sum(sample.time, _measured(metric.histogram, report), -1)


def _read_first_byte(metric: prometheus.Metric, sample: Sample, report: Report) -> None:
    sample.first_byte = _sum(sample.first_byte, _measured(metric.histogram, report), 1)


Read = Callable[[prometheus.Metric, Sample, Report], None]

_READERS: Mapping[str, tuple[str, Read]] = {
    "cluster.upstream_rq_xx": (_CLUSTER, _read_class),
    "cluster.mirrored.upstream_rq_xx": (_CLUSTER, _read_mirrored_class),
    "cluster.upstream_rq_active": (_CLUSTER, _read_active),
    "cluster.membership_healthy": (_CLUSTER, _read_healthy),
    "cluster.membership_total": (_CLUSTER, _read_total),
    "cluster.upstream_rq_time": (_CLUSTER, _read_time),
    "cluster.mirrored.upstream_rq_time": (_CLUSTER, _read_mirrored_time),
    "canary.first_byte": (_OUR_CLUSTER, _read_first_byte),
    "canary.cut": (_OUR_CLUSTER, _read_cut),
}


def _class(metric: prometheus.Metric) -> int:
    """The place of a class of statuses."""
    said = next((pair.value for pair in metric.label if pair.name == _CLASS), "")
    place = _AT.get(f"{said}xx")
    if place is None:
        raise Garbage(f"there are no statuses {said!r}xx")
    return place


def _measured(histogram: prometheus.Histogram, report: Report) -> Measured | None:
    count = histogram.sample_count
    if not count:
        return None
    buckets = histogram.bucket
    if len(buckets) != len(BOUNDS) or any(buckets[at].upper_bound != BOUNDS[at] for at in _PROBES):
        report.unbucketed += 1
        return None
    first = bisect.bisect_left(buckets, 1, key=_cumulative)
    last = bisect.bisect_left(buckets, count, first, key=_cumulative)
    counts = from_cumulative(map(_cumulative, buckets[first : last + 1]), _number(count))
    if min(counts) < 0:
        raise Garbage("a histogram has fewer below a higher bound")
    return Measured(first, counts[: BUCKETS - first], _number(histogram.sample_sum))


def _cumulative(bucket: prometheus.Bucket) -> int:
    return bucket.cumulative_count


def _sum(known: Measured | None, more: Measured | None, sign: int) -> Measured | None:
    if more is None:
        return known
    if known is None and sign > 0:
        return more
    known = known or Measured(0, [], 0.0)
    return known.plus(more, sign)


def _number(value: float) -> int:
    """A count, if it can be one (NaN can't)."""
    if not 0 <= value < _MOST:
        raise Garbage(f"{value} is no count")
    return int(value)
