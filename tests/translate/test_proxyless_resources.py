"""What gRPC's own clients are sent: all that they act on, and nothing that they refuse."""

import pytest

from xds.revisions import decide
from xds.revisions.record import Note
from xds.spec.endpoints import Endpoint
from xds.spec.gateway import Gateway
from xds.spec.read import read
from xds.stubs import envoy_config_cluster_v3_pb2 as cluster_v3
from xds.translate.hosts import Section
from xds.translate.proxyless import cluster, endpoints, routes, split
from xds.translate.view import View

MESH = Gateway(name="mesh", mode="proxyless")


def view(text: str = "", *places: Endpoint, weight: float = 30) -> View:
    """A deployment `s` of two versions, `main` at these places."""
    canary = f"canary: {{versions: {{a: {{weight: {weight}}}}}}}"
    reading = read([("s.yaml", f"name: s\n{canary}\n{text}\n")])
    assert not reading.faults
    deployment = reading.documents[0].deployment
    assert deployment is not None
    revision = decide.apply(deployment, None, {}, Note("test", 0.0))
    assert revision is not None
    anywhere = (Endpoint(address="10.0.0.1", port=80),)
    return View(MESH, revision, {"s@main": places or anywhere, "s@a": anywhere})


def test_each_build_is_listed_once() -> None:
    """Slots moved to and fro leave segments; without a hash only their sums count, out of 10,000."""
    before = view()
    revision = before.revision
    for weights in ({"a": 10.0}, {"a": 50.0}, {"a": 20.0}, {"a": 45.0}):
        revision = decide.set_weights(revision, weights, Note("test", 0.0)) or revision
    entries = split(View(MESH, revision, before.endpoints)).route.weighted_clusters
    assert {entry.name: entry.weight.value for entry in entries.clusters} == {"s_main": 5500, "s_a": 4500}
    assert len(entries.clusters) == 2


def test_the_split_hashes_nothing() -> None:
    """GRPC has no such field, and a peer that had it would do something else."""
    assert not split(view()).route.weighted_clusters.HasField("use_hash_policy")


@pytest.mark.parametrize(
    ("prefix", "specifier", "value"),
    [
        ("/", "prefix", "/"),
        ("/package.Service", "prefix", "/package.Service/"),
        ("/package.Service/Method", "path", "/package.Service/Method"),
    ],
)
def test_paths_are_matched_in_ways_grpc_knows(prefix: str, specifier: str, value: str) -> None:
    """It refuses `path_separated_prefix`, and ignores prefixes of more than a service."""
    match = split(view(f"path_prefix: {prefix}")).match
    assert match.WhichOneof("path_specifier") == specifier
    assert getattr(match, specifier) == value


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0),
        ("timeout: 30s", 30),
        ("max_stream_duration: 20s", 20),
        ("timeout: 30s\nmax_stream_duration: 20s", 20),
        ("timeout: 0\nmax_stream_duration: 20s", 20),
    ],
)
def test_a_call_takes_no_longer_than_it_may(text: str, seconds: int) -> None:
    """GRPC knows one limit: the shorter of those that were set."""
    assert split(view(text)).route.max_stream_duration.max_stream_duration.seconds == seconds


def test_a_host_answers_to_any_authority() -> None:
    """The listener was asked for by name already; the authority may have a port, or be overridden."""
    (answering,) = routes("s", [Section("s", "/", (split(view()),))]).virtual_hosts
    assert list(answering.domains) == ["*"]


@pytest.mark.parametrize(
    ("policy", "sent"),
    [
        ("least_request", cluster_v3.Cluster.ROUND_ROBIN),
        ("round_robin", cluster_v3.Cluster.ROUND_ROBIN),
        ("ring_hash, header: X-Session", cluster_v3.Cluster.RING_HASH),
    ],
)
def test_balancing_is_one_that_every_client_has(policy: str, sent: int) -> None:
    """The C core refuses clusters with least-request."""
    made = view(f"load_balancing: {{policy: {policy}}}")
    assert cluster(made, made.builds()[0]).lb_policy == sent


def test_ring_hash_has_its_header() -> None:
    """The route says what a ring is entered by."""
    made = split(view("load_balancing: {policy: ring_hash, header: X-Session}"))
    assert [policy.header.header_name for policy in made.route.hash_policy] == ["X-Session"]


def test_every_zone_weighs_what_is_in_it() -> None:
    """A zone without a weight gets no calls, and one without a locality is refused."""
    made = view(
        "",
        Endpoint(address="10.0.0.1", port=80, weight=3),
        Endpoint(address="10.0.0.2", port=80),
        Endpoint(address="10.0.1.1", port=80, zone="b", weight=2),
    )
    zones = endpoints(made.builds()[0]).endpoints
    assert [(zone.locality.zone, zone.load_balancing_weight.value) for zone in zones] == [("", 4), ("b", 2)]
    assert all(zone.HasField("locality") for zone in zones)
