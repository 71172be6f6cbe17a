"""A server's gateways are read as carefully as deployment files."""

import pytest

from xds.spec.findings import Path
from xds.spec.gateway import Gateway, Listen, NodeMatch
from xds.spec.gateways import read_gateways
from xds.spec.upstream import UpstreamSettings

BAD: dict[str, tuple[object, list[str]]] = {
    "no list": (
        {"name": "edge"},
        [": a mapping is no list (write gateways: [{name: ..., listeners: [...]}])"],
    ),
    "no mapping": (["edge"], ["[0]: 'edge' is no mapping (write {name: ..., listeners: [...]})"]),
    "no name": ([{"listeners": []}], ["[0].name: is missing"]),
    "odd name": (
        [{"name": "Edge_EU"}],
        ["[0].name: 'Edge_EU' may only have lower-case letters, digits and inner dashes (write edge-eu)"],
    ),
    "name twice": (
        [{"name": "edge"}, {"name": "edge"}],
        ["[1].name: edge is also the name of gateways[0] (rename one of them)"],
    ),
    "unknown key": (
        [{"name": "edge", "listener": []}],
        ["[0].listener: unknown key (did you mean listeners?)"],
    ),
    "mode": (
        [{"name": "edge", "mode": "scopes"}],
        ["[0].mode: 'scopes' is not table, scoped or proxyless (did you mean scoped?)"],
    ),
    "listeners": (
        [
            {
                "name": "edge",
                "listeners": [{"address": "localhost", "port": 0}, {"address": "eth0"}, {"port": True}],
            }
        ],
        [
            "[0].listeners[0].address: 'localhost' is no IP address (write 127.0.0.1)",
            "[0].listeners[0].port: 0 is not between 1 and 65535",
            "[0].listeners[1].address: 'eth0' is no IP address (write 0.0.0.0 for all interfaces)",
            "[0].listeners[1].port: is missing",
            "[0].listeners[2].port: true is no whole number (write a number from 1 to 65535)",
        ],
    ),
    "listener twice": (
        [{"name": "edge", "listeners": [{"port": 80}, {"address": "127.0.0.1", "port": "80"}]}],
        ["[0].listeners[1]: 127.0.0.1:80 is listed twice (keep one of them)"],
    ),
    "domain": (
        [{"name": "edge", "domain": "*.example.com"}],
        ["[0].domain: '*.example.com' has a wildcard (write the domain alone: example.com)"],
    ),
    "version header": (
        [{"name": "edge", "version_header": "x version"}],
        ["[0].version_header: 'x version' is no header name (use letters, digits and dashes: X-User-ID)"],
    ),
    "max_body": (
        [{"name": "edge", "max_body": "16MB"}, {"name": "inner", "max_body": "2GiB"}],
        [
            ("[0].max_body: '16MB' is no size (write bytes, or a whole number with KiB, MiB or GiB: 16MiB)"),
            "[1].max_body: '2GiB' is not between 1KiB and 1GiB",
        ],
    ),
    "nodes of everybody": (
        [{"name": "edge", "nodes": [{}]}],
        ['[0].nodes[0]: says nothing about the Envoys it means (write id: "*" for all of them)'],
    ),
    "nodes of another gateway": (
        [{"name": "edge"}, {"name": "inner", "nodes": [{"cluster": "inner"}, {"cluster": "edge"}]}],
        [
            (
                "[1].nodes[1]: chooses the same Envoys as gateway edge"
                " (an Envoy belongs to one gateway: change the nodes of one of them)"
            )
        ],
    ),
    "defaults": (
        [
            {
                "name": "edge",
                "defaults": {
                    "timeout": -1,
                    "hosts": [],
                    "tls": {"key_file": "/k"},
                    "load_balancing": {"policy": "ring_hash", "header": "X-User"},
                },
            }
        ],
        [
            "[0].defaults.hosts: unknown key",
            (
                "[0].defaults.load_balancing.policy: ring_hash depends on how a deployment is split"
                " (set it on the deployments)"
            ),
            "[0].defaults.timeout: -1 is no duration (write seconds, or a number with ms, s, m or h: 30s)",
            "[0].defaults.tls.key_file: has no cert_file to go with it (add cert_file)",
        ],
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_every_fault_is_said_exactly(kind: str) -> None:
    """All of them at once, with their paths and mends."""
    value, expected = BAD[kind]
    _, faults = read_gateways(value, "canary.yaml")
    assert [str(fault).removeprefix("canary.yaml: gateways") for fault in faults] == expected


def test_faults_have_lines_where_they_are_known() -> None:
    """Whoever parsed the file can say where things stand."""

    def line_of(path: Path) -> int:
        return 7 if path == ("gateways", 0, "name") else 0

    _, faults = read_gateways([{"name": "E"}], "canary.yaml", line_of)
    assert [(fault.file, fault.line) for fault in faults] == [("canary.yaml", 7)]


def test_a_gateway_with_everything() -> None:
    """Every key, in the forms people write."""
    value = [
        {
            "name": "edge",
            "mode": "table",
            "domain": "Example.com",
            "nodes": [{"cluster": "edge", "id": "edge-*", "metadata": {"zone": "a"}}],
            "listeners": [{"address": "0.0.0.0", "port": "10000"}],
            "version_header": None,
            "max_body": "64 MiB",
            "defaults": {"timeout": "30s", "protocol": "http2"},
        }
    ]
    assert read_gateways(value, "canary.yaml") == (
        (
            Gateway(
                name="edge",
                domain="example.com",
                nodes=(NodeMatch(cluster="edge", id="edge-*", metadata={"zone": "a"}),),
                listeners=(Listen(address="0.0.0.0", port=10000),),
                version_header=None,
                max_body=64 * 1024 * 1024,
                defaults=UpstreamSettings(timeout=30.0, protocol="http2"),
            ),
        ),
        (),
    )


def test_null_is_as_good_as_absent() -> None:
    """Keys without a value keep their defaults."""
    value = [{"name": "edge", "nodes": None, "listeners": [{"address": None, "port": 80}], "defaults": None}]
    assert read_gateways(value, "canary.yaml") == (
        (Gateway(name="edge", listeners=(Listen(port=80),)),),
        (),
    )


def test_a_faulty_gateway_does_not_take_others_along() -> None:
    """Those that are fine are given out."""
    gateways, faults = read_gateways([{"name": "edge", "mode": 1}, {"name": "inner"}], "canary.yaml")
    assert [gateway.name for gateway in gateways] == ["inner"]
    assert len(faults) == 1
