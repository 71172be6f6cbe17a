"""`merge`: an Envoy's own bootstrap, with what it lacks to take part in a gateway."""

import copy

import pytest

from xds.spec.findings import Findings
from xds.translate.adoption import merge
from xds.translate.bootstrap import Json, bootstrap, buckets

RDS = "rds: {route_config_name: edge, config_source: {ads: {}, resource_api_version: V3}}"
MANAGER = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config"


def manager(**routes: Json) -> Json:
    """An HttpConnectionManager."""
    kind = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3"
    return {"@type": f"{kind}.HttpConnectionManager", "stat_prefix": "in", **routes}


def running(connection_manager: Json | None = None) -> Json:
    """The bootstrap of an Envoy that has lived without a control plane."""
    filters: Json = {"filters": [{"name": "http", "typed_config": connection_manager or manager()}]}
    return {
        "node": {"id": "old-1", "cluster": "edge"},
        "static_resources": {
            "listeners": [{"name": "in", "filter_chains": [filters]}],
            "clusters": [{"name": "billing", "type": "STATIC"}],
        },
        "layered_runtime": {"layers": [{"name": "admin", "admin_layer": {}}]},
    }


def adopt(existing: Json) -> tuple[Json, Findings]:
    """What comes of it, and what was said."""
    findings = Findings("envoy.yaml")
    return merge(existing, findings, gateway="edge", xds=("127.0.0.1", 18000)), findings


def said(findings: Findings) -> list[str]:
    """The notes."""
    return [str(note).removeprefix("envoy.yaml: ") for note in findings.warnings]


def faults(existing: Json) -> list[str]:
    """Where something stands in the way."""
    return [fault.path for fault in adopt(existing)[1].faults]


def test_what_is_there_is_kept() -> None:
    """Less the additions, the result is what came in; and that is left as it was."""
    before = running()
    untouched = copy.deepcopy(before)

    merged, _ = adopt(before)

    static = merged["static_resources"]
    assert isinstance(static, dict)
    assert isinstance(static["clusters"], list)
    assert static["clusters"].pop() == CONTROL_PLANE
    for added in ADDED:
        del merged[added]
    assert (merged, before) == (untouched, untouched)


OURS = bootstrap(gateway="edge", xds=("127.0.0.1", 18000), node_id="old-1", envoy_admin=("127.0.0.1", 9901))
ADDED = ("dynamic_resources", "stats_config", "stats_flush_interval", "stats_sinks")
CONTROL_PLANE = OURS["static_resources"]["clusters"][0]  # type: ignore[call-overload,index]  # known JSON


def test_the_stream_and_the_clusters_are_added() -> None:
    """The node goes out once a stream; clusters come by it; listeners stay the Envoy's own."""
    dynamic = adopt(running())[0]["dynamic_resources"]

    assert dynamic == {
        "ads_config": OURS["dynamic_resources"]["ads_config"],  # type: ignore[call-overload,index]  # known JSON
        "cds_config": {"ads": {}, "resource_api_version": "V3"},
    }


def test_merging_again_adds_nothing() -> None:
    """It can be run on its own outcome."""
    once, _ = adopt(running())

    twice, findings = adopt(once)

    assert (twice, findings.faults) == (once, [])


def test_the_json_spelling_is_understood() -> None:
    """`staticResources` is the same key: nothing is added beside it."""
    merged, _ = adopt({"node": {"id": "old-1"}, "staticResources": {"clusters": []}})

    assert set(merged) == {"node", "staticResources", *ADDED}


def test_metrics_are_reported_in_our_buckets() -> None:
    """To the control plane, every five seconds; what is kept of them is left to the Envoy's owner."""
    merged, _ = adopt(running())

    assert merged["stats_sinks"] == OURS["stats_sinks"]
    assert merged["stats_flush_interval"] == "5s"
    assert merged["stats_config"] == {"histogram_bucket_settings": buckets()}


def test_reports_are_added_beside_other_sinks() -> None:
    """Its own sink, interval and buckets stay; that the latter lose percentiles is said."""
    own: Json = {"stats_sinks": [{"name": "statsd"}], "statsFlushInterval": "7s"}
    theirs: Json = {"histogram_bucket_settings": [], "stats_matcher": {"reject_all": True}}
    merged, findings = adopt(running() | own | {"stats_config": theirs})

    sinks = merged["stats_sinks"]
    assert isinstance(sinks, list)
    assert [sink["name"] for sink in sinks if isinstance(sink, dict)] == [
        "statsd",
        "envoy.stat_sinks.metrics_service",
    ]
    assert "stats_flush_interval" not in merged
    assert merged["stats_config"] == theirs
    assert [note.split(":")[0] for note in said(findings)[:2]] == [
        "stats_config.histogram_bucket_settings",
        "stats_config.stats_matcher",
    ]


