"""What a level doesn't say it inherits."""

import pytest

from xds.spec.gateway import Gateway
from xds.spec.read import Document, read
from xds.spec.upstream import (
    CircuitBreakers,
    HeaderEdits,
    Headers,
    HealthCheck,
    UpstreamSettings,
)
from xds.translate.settings import MANY, OURS, cluster_settings, route_settings
from xds.translate.settings_check import faults_of_settings

NOTHING = UpstreamSettings()


def edits(**said: dict[str, str] | tuple[str, ...]) -> UpstreamSettings:
    """A level that edits requests."""
    return UpstreamSettings(headers=Headers(request=HeaderEdits.model_validate(said)))


def request_edits(*levels: UpstreamSettings) -> HeaderEdits:
    """What becomes of requests."""
    headers = cluster_settings(*levels).headers
    assert headers is not None
    return headers.request


def test_who_says_nothing_gets_ours() -> None:
    """Of clusters and of routes alike."""
    assert cluster_settings(NOTHING) == OURS
    assert route_settings(NOTHING) == OURS


def test_bounds_are_inherited_one_by_one() -> None:
    """A version that lowers one is not left to Envoy's own for the others."""
    version = UpstreamSettings(circuit_breakers=CircuitBreakers(max_requests=20))
    gateway = UpstreamSettings(circuit_breakers=CircuitBreakers(max_requests=5, max_connections=100))

    assert cluster_settings(version, NOTHING, gateway).circuit_breakers == CircuitBreakers(
        max_requests=20, max_connections=100, max_pending_requests=MANY, max_retries=64
    )


def test_other_blocks_are_inherited_whole() -> None:
    """Parts of two checks make none."""
    version = UpstreamSettings(health_check=HealthCheck(type="tcp"))
    deployment = UpstreamSettings(health_check=HealthCheck(interval=60))

    assert cluster_settings(version, deployment).health_check == HealthCheck(type="tcp")


def test_a_gateways_removal_holds() -> None:
    """Edits of other headers take nothing from it."""
    version, gateway = edits(set={"X-A": "1"}), edits(remove=("X-Internal",))

    assert request_edits(version, NOTHING, gateway) == HeaderEdits(set={"X-A": "1"}, remove=("X-Internal",))


@pytest.mark.parametrize("strong", [edits(set={"x-tier": "high"}), edits(remove=("x-tier",))])
@pytest.mark.parametrize("weak", [edits(set={"X-Tier": "low"}), edits(remove=("X-Tier",))])
def test_the_stronger_level_decides_about_a_header(strong: UpstreamSettings, weak: UpstreamSettings) -> None:
    """By name, whatever its case, and whatever the weaker would do."""
    assert request_edits(strong, weak) == request_edits(strong)


def test_answers_are_edited_apart_from_requests() -> None:
    """The same name on the way back is another header."""
    version = UpstreamSettings(headers=Headers(response=HeaderEdits(set={"X-A": "1"})))

    assert request_edits(version, edits(remove=("X-A",))).remove == ("X-A",)


def test_merged_headers_are_in_one_order() -> None:
    """Equal settings become equal bytes, whichever level said them."""
    split = request_edits(edits(set={"X-B": "2"}), edits(set={"X-A": "1", "X-C": "3"}))

    assert list(split.set) == ["X-A", "X-B", "X-C"]


def document(text: str) -> Document:
    """A deployment file without faults of its own."""
    reading = read([("a.yaml", f"name: a\n{text}")])
    assert not reading.faults
    return reading.documents[0]


GRPC_CHECKS = HealthCheck(type="grpc")
PLAIN = Gateway(name="plain")
SPEAKING = Gateway(name="speaking", defaults=UpstreamSettings(protocol="grpc"))
CHECKING = Gateway(name="checking", defaults=UpstreamSettings(health_check=GRPC_CHECKS))
CLIENTS = Gateway(name="clients", mode="proxyless")


@pytest.mark.parametrize(
    ("text", "gateway", "place"),
    [
        ("health_check: {type: grpc}\n", PLAIN, "a.yaml:1: protocol"),
        ("health_check: {type: grpc}\nprotocol: http1\n", SPEAKING, "a.yaml:3: protocol"),
        ("timeout: 1s\n", CHECKING, "a.yaml:1: protocol"),
        (
            "protocol: grpc\ncanary:\n  versions:\n    v:\n      protocol: http1\n",
            CHECKING,
            "a.yaml:6: canary.versions.v.protocol",
        ),
        (
            "canary:\n  versions:\n    v: {health_check: {type: grpc}}\n",
            PLAIN,
            "a.yaml:4: canary.versions.v.protocol",
        ),
    ],
)
def test_grpc_checks_over_http1_are_a_fault(text: str, gateway: Gateway, place: str) -> None:
    """Judged as inherited: once, where the protocol is to be said, with the mend."""
    (fault,) = faults_of_settings(document(text), [gateway])

    assert str(fault).startswith(f"{place}: ")
    assert fault.mend == "write protocol: grpc"


@pytest.mark.parametrize(
    ("text", "gateway"),
    [
        ("health_check: {type: grpc}\n", SPEAKING),
        ("health_check: {type: grpc}\nprotocol: http2\n", PLAIN),
        ("protocol: grpc\n", CHECKING),
        ("health_check: {type: grpc}\n", CLIENTS),
        ("health_check: {type: grpc}\ngateways: [speaking]\n", PLAIN),
        ("health_check: {type: tcp}\n", PLAIN),
    ],
)
def test_grpc_checks_are_fine_otherwise(text: str, gateway: Gateway) -> None:
    """Over HTTP/2, and where the deployment is not served, or not by Envoys."""
    assert not list(faults_of_settings(document(text), [gateway]))
