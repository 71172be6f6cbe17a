"""What gRPC's own clients can't do is refused where a proxyless gateway would have to promise it."""

import pytest

from xds.spec.endpoints import Endpoint
from xds.spec.gateway import Gateway, Listen
from xds.spec.gateways import read_gateways
from xds.spec.proxyless import unresolved, unsupported
from xds.spec.read import Document, read

EDGE = Gateway(name="edge", listeners=(Listen(port=10000),))
MESH = Gateway(name="mesh", mode="proxyless")

BEYOND = {
    "version selector": (
        "canary: {version_selector: {header: X-Version}}",
        "canary.version_selector: gRPC's clients choose no version themselves",
        "leave version_selector out",
    ),
    "affinity": (
        "canary: {session_affinity: {}}",
        "canary.session_affinity: gRPC's clients keep no cookies",
        "leave session_affinity out",
    ),
    "mirror": (
        "canary: {mirror: {version: main}}",
        "canary.mirror: gRPC's clients send no copies",
        "leave mirror out",
    ),
    "models": (
        "match: {model: llama}",
        "match: gRPC's clients don't look into what they send",
        "leave match out",
    ),
    "rules": (
        "rules: [{match: {path: /a}, version: main}]",
        "rules: gRPC's clients are all split alike",
        "leave rules out",
    ),
    "sticky split": (
        "canary: {route_type: header, route_by: X-User}",
        "canary.route_type: gRPC's clients only split at random",
        "write route_type: random",
    ),
    "wildcard host": (
        "hosts: ['*.example.com']",
        "hosts[0]: gRPC's clients ask for hosts by name, never for '*.example.com'",
        "list the names",
    ),
    "long path": (
        "path_prefix: /a/b/c",
        "path_prefix: no gRPC call goes below /a/b/c",
        "write /package.Service or /package.Service/Method",
    ),
    "HTTP/1.1": (
        "protocol: http1",
        "protocol: gRPC's clients don't speak HTTP/1.1",
        "write protocol: grpc",
    ),
    "TLS": (
        "tls: {}",
        "tls: gRPC's clients take their credentials from the program they are in",
        "leave tls out",
    ),
    "headers": (
        "headers: {request: {set: {X-A: b}}}",
        "headers: gRPC's clients don't edit headers",
        "leave headers out",
    ),
    "a version's TLS": (
        "canary: {versions: {a: {tls: {}}}}",
        "canary.versions.a.tls: gRPC's clients take their credentials from the program they are in",
        "leave tls out",
    ),
    "raw Envoy": (
        "envoy: {route: {decorator: {operation: a}}}",
        "envoy: it patches what Envoys are sent, not gRPC's clients",
        "leave envoy out",
    ),
}

TUNING = """
health_check: {}
outlier_detection: {}
circuit_breakers: {max_connections: 1}
slow_start: {}
connect_timeout: 1s
idle_timeout: 1s
retry: {attempts: 3}
load_balancing: {policy: least_request}
protocol: grpc
"""


def document(text: str) -> Document:
    """One deployment of a file `s.yaml`."""
    reading = read([("s.yaml", f"name: s\n{text}\n")])
    assert not reading.faults
    return reading.documents[0]


def faults(text: str, *gateways: Gateway) -> list[str]:
    """What is wrong with a deployment on these gateways."""
    deployment = document(text).deployment
    assert deployment is not None
    return [str(fault) for fault in unsupported(deployment, gateways, "s.yaml", 1)]


@pytest.mark.parametrize("case", BEYOND)
def test_what_they_cannot_do_is_refused(case: str) -> None:
    """Each with its key, the gateway, and what to write instead."""
    text, message, mend = BEYOND[case]
    assert faults(text, MESH) == [f"s.yaml:1: {message}, and gateway mesh is for these ({mend})"]


def test_the_mend_lists_the_gateways_that_can() -> None:
    """A deployment that names no gateways is on all of them, which is easily overlooked."""
    (fault,) = faults("tls: {}", EDGE, MESH)
    assert fault.endswith("(write gateways: [edge])")


@pytest.mark.parametrize("case", BEYOND)
def test_other_gateways_refuse_nothing(case: str) -> None:
    """A deployment that lists the gateways of Envoys may have all of it."""
    assert faults(f"gateways: [edge]\n{BEYOND[case][0]}", EDGE, MESH) == []


def test_tuning_for_envoys_is_no_fault() -> None:
    """What changes nothing for a gRPC client is left out for it, so one file serves both."""
    assert faults(TUNING, EDGE, MESH) == []


def test_names_as_endpoints_are_refused() -> None:
    """GRPC's clients are given addresses; the fault says which build has a name."""
    deployment = document("").deployment
    assert deployment is not None
    places = (Endpoint(address="models.internal", port=80),)
    (fault,) = unresolved(deployment, [MESH], {"s@main": places})
    assert fault.message.startswith("s@main is reached by name (models.internal:80)")


def test_a_proxyless_gateway_says_nothing_to_envoys() -> None:
    """Listeners, raw Envoy configuration and defaults that no client follows are faults of the gateway."""
    said = {
        "name": "mesh",
        "mode": "proxyless",
        "listeners": [{"port": 10000}],
        "patches": {"listener": {"enable_mptcp": True}},
        "defaults": {"tls": {}},
    }
    _, found = read_gateways([said], "canary.yaml")
    assert [(fault.path, fault.mend) for fault in found] == [
        ("gateways[0].defaults.tls", "leave tls out"),
        ("gateways[0].listeners", "leave listeners out"),
        ("gateways[0].patches", "leave patches out"),
    ]
