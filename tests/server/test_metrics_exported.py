"""/metrics, read with Prometheus's own parser; and every expression we ship against what it has."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
import yaml
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.support import files
from tests.support.delta import CLUSTER, DeltaClient
from tests.support.metric_reports import Reports, Said
from tests.support.serving import Serving, serving
from xds.control.terms import Terms
from xds.server import metrics
from xds.server.http import http_server
from xds.spec.gateway import Gateway, Listen

CHAT = files.documents(
    files.deployment("chat", main="m1", canary=files.split(a=("m2", 10), b=("m3", 5))),
    files.endpoints(m1="127.0.0.1:3001", m2="127.0.0.1:3002"),
)
BUSY: Said = {
    "2xx": 90,
    "5xx": 10,
    "grpc 14": 3,
    "timeouts": 1,
    "mirrored": 2,
    "ms": [1.1] * 50 + [180] * 49 + [3_600_000],
    "first_ms": [50],
    "active": 3,
}
GRAFANA = Path(__file__).parents[2] / "envoy" / "grafana"
Found = dict[str, Metric]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Serving]:
    """An Envoy in sync that reports; a version without endpoints; a change on its way and back."""
    async with serving(tmp_path, Gateway(name="default", listeners=(Listen(port=10000),))) as running:
        plane = running.plane
        await plane.deployments.apply_texts([("chat.yaml", CHAT)], Terms("test"))
        plane.publisher.publish()
        async with DeltaClient(running.xds, node_id="e1") as envoy:
            await envoy.subscribe(CLUSTER)
            await envoy.ack(await envoy.receive())
            more = CHAT.replace("m2", "m4")
            await plane.deployments.apply_texts([("chat.yaml", more)], Terms("test"))
            plane.publisher.publish()
            await envoy.ack(await envoy.receive())
            Reports(plane.telemetry).report(chat_m1=BUSY, chat_m4={"2xx": 7}, chat_m2={"2xx": 1})
            plane.endpoints.failed("http_sd: http://x", "no answer")
            yield running


async def scrape(running: Serving) -> Found:
    """What Prometheus reads, by family."""
    runner, address = await http_server("127.0.0.1:0", running.registry, lambda: True)
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://{address}/metrics") as answer:
            text = await answer.text()
    finally:
        await runner.cleanup()
    return {family.name: family for family in text_string_to_metric_families(text)}


def values(found: Found, family: str, *labels: str) -> dict[tuple[str, ...], float]:
    """Of a family: by the values of some labels."""
    return {
        tuple(sample.labels[label] for label in labels): sample.value
        for sample in found[family].samples
        if not sample.name.endswith("_created")
    }


async def test_versions(served: Serving) -> None:
    """Requests by class and gateway, latencies, requests in flight, weights."""
    found = await scrape(served)

    place = ("deployment", "version", "build", "gateway")
    assert values(found, "canary_requests", *place, "class") == {
        ("chat", "main", "model:m1", "default", "2xx"): 90,
        ("chat", "main", "model:m1", "default", "5xx"): 10,
        ("chat", "a", "model:m4", "default", "2xx"): 7,
    }
    assert values(found, "canary_request_failures", "version") == {("main",): 13, ("a",): 0}
    assert values(found, "canary_in_flight", "version")["main",] == 3
    assert values(found, "canary_version_weight", "version", "kind") == {
        ("main", "asked"): 85,
        ("main", "effective"): 90,
        ("a", "asked"): 10,
        ("a", "effective"): 10,
        ("b", "asked"): 5,
        ("b", "effective"): 0,
    }
    assert values(found, "canary_revision", "deployment") == {("chat",): 2}


async def test_histograms_are_cumulative_and_whole(served: Serving) -> None:
    """The last bucket is the count; the sum is in seconds."""
    found = await scrape(served)

    samples = [
        sample
        for sample in found["canary_request_duration_seconds"].samples
        if sample.labels.get("version") == "main"
    ]
    buckets = {float(each.labels["le"]): each.value for each in samples if each.name.endswith("_bucket")}
    assert list(buckets) == sorted(buckets)
    assert list(buckets.values()) == sorted(buckets.values())
    assert (buckets[0.001], buckets[0.0022], buckets[0.22], buckets[float("inf")]) == (0, 50, 99, 100)
    (count,) = (each.value for each in samples if each.name.endswith("_count"))
    (total,) = (each.value for each in samples if each.name.endswith("_sum"))
    assert count == 100
    assert total == pytest.approx(3608.875)


async def test_counters_go_on_through_a_promotion(served: Serving) -> None:
    """The build keeps its count under its new label, and the label's old series ends."""
    await served.plane.deployments.promote("chat", "a", Terms("test", force=True))

    found = await scrape(served)

    assert values(found, "canary_requests", "version", "build", "class") == {("main", "model:m4", "2xx"): 7}


