"""What this server measures, and each change on its way, to an OpenTelemetry collector (OTLP over HTTP).

Imported only where it is asked for: it needs the extra `otel`, and takes a third of a second.

A change is a trace: `decide`, `commit`, `push` (its window and the translation) and `acknowledge`, with an
event for the first Envoy's answer, under one span from the call to the last Envoy's. It is written when
it has ended, out of the moments that were noted: nothing on the way waits for it.

Metrics are those of /metrics, by the same names; a histogram's buckets are counters. They are read in the
event loop, where nothing changes meanwhile, and written and sent by threads.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, Tracer, set_span_in_context
from prometheus_client import CollectorRegistry
from prometheus_client.samples import Sample

from xds import __version__
from xds.control.journeys import Commit, Journey, Journeys
from xds.server.metrics import Metrics

INTERVAL = 15.0
"""Seconds between two exports of metrics."""

_PATIENCE = 2.0
"""Seconds for an export; a collector that is away doesn't hold up the end of the server."""

_GROWS = ("counter", "histogram")
"""Types of which every sample is a number that only grows."""


@contextmanager
def exporting(endpoint: str, journeys: Journeys, registry: Metrics) -> Iterator["MetricBridge"]:
    """Export to a collector; `run` of what this gives is to go on meanwhile.

    Args:
        endpoint: `http://collector:4318`.
        journeys: of changes.
        registry: of metrics.
    """
    base = endpoint.rstrip("/")
    reader = PeriodicExportingMetricReader(
        OTLPMetricExporter(f"{base}/v1/metrics", timeout=_PATIENCE), export_interval_millis=INTERVAL * 1000
    )
    spans = BatchSpanProcessor(OTLPSpanExporter(f"{base}/v1/traces", timeout=_PATIENCE))
    with providing(spans, reader, journeys, registry) as bridge:
        yield bridge


@contextmanager
def providing(
    spans: SpanProcessor, reader: MetricReader, journeys: Journeys, registry: Metrics
) -> Iterator["MetricBridge"]:
    """The same, wherever it goes."""
    resource = Resource.create({"service.name": "canary", "service.version": __version__})
    tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
    tracers.add_span_processor(spans)
    meters = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
    tracer = ChangeTracer(tracers.get_tracer("canary", __version__))
    journeys.arrived.append(tracer.arrived)
    try:
        yield MetricBridge(meters.get_meter("canary", __version__), registry)
    finally:
        journeys.arrived.remove(tracer.arrived)
        tracers.shutdown()
        meters.shutdown()


class ChangeTracer:
    """Writes down each change that has reached the Envoys."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def arrived(self, journey: Journey) -> None:
        """A push was answered by everybody."""
        for commit in journey.commits:
            self._write(commit, journey)

    def _write(self, commit: Commit, journey: Journey) -> None:
        whole = self._tracer.start_span(
            f"canary {commit.verb}",
            start_time=_nanoseconds(commit.asked or commit.decided),
            attributes={
                "canary.verb": commit.verb,
                "canary.subjects": commit.subjects,
                "canary.outcome": commit.outcome,
                "canary.author": commit.author,
                "canary.push": journey.number,
                "canary.streams": journey.streams,
            },
        )
        self._part(whole, "decide", commit.begun or commit.decided, commit.decided)
        self._part(whole, "commit", commit.decided, commit.committed)
        push = self._part(whole, "push", commit.committed, journey.pushed, ended=False)
        push.add_event("translating", timestamp=_nanoseconds(journey.begun))
        push.end(_nanoseconds(journey.pushed))
        acknowledge = self._part(whole, "acknowledge", journey.pushed, journey.last, ended=False)
        if journey.first is not None:
            acknowledge.add_event("first acknowledgement", timestamp=_nanoseconds(journey.first))
            acknowledge.add_event("last acknowledgement", timestamp=_nanoseconds(journey.last))
        acknowledge.end(_nanoseconds(journey.last))
        whole.end(_nanoseconds(journey.last))

    def _part(self, whole: Span, name: str, begin: float, end: float, *, ended: bool = True) -> Span:
        part = self._tracer.start_span(
            name, context=set_span_in_context(whole), start_time=_nanoseconds(begin)
        )
        if ended:
            part.end(_nanoseconds(end))
        return part


class MetricBridge:
    """What a registry had when it was read last, as instruments."""

    def __init__(self, meter: Meter, registry: Metrics) -> None:
        self._meter = meter
        self._registry = registry
        self._known: set[str] = set()
        self._samples: dict[str, list[Sample]] = {}

    async def run(self) -> None:
        """Read it again and again, until cancelled."""
        while True:
            await asyncio.to_thread(self._take, self._registry.read())
            await asyncio.sleep(INTERVAL)

    def read(self) -> None:
        """Read all there is now."""
        self._take(self._registry.read())

    def _take(self, found: CollectorRegistry) -> None:
        samples: defaultdict[str, list[Sample]] = defaultdict(list)
        for family in found.collect():
            for sample in family.samples:
                if not sample.name.endswith("_created"):
                    samples[sample.name].append(sample)
                    if sample.name not in self._known:
                        self._add(sample.name, family.documentation, grows=family.type in _GROWS)
        self._samples = samples

    def _add(self, name: str, text: str, *, grows: bool) -> None:
        self._known.add(name)

        def observe(_: CallbackOptions) -> Iterable[Observation]:
            return [Observation(each.value, each.labels) for each in self._samples.get(name, ())]

        make = self._meter.create_observable_counter if grows else self._meter.create_observable_gauge
        make(name, callbacks=[observe], description=text)


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)
