"""What the Envoys report about versions, for Prometheus.

Series belong to versions in force: `version` is the label, `build` what runs. A promotion gives a build
another label, and so another series, which begins where the old one was: `rate()` sees no jump.

Bounded: a busy version has 57 lines a gateway, most of them its two histograms', and of all versions the
first `MOST_VERSIONS` are told, by deployment. What is left out is counted. Everything is in the admin API,
however many there are.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from xds.control.metrics import MetricControl, VersionNow
from xds.telemetry.buckets import BOUNDS
from xds.telemetry.query import Clock
from xds.telemetry.summing import counts_of
from xds.telemetry.telemetry import Telemetry
from xds.telemetry.window import Histogram, Window

MOST_VERSIONS = 1000
"""57,000 lines, 6 MB: read in a tenth of a second, and written in one or two by a thread."""

Family: TypeAlias = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily

_VERSION = ("deployment", "version", "build")
_PLACE = (*_VERSION, "gateway")

_EVERY = 4
"""Of Envoy's bounds so many become one: three a decade."""

_EVENTS = {
    "timeouts": ("canary_request_timeouts", "Requests given up because the version took too long"),
    "retries": ("canary_request_retries", "Tries beyond the first"),
    "resets": ("canary_request_resets", "Tries that the version, or its connection, broke off"),
    "resets_after_first_byte": ("canary_requests_cut_off", "Answers broken off when they had begun"),
    "connect_failures": ("canary_connect_failures", "Connections that could not be made"),
    "overflows": ("canary_requests_overflowed", "Requests turned down by a circuit breaker"),
    "mirrored": ("canary_requests_mirrored", "Copies of requests that were answered"),
}


@dataclasses.dataclass(frozen=True)
class Read:
    """What there was at one moment: quickly read, and made into families wherever there is time for it.

    Attributes:
        left_out: how many versions there are besides.
        in_flight: by deployment and build; None where no Envoy says.
        totals: by deployment, build and gateway.
    """

    versions: Sequence[VersionNow]
    left_out: int
    in_flight: Mapping[tuple[str, str], int] | None
    totals: Mapping[tuple[str, str, str], Window]

    def families(self) -> Iterator[Family]:
        """All of them, empty ones too."""
        yield GaugeMetricFamily(
            "canary_versions_left_out", "Versions beyond the most that are told of", value=self.left_out
        )
        yield from _standing(self.versions)
        in_flight = GaugeMetricFamily("canary_in_flight", "Requests in flight on a version", labels=_VERSION)
        for each in self.versions if self.in_flight is not None else ():
            in_flight.add_metric(_names(each), (self.in_flight or {}).get((each.deployment, each.key), 0))
        yield in_flight
        yield from _counted(_by_version(self.versions, self.totals))


class VersionCollector(Collector):
    """Reads it off when somebody asks.

    Args:
        versions: which there are.
        telemetry: what is reported about them.
        clock: epoch seconds.
        most: versions to tell of.
    """

    def __init__(
        self, versions: MetricControl, telemetry: Telemetry, clock: Clock, most: int = MOST_VERSIONS
    ) -> None:
        self._versions = versions
        self._telemetry = telemetry
        self._clock = clock
        self._most = most

    def read(self) -> Read:
        """What there is now."""
        versions = list(self._versions.versions(self._most))
        left_out = max(0, self._versions.count() - len(versions))
        in_flight = self._telemetry.all_in_flight(self._clock())
        return Read(versions, left_out, in_flight, self._telemetry.totals())

    def collect(self) -> Iterator[Family]:
        """All families."""
        return self.read().families()


Counted = Mapping[tuple[str, ...], Window]
"""By the values of `_PLACE`."""


def _by_version(versions: Iterable[VersionNow], totals: Mapping[tuple[str, str, str], Window]) -> Counted:
    known = {(each.deployment, each.key): _names(each) for each in versions}
    return {
        (*known[deployment, key], gateway): window
        for (deployment, key, gateway), window in totals.items()
        if (deployment, key) in known
    }


def _standing(versions: Iterable[VersionNow]) -> Iterator[Family]:
    """What is in force, from the control plane's own state."""
    weight = GaugeMetricFamily(
        "canary_version_weight",
        "Percent of the users asked for, and that it gets now",
        labels=(*_VERSION, "kind"),
    )
    endpoints = GaugeMetricFamily("canary_version_endpoints", "Endpoints that can be used", labels=_VERSION)
    revision = GaugeMetricFamily("canary_revision", "The revision in force", labels=("deployment",))
    told = set()
    for each in versions:
        weight.add_metric((*_names(each), "asked"), each.weight)
        weight.add_metric((*_names(each), "effective"), each.effective)
        endpoints.add_metric(_names(each), each.endpoints)
        if each.deployment not in told:
            told.add(each.deployment)
            revision.add_metric((each.deployment,), each.revision)
    yield from (weight, endpoints, revision)


def _counted(counted: Counted) -> Iterator[Family]:
    """What Envoys counted since this server began."""
    requests = CounterMetricFamily("canary_requests", "Requests answered", labels=(*_PLACE, "class"))
    grpc = CounterMetricFamily("canary_grpc_calls", "gRPC calls by status", labels=(*_PLACE, "status"))
    failures = CounterMetricFamily(
        "canary_request_failures", "5xx, and gRPC calls that failed by the server's fault", labels=_PLACE
    )
    events = {
        field: CounterMetricFamily(name, text, labels=_PLACE) for field, (name, text) in _EVENTS.items()
    }
    duration = HistogramMetricFamily(
        "canary_request_duration_seconds", "Until the last byte of the answer", labels=_PLACE
    )
    first_byte = HistogramMetricFamily(
        "canary_first_byte_seconds", "Until the first byte of the answer", labels=_PLACE
    )
    for place, window in counted.items():
        counts = counts_of(window)
        for class_, count in counts.statuses.items():
            requests.add_metric((*place, class_), count)
        for status, count in counts.grpc.items():
            grpc.add_metric((*place, status), count)
        failures.add_metric(place, counts.failures)
        for field, family in events.items():
            family.add_metric(place, getattr(counts, field))
        for histogram, measured in ((duration, window.time), (first_byte, window.first_byte)):
            if any(measured.counts):
                histogram.add_metric(place, _buckets(measured), measured.total / 1000)
    yield from (requests, grpc, failures, *events.values())
    yield from (duration, first_byte)


def _buckets(measured: Histogram) -> list[tuple[str, float]]:
    """Cumulative counts by upper bound, in seconds."""
    found: list[tuple[str, float]] = []
    seen = 0
    for place, bound in enumerate(BOUNDS):
        seen += max(0, measured.counts[place])
        if place % _EVERY == 0:
            found.append((f"{bound / 1000:g}", seen))
    return [*found, ("+Inf", seen + max(0, measured.counts[-1]))]


def _names(version: VersionNow) -> tuple[str, str, str]:
    return version.deployment, version.label, version.build