async def test_the_control_planes_own(served: Serving) -> None:
    """Envoys, answers and how long they took, pushes, telemetry, the process."""
    found = await scrape(served)

    assert values(found, "canary_envoys_in_sync", "gateway") == {("default",): 1}
    assert values(found, "canary_streams", "gateway") == {("default",): 1}
    assert values(found, "canary_telemetry_messages") == {(): 1}
    assert values(found, "canary_telemetry_envoys", "gateway") == {("default",): 1}
    counts = {
        name: [s.value for s in found[name].samples if s.name.endswith("_count")]
        for name in ("canary_convergence_seconds", "canary_push_seconds", "canary_answer_seconds")
    }
    assert counts["canary_convergence_seconds"] == [1]
    assert counts["canary_push_seconds"] == [2]
    assert sum(counts["canary_answer_seconds"]) == 2
    assert {"process_cpu_seconds", "process_resident_memory_bytes", "canary_build_info"} <= found.keys()


async def test_an_envoy_that_refuses_something_is_not_in_sync(served: Serving) -> None:
    """As in the listings."""
    async with DeltaClient(served.xds, node_id="e2") as envoy:
        await envoy.subscribe(CLUSTER)
        await envoy.nack(await envoy.receive(), "no such file")
        await envoy.receive()

        found = await scrape(served)

    assert values(found, "canary_envoys", "gateway") == {("default",): 2}
    assert values(found, "canary_envoys_in_sync", "gateway") == {("default",): 1}


async def test_what_is_beyond_the_most_is_left_out_and_counted(served: Serving) -> None:
    """However many there are, a scrape stays as large as it is."""
    more = files.documents(*(files.deployment(f"d{number}", main=f"x{number}") for number in range(9)))
    await served.plane.deployments.apply_texts([("more.yaml", more)], Terms("test"))
    small = metrics.registry(served.plane, served.admission, most_versions=5)

    found = {family.name: family for family in small.collect()}

    assert values(found, "canary_revision", "deployment").keys() == {("chat",), ("d0",), ("d1",)}
    assert values(found, "canary_versions_left_out") == {(): 7}


# --- what is shipped ---

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_SELECTOR = re.compile(r"\b([a-zA-Z_:][\w:]*)\s*\{([^}]*)\}|\b(canary_\w+|process_\w+|up)\b")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_LABEL = re.compile(r"([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)")
OURS = {"job", "instance"}
"""Labels that Prometheus adds."""


def expressions() -> Iterator[tuple[str, str]]:
    """Where each stands, and what it is; with Grafana's variables filled in."""
    for file in sorted(GRAFANA.glob("*.json")):
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
            for target in panel.get("targets", ()):
                yield f"{file.name}: {panel['title']}", _filled(target["expr"])
        for variable in json.loads(file.read_text(encoding="utf-8"))["templating"]["list"]:
            if variable["type"] == "query":
                yield f"{file.name}: ${variable['name']}", _filled(_of_variable(variable["definition"]))
    for file in sorted(GRAFANA.glob("*.yaml")):
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]:
            for rule in group["rules"]:
                yield f"{file.name}: {rule.get('alert') or rule['record']}", rule["expr"]


def _filled(expression: str) -> str:
    return re.sub(r"\$\{?(\w+)\}?", lambda found: "5m" if "interval" in found[1] else ".*", expression)


def _of_variable(definition: str) -> str:
    """`label_values(canary_revision{...}, deployment)` as an expression that names the label."""
    inside = definition.removeprefix("label_values(").removesuffix(")")
    metric, _, label = inside.rpartition(",")
    return f"sum by ({label.strip()}) ({metric.strip()})"


def known(found: Found) -> dict[str, set[str]]:
    """By the name of a sample: its labels."""
    labels: dict[str, set[str]] = {}
    for family in found.values():
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    return labels


EXPRESSIONS = dict(expressions())


def test_something_is_shipped() -> None:
    """A dashboard, and alerts for versions and for the control plane."""
    assert len(EXPRESSIONS) > 30


async def test_every_expression_matches_what_is_exported(served: Serving) -> None:
    """Each metric it names is there, with each label it names."""
    exported = known(await scrape(served))
    wrong = []
    for where, expression in EXPRESSIONS.items():
        named: set[str] = set()
        for metric, inside, plain in _SELECTOR.findall(_STRING.sub('""', expression)):
            name = metric or plain
            named.add(name)
            if name != "up" and name not in exported:
                wrong.append((where, name, "is not exported"))
            lacks = set(_LABEL.findall(inside)) - exported.get(name, set()) - OURS
            wrong += [(where, name, f"has no label {label}") for label in lacks]
        there_are = OURS.union(*(exported.get(name, set()) for name in named))
        for group in _GROUPING.findall(expression):
            lacks = {label.strip() for label in group.split(",") if label.strip()} - there_are
            wrong += [(where, expression, f"no label {label}") for label in lacks]
        if not named:
            wrong.append((where, expression, "names no metric"))
    assert wrong == []


def test_every_alert_says_what_to_do() -> None:
    """A severity, a summary, a description."""
    for file in GRAFANA.glob("*.yaml"):
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]:
            for rule in group["rules"]:
                assert rule["labels"]["severity"] in {"critical", "warning"}, rule
                assert {"summary", "description"} <= rule["annotations"].keys(), rule
                assert "`canary " in rule["annotations"]["description"], rule