def test_a_node_without_a_cluster_joins_the_gateway() -> None:
    """`node.cluster` says where an Envoy belongs."""
    assert adopt({"node": {"id": "old-1"}})[0]["node"] == {"id": "old-1", "cluster": "edge"}


def test_a_node_of_another_cluster_is_for_the_gateway_to_take() -> None:
    """Its cluster may mean something to others: the gateway has to be told instead."""
    merged, findings = adopt(running() | {"node": {"id": "old-1", "cluster": "shop"}})

    assert merged["node"] == {"id": "old-1", "cluster": "shop"}
    assert said(findings)[0] == (
        "node.cluster: stays 'shop' (so let the gateway edge take it: nodes: [{cluster: shop}])"
    )


@pytest.mark.parametrize(
    ("addition", "path"),
    [
        ({"node": {}}, "node.id"),
        ({"dynamic_resources": {"ads_config": {"api_type": "GRPC"}}}, "dynamic_resources.ads_config"),
        ({"dynamicResources": {"adsConfig": {"api_type": "GRPC"}}}, "dynamicResources.adsConfig"),
        (
            {"dynamic_resources": {"cds_config": {"path_config_source": {"path": "/cds.yaml"}}}},
            "dynamic_resources.cds_config",
        ),
        (
            {"static_resources": {"clusters": [{"name": "a"}, {"name": "xds"}]}},
            "static_resources.clusters[1]",
        ),
        ({"static_resources": {"clusters": "all"}}, "static_resources.clusters"),
        ({"dynamic_resources": []}, "dynamic_resources"),
    ],
    ids=["no-id", "other-ads", "other-ads-in-json", "clusters-by-file", "named-xds", "no-list", "no-mapping"],
)
def test_what_cannot_be_kept_is_refused(addition: Json, path: str) -> None:
    """One stream, one source of clusters, one cluster of a name; each said at its place."""
    assert faults(running() | addition) == [path]


def test_every_conflict_is_said_at_once() -> None:
    """Not one a run."""
    dynamic: Json = {"ads_config": {"api_type": "GRPC"}, "cds_config": {"path": "/cds.yaml"}}

    assert len(faults({"dynamic_resources": dynamic})) == 3


@pytest.mark.parametrize(
    ("connection_manager", "note"),
    [
        (
            manager(route_config={"name": "mine"}),
            (
                f"{MANAGER}.route_config: keeps its own routes (for the gateway's, put instead: {RDS}; "
                "what is there can go on as the gateway's virtual_hosts)"
            ),
        ),
        (
            manager(rds={"route_config_name": "shop", "config_source": {"ads": {}}}),
            f"{MANAGER}.rds: keeps its own routes (for the gateway's, put instead: {RDS})",
        ),
        (
            manager(scopedRoutes={}),
            f"{MANAGER}.scopedRoutes: keeps its own routes (for the gateway's, put instead: {RDS})",
        ),
        (
            manager(rds={"routeConfigName": "edge", "configSource": {"ads": {}}}),
            f"{MANAGER}.rds: is fine: it has the routes of the gateway edge",
        ),
        (manager(), f"{MANAGER}: has no routes (for the gateway's, add: {RDS})"),
    ],
    ids=["inline", "another-name", "scopes", "fine", "none"],
)
def test_each_connection_manager_is_told_what_to_change(connection_manager: Json, note: str) -> None:
    """Its listener is its owner's: the text to put there is said, and where."""
    assert said(adopt(running(connection_manager))[1]) == [note]


def test_listeners_from_a_file_are_mentioned() -> None:
    """The same has to be done there."""
    dynamic: Json = {"lds_config": {"path_config_source": {"path": "/lds.yaml"}}}

    (note,) = said(adopt({"node": {"id": "old-1"}, "dynamic_resources": dynamic})[1])

    assert note.startswith("dynamic_resources.lds_config: listeners come from elsewhere")


def test_an_envoy_without_listeners_is_told_how_to_get_the_gateways() -> None:
    """Otherwise it would serve nothing."""
    (note,) = said(adopt({"node": {"id": "old-1"}})[1])

    assert note.endswith("add: lds_config: {ads: {}, resource_api_version: V3})")
