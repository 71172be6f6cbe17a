"""A promotion changes what is called what, and no cluster of anybody who gets requests."""

from hypothesis import given
from hypothesis import strategies as st

from tests.spec.deployments import cluster_settings as settings_of_clusters
from xds.revisions import decide
from xds.revisions.record import Note, Revision
from xds.spec.deployment import MAIN, Canary, Deployment, Version
from xds.spec.envoy import EnvoyPatches, EnvoyVersionPatches
from xds.spec.gateway import Gateway
from xds.spec.levels import cluster_said
from xds.spec.read import read
from xds.spec.upstream import UpstreamSettings
from xds.spec.write import to_yaml
from xds.translate.clusters import cluster
from xds.translate.routes import routes
from xds.translate.view import View

NOTE = Note("me", 1.0)
defaults = st.builds(UpstreamSettings, **settings_of_clusters)
CLUSTER_PATCHES = st.sampled_from(
    [None, {"upstream_connection_options": {"tcp_keepalive": {"keepalive_time": 30}}}, {"altStatName": "x"}]
)


settings = st.fixed_dictionaries({}, optional=settings_of_clusters)


@st.composite
def heads(draw: st.DrawFn) -> Revision:
    """A revision with canaries; labels may share builds."""
    tags = st.sampled_from([None, "s:1", "s:2", "s@main"])
    versions = {
        label: Version(
            bento=draw(tags),
            weight=draw(st.integers(0, 30)),
            min_endpoints=draw(st.none() | st.integers(1, 3)),
            envoy=EnvoyVersionPatches(cluster=draw(CLUSTER_PATCHES)),
            **draw(settings),
        )
        for label in "abc"[: draw(st.integers(1, 3))]
    }
    spec = Deployment(
        name="s",
        bento=draw(tags),
        min_endpoints=draw(st.integers(1, 3)),
        envoy=EnvoyPatches(cluster=draw(CLUSTER_PATCHES)),
        canary=Canary(versions=versions),
        **draw(settings),
    )
    revision = decide.apply(spec, None, {}, NOTE)
    assert revision is not None
    return revision


def cluster_bytes(revision: Revision, key: str, gateway: Gateway) -> bytes:
    """The cluster of one of a revision's builds."""
    view = View(gateway, revision, {})
    (build,) = [build for build in view.builds() if build.cluster == revision.cluster_of(key)]
    return cluster(view, build).SerializeToString(deterministic=True)


@given(heads(), defaults, st.data())
def test_the_promoted_build_keeps_its_cluster(
    head: Revision, said: UpstreamSettings, data: st.DataObject
) -> None:
    """Byte for byte, whatever it inherited from where; and its headers."""
    label = data.draw(st.sampled_from(sorted(head.spec.canary.versions)))
    key = head.labels[label]
    gateway = Gateway(name="edge", defaults=said)
    after = decide.promote(head, label, NOTE)
    assert after.labels[MAIN] == key
    assert cluster_bytes(after, key, gateway) == cluster_bytes(head, key, gateway)
    before = cluster_said((head.spec.settings_of(head.label_of(key)), head.spec, said))
    assert cluster_said((after.spec, said)).get("headers") == before.get("headers")


@given(heads(), st.data())
def test_everybody_gets_the_promoted_build(head: Revision, data: st.DataObject) -> None:
    """All slots; others are at 0, with their builds and keys, and as many endpoints to wait for."""
    label = data.draw(st.sampled_from(sorted(head.spec.canary.versions)))
    after = decide.promote(head, label, NOTE)
    assert after.slots.shares() == {head.labels[label]: 10_000}
    assert after.labels == {MAIN: head.labels[label]} | {
        other: key for other, key in head.labels.items() if other not in (label, MAIN)
    }
    assert set(after.spec.weights().values()) <= {0, 100}
    for other in after.spec.canary.versions:
        assert after.spec.min_endpoints_of(other) == head.spec.min_endpoints_of(other)


@given(heads(), st.data())
def test_what_others_inherited_from_the_deployment_stays(head: Revision, data: st.DataObject) -> None:
    """What they had from themselves or the deployment they have still."""
    label = data.draw(st.sampled_from(sorted(head.spec.canary.versions)))
    after = decide.promote(head, label, NOTE)
    for other, version in after.spec.canary.versions.items():
        first = head.label_of(head.labels[other])
        own = head.spec.canary.versions[first] if first != MAIN else Version()
        had, has = cluster_said((own, head.spec)), cluster_said((version, after.spec))
        for name in had.keys() - {"circuit_breakers", "headers", "load_balancing"}:
            assert has[name] == had[name]


@given(heads(), st.data())
def test_what_a_promotion_makes_can_be_written_in_a_file(head: Revision, data: st.DataObject) -> None:
    """`get -o yaml` gives a file that applies to no change."""
    label = data.draw(st.sampled_from(sorted(head.spec.canary.versions)))
    after = decide.promote(head, label, NOTE)
    reading = read([("a.yaml", to_yaml(after.spec))])
    assert [document.deployment for document in reading.documents] == [after.spec], reading.faults


def promoted(spec: Deployment, label: str = "a") -> Revision:
    """What a deployment is after a promotion."""
    head = decide.apply(spec, None, {}, NOTE)
    assert head is not None
    return decide.promote(head, label, NOTE)


def test_what_a_version_told_filters_is_the_routes() -> None:
    """Each filter by itself: the deployment's other ones stay."""
    patches = EnvoyPatches(route={"typed_per_filter_config": {"x": {"a": 1}, "y": {"a": 2}}})
    own = EnvoyVersionPatches(typed_per_filter_config={"x": {"b": 3}})
    canary = Canary(versions={"a": Version(weight=5, envoy=own)})
    after = promoted(Deployment(name="s", envoy=patches, canary=canary)).spec
    assert after.envoy == EnvoyPatches(route={"typed_per_filter_config": {"x": {"b": 3}, "y": {"a": 2}}})


def test_the_route_of_a_promoted_version_says_main() -> None:
    """One entry, for everybody, and the version's header says `main`."""
    after = promoted(Deployment(name="s", canary=Canary(versions={"a": Version(weight=5)})))
    (route,) = routes(View(Gateway(name="edge"), after, {}))
    (entry,) = route.route.weighted_clusters.clusters
    assert (entry.name, entry.weight.value) == ("s_a", 10_000)
    assert entry.response_headers_to_add[0].header.value == "main"
