"""What people bring of Envoy's own configuration, on the real Envoy."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.support.envoys import Envoy
from tests.support.files import deployment, documents, endpoints, split
from tests.support.mesh import BUILDS
from tests.support.ports import LOOPBACK, free_port
from tests.support.serving import Serving, serving
from tests.support.traffic import Ask, Client
from tests.support.upstreams import Upstreams
from tests.support.waiting import eventually
from xds.control.standing import Standing
from xds.control.terms import Terms
from xds.spec.envoy import GatewayPatches
from xds.spec.findings import Findings
from xds.spec.gateway import Gateway, Listen
from xds.translate.adoption import merge
from xds.translate.bootstrap import Json, bootstrap

pytestmark = pytest.mark.envoy

Raw = dict[str, JsonValue]

_TYPE = "type.googleapis.com/envoy"
FAULT = f"{_TYPE}.extensions.filters.http.fault.v3.HTTPFault"
RDS: Raw = {"route_config_name": "edge", "config_source": {"ads": {}, "resource_api_version": "V3"}}


def aborts(status: int) -> Raw:
    """The fault filter, told to answer every request itself."""
    abort: Raw = {"http_status": status, "percentage": {"numerator": 100}}
    return {"fault": {"@type": FAULT, "abort": abort}}


def to_cluster(host: str, cluster: str) -> Raw:
    """A virtual host whose requests all go to one cluster."""
    route: Raw = {"match": {"prefix": "/"}, "route": {"cluster": cluster}}
    return {"name": host, "domains": [host], "routes": [route]}


def static_cluster(name: str, where: str, **more: JsonValue) -> Raw:
    """A cluster with one endpoint in it."""
    host, port = where.split(":")
    address: Raw = {"socket_address": {"address": host, "port_value": int(port)}}
    places: Raw = {
        "cluster_name": name,
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
    }
    return {"name": name, "connect_timeout": "1s", "load_assignment": places, **more}


def text(*resources: Mapping[str, JsonValue]) -> list[tuple[str, str]]:
    """Resources as the text of a file: JSON documents are YAML documents."""
    return [("resources.yaml", "\n---\n".join(map(json.dumps, resources)))]


def cluster_resource(cluster: Raw) -> Raw:
    """A cluster that says what it is."""
    return {"@type": f"{_TYPE}.config.cluster.v3.Cluster", **cluster}


@asynccontextmanager
async def envoy_of(served: Serving, folder: Path, static: Json | None = None) -> AsyncIterator[Envoy]:
    """An Envoy of the gateway `edge`; or one with a bootstrap of its own that was merged with ours."""
    config = bootstrap(gateway="edge", xds=served.xds, node_id="envoy-1", envoy_admin=(LOOPBACK, 0))
    if static is not None:
        config = merge(static, Findings("envoy.yaml"), gateway="edge", xds=served.xds)
    envoy = Envoy(folder, served.xds, config=config, wait=False)
    try:
        await asyncio.to_thread(envoy.process.wait_until, envoy.ready)
        yield envoy
    finally:
        envoy.stop()


async def settled(served: Serving, name: str) -> Standing:
    """A deployment, once the Envoy has all of it."""

    async def there() -> Standing | None:
        standing = served.plane.deployments.get(name)
        return standing if standing.convergence.envoys == standing.convergence.in_sync == 1 else None

    return await eventually(there, f"{name} in sync")


async def apply(served: Serving, upstreams: Upstreams, *texts: str) -> None:
    """Apply deployments, with the endpoints of every build."""
    where = endpoints(**{build: upstreams.endpoint(build) for build in BUILDS})
    await served.plane.deployments.apply_texts([("e2e.yaml", documents(where, *texts))], Terms("test"))


async def test_a_bad_resource_among_good_ones_is_contained(tmp_path: Path, upstreams: Upstreams) -> None:
    """The good ones apply, the bad one is named with Envoy's words, and is not sent again and again."""
    port = free_port()
    edge = Gateway(
        name="edge",
        listeners=(Listen(port=port),),
        virtual_hosts=(to_cluster("good.test", "good-1"),),
    )
    good = [cluster_resource(static_cluster(f"good-{n}", upstreams.endpoint("m1"))) for n in range(4)]
    bad = static_cluster("bad", upstreams.endpoint("m1"), lb_policy="CLUSTER_PROVIDED")
    async with serving(tmp_path, edge) as served, envoy_of(served, tmp_path) as envoy:
        await served.plane.resources.set("edge", text(*good, cluster_resource(bad)), Terms("test"))

        async def rejected() -> tuple[str, ...]:
            return served.plane.resources.get("edge").convergence.rejections

        (said,) = await eventually(rejected, "a rejection")
        assert "envoy-1: Cluster bad: " in said
        assert "did not provide one" in said
        async with Client((LOOPBACK, port)) as client:
            assert (await client.ask(Ask("good.test"))).build == "m1"
        refusals = served.plane.hub.totals().refusals
        assert refusals <= 6

        await apply(served, upstreams, deployment("later"))
        await settled(served, "later")
        assert served.plane.hub.totals().refusals == refusals
        assert "bad" not in envoy.clusters()

        await served.plane.resources.set("edge", text(*good), Terms("test"))

        async def mended() -> bool:
            convergence = served.plane.resources.get("edge").convergence
            return convergence.in_sync == 1 and not convergence.rejections

        await eventually(mended, "the rejection gone")


