"""OpenTelemetry: a change as a trace, and the metrics; and nothing of it where nobody asked."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.support import files
from tests.support.delta import CLUSTER, DeltaClient
from tests.support.metric_reports import Reports
from tests.support.ports import LOOPBACK
from tests.support.serving import Serving, serving
from tests.support.waiting import eventually
from xds.control.journeys import Journey
from xds.control.terms import Terms
from xds.server.telemetry_out import MetricBridge, exporting, providing
from xds.spec.gateway import Gateway, Listen

CHAT = files.documents(files.deployment("chat", main="m1"), files.endpoints(m1="127.0.0.1:3001"))


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Serving]:
    """Nothing is deployed."""
    async with serving(tmp_path, Gateway(name="default", listeners=(Listen(port=10000),))) as running:
        yield running


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """What was exported."""
    return InMemorySpanExporter()


@pytest.fixture
def reader() -> InMemoryMetricReader:
    """Reads metrics when it is asked to."""
    return InMemoryMetricReader()


@pytest.fixture
def bridge(
    served: Serving, spans: InMemorySpanExporter, reader: InMemoryMetricReader
) -> Iterator[MetricBridge]:
    """A server that exports."""
    journeys = served.plane.publisher.journeys
    with providing(SimpleSpanProcessor(spans), reader, journeys, served.registry) as made:
        yield made
    assert not [tell for tell in journeys.arrived if "Tracer" in repr(tell)]


async def deploy(served: Serving) -> None:
    """A change that reaches an Envoy."""
    arrived: list[Journey] = []
    served.plane.publisher.journeys.arrived.append(arrived.append)

    async def over() -> bool:
        return bool(arrived)

    async with DeltaClient(served.xds, node_id="e1") as envoy:
        await envoy.subscribe(CLUSTER)
        await envoy.ack(await envoy.receive())
        await served.plane.deployments.apply_texts([("chat.yaml", CHAT)], Terms("ada"))
        served.plane.publisher.publish()
        await envoy.ack(await envoy.receive())
        await eventually(over, "the change has arrived")


def nested(found: tuple[ReadableSpan, ...]) -> tuple[ReadableSpan, dict[str, ReadableSpan]]:
    """The whole, and its parts by name."""
    (whole,) = (span for span in found if span.parent is None)
    parts = {span.name: span for span in found if span is not whole}
    assert {span.parent.span_id for span in parts.values() if span.parent} == {whole.context.span_id}
    return whole, parts


@pytest.mark.usefixtures("bridge")
async def test_a_change_is_a_trace(served: Serving, spans: InMemorySpanExporter) -> None:
    """From the call to the last acknowledgement, each part after the one before."""
    await deploy(served)

    whole, parts = nested(spans.get_finished_spans())

    assert whole.name == "canary apply"
    assert whole.attributes is not None
    assert whole.attributes["canary.subjects"] == ("chat", "model:m1")
    assert whole.attributes["canary.author"] == "ada"
    assert whole.attributes["canary.streams"] == 1
    order = [parts[name] for name in ("decide", "commit", "push", "acknowledge")]
    moments = [moment for part in order for moment in (part.start_time or 0, part.end_time or 0)]
    assert moments == sorted(moments)
    assert (whole.start_time or 0) <= moments[0]
    assert whole.end_time == moments[-1]
    events = {event.name: event.timestamp for event in parts["acknowledge"].events}
    assert moments[-2] <= events["first acknowledgement"] <= events["last acknowledgement"] <= moments[-1]


async def test_metrics_are_those_of_prometheus(
    served: Serving, bridge: MetricBridge, reader: InMemoryMetricReader
) -> None:
    """By the same names and labels, as they were when they were read."""
    await deploy(served)
    Reports(served.plane.telemetry).report(chat_m1={"2xx": 9, "ms": [5]})
    bridge.read()
    bridge.read()

    data = reader.get_metrics_data()

    assert data is not None
    found = {
        metric.name: [point for point in metric.data.data_points if isinstance(point, NumberDataPoint)]
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    (requests,) = found["canary_requests_total"]
    assert dict(requests.attributes or {}) == {
        "deployment": "chat",
        "version": "main",
        "build": "model:m1",
        "gateway": "default",
        "class": "2xx",
    }
    assert requests.value == 9
    assert {
        "canary_request_duration_seconds_bucket",
        "canary_envoys",
        "process_cpu_seconds_total",
    } <= found.keys()
    assert not [name for name in found if name.endswith("_created")]


async def test_a_collector_is_sent_both(served: Serving) -> None:
    """Over HTTP, at the latest when the server ends."""
    asked: list[str] = []

    async def take(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response()

    app = web.Application()
    app.router.add_post("/{tail:.*}", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    url = f"http://{LOOPBACK}:{runner.addresses[0][1]}/"
    journeys = served.plane.publisher.journeys
    context = exporting(url, journeys, served.registry)
    bridge = context.__enter__()
    bridge.read()
    await deploy(served)
    await asyncio.to_thread(context.__exit__, None, None, None)  # as it waits for this loop's server
    await runner.cleanup()

    assert set(asked) == {"/v1/traces", "/v1/metrics"}


def test_it_costs_nothing_where_nobody_asked() -> None:
    """The server is imported without it."""
    code = "import sys, xds.server.run; print([m for m in sys.modules if m.startswith('opentelemetry')])"

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert [line for line in said.stdout.splitlines() if "stubs" not in line] == ["[]"]