async def test_a_bad_virtual_host_does_not_hold_up_the_table(tmp_path: Path, upstreams: Upstreams) -> None:
    """Deployments and the other virtual hosts go on; the bad one is named."""
    port = free_port()
    spoiled: Raw = {"match": {"safe_regex": {"regex": "("}}, "route": {"cluster": "own"}}
    edge = Gateway(
        name="edge",
        listeners=(Listen(port=port),),
        virtual_hosts=(
            {"name": "spoiled.test", "domains": ["spoiled.test"], "routes": [spoiled]},
            to_cluster("good.test", "good"),
        ),
    )
    good = cluster_resource(static_cluster("good", upstreams.endpoint("b1")))
    async with serving(tmp_path, edge) as served:
        await served.plane.resources.set("edge", text(good), Terms("test"))
        await apply(served, upstreams, deployment("plain"))
        async with envoy_of(served, tmp_path), Client((LOOPBACK, port)) as client:
            await settled(served, "plain")
            answers = [(await client.ask(Ask(host))).build for host in ("plain", "good.test")]
            (said,) = served.plane.resources.get("edge").convergence.rejections
    assert (answers, said.startswith("envoy-1: VirtualHost spoiled.test: ")) == (["m1", "b1"], True)


async def test_a_bad_cluster_does_not_hold_up_the_table_that_names_it(
    tmp_path: Path, upstreams: Upstreams
) -> None:
    """Neither where a virtual host of the gateway names it, nor where a deployment mirrors to it."""
    port = free_port()
    edge = Gateway(
        name="edge", listeners=(Listen(port=port),), virtual_hosts=(to_cluster("bad.test", "bad"),)
    )
    bad = cluster_resource(static_cluster("bad", upstreams.endpoint("b1"), lb_policy="CLUSTER_PROVIDED"))
    mirror: Raw = {"route": {"request_mirror_policies": [{"cluster": "bad"}]}}
    async with serving(tmp_path, edge) as served:
        await served.plane.resources.set("edge", text(bad), Terms("test"))
        await apply(served, upstreams, deployment("plain"), deployment("mirrored", envoy={"route": mirror}))
        async with envoy_of(served, tmp_path), Client((LOOPBACK, port)) as client:
            await settled(served, "plain")
            await apply(served, upstreams, deployment("later"))
            await settled(served, "later")
            assert (await client.ask(Ask("later"))).build == "m1"
            (said,) = served.plane.resources.get("edge").convergence.rejections
            assert said.startswith("envoy-1: Cluster bad: ")


async def test_filters_are_told_what_to_do_by_route_and_by_version(
    tmp_path: Path, upstreams: Upstreams
) -> None:
    """`typed_per_filter_config` of a route, and of one version of a split; others go on."""
    port = free_port()
    edge = Gateway(
        name="edge",
        listeners=(Listen(port=port),),
        http_filters=({"name": "fault", "typed_config": {"@type": FAULT}},),
    )
    version = {"bento": "model:a1", "weight": 100, "envoy": {"typed_per_filter_config": aborts(419)}}
    async with serving(tmp_path, edge) as served, envoy_of(served, tmp_path):
        await apply(
            served,
            upstreams,
            deployment("plain"),
            deployment("by-route", envoy={"route": {"typed_per_filter_config": aborts(418)}}),
            deployment("by-version", canary={"versions": {"a": version}}),
        )
        await settled(served, "plain")
        async with Client((LOOPBACK, port)) as client:
            answers = [(await client.ask(Ask(host))).status for host in ("plain", "by-route", "by-version")]
    assert answers == [200, 418, 419]


async def test_patches_of_listener_and_cluster_reach_envoy(tmp_path: Path, upstreams: Upstreams) -> None:
    """What Envoy says of itself, and what it was given."""
    port = free_port()
    edge = Gateway(
        name="edge",
        listeners=(Listen(port=port),),
        patches=GatewayPatches(http_connection_manager={"server_name": "patched"}),
    )
    async with serving(tmp_path, edge) as served, envoy_of(served, tmp_path) as envoy:
        patched = deployment(
            "patched",
            envoy={"cluster": {"per_connection_buffer_limit_bytes": 65536}},
            canary=split(a=("a1", 50)),
        )
        await apply(served, upstreams, patched)
        await settled(served, "patched")
        async with (
            Client((LOOPBACK, port)) as client,
            client.session.get(f"http://{LOOPBACK}:{port}/", headers={"host": "patched"}) as answer,
        ):
            assert answer.headers["server"] == "patched"
        limits = {
            name: each.get("per_connection_buffer_limit_bytes") for name, each in envoy.clusters().items()
        }
        assert limits == {"patched_m1": 65536, "patched_a1": 65536}


async def test_an_envoy_with_its_own_listener_takes_its_routes_from_here(
    tmp_path: Path, upstreams: Upstreams
) -> None:
    """Deployments, and a virtual host for what is none yet, in a cluster that the Envoy has itself."""
    port = free_port()
    edge = Gateway(
        name="edge",
        virtual_hosts=(to_cluster("legacy.test", "own"),),
        static_clusters=("own",),
    )
    manager: Raw = {
        "@type": f"{_TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "own",
        "rds": RDS,
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_TYPE}.extensions.filters.http.router.v3.Router"},
            }
        ],
    }
    listener: Raw = {
        "name": "own",
        "address": {"socket_address": {"address": LOOPBACK, "port_value": port}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    clusters: list[JsonValue] = [static_cluster("own", upstreams.endpoint("b1"))]
    static: Json = {
        "node": {"id": "envoy-1", "cluster": "edge"},
        "static_resources": {"listeners": [listener], "clusters": clusters},
    }
    async with serving(tmp_path, edge) as served, envoy_of(served, tmp_path, static):
        await apply(served, upstreams, deployment("moved"))
        await settled(served, "moved")
        async with Client((LOOPBACK, port)) as client:
            answers = [(await client.ask(Ask(host))).build for host in ("moved", "legacy.test")]
    assert answers == ["m1", "b1"]
