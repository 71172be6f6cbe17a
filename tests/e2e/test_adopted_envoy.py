"""An Envoy with a life of its own is adopted in place by `canary bootstrap --merge`: its routes go on."""

import copy
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.admin_client import AdminClient
from tests.support.envoys import Envoy, envoy_binary
from tests.support.files import deployment, split
from tests.support.mesh import Mesh
from tests.support.ports import LOOPBACK, free_port
from tests.support.traffic import Ask, Client, versions
from tests.support.upstreams import Upstreams
from xds.spec.findings import Findings
from xds.translate.adoption import merge
from xds.translate.bootstrap import Json

pytestmark = pytest.mark.envoy

EXTENSIONS = "type.googleapis.com/envoy.extensions.filters"
RDS: Json = {"route_config_name": "default", "config_source": {"ads": {}, "resource_api_version": "V3"}}


def connection_manager(**routes: Json) -> Json:
    """An HttpConnectionManager with these routes."""
    return {
        "@type": f"{EXTENSIONS}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "own",
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{EXTENSIONS}.http.router.v3.Router"},
            }
        ],
        **routes,
    }


def listener(name: str, port: int, **routes: Json) -> Json:
    """A static listener."""
    return {
        "name": name,
        "address": {"socket_address": {"address": LOOPBACK, "port_value": port}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": connection_manager(**routes)}]}],
    }


def lonely(upstreams: Upstreams, ports: tuple[int, int], **routes: Json) -> Json:
    """An Envoy's own bootstrap: one listener with inline routes to a static cluster, one with `routes`."""
    host, port = upstreams.endpoint("b1").split(":")
    where: Json = {"socket_address": {"address": host, "port_value": int(port)}}
    virtual_host: Json = {
        "name": "all",
        "domains": ["*"],
        "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "billing"}}],
    }
    own: Json = {"name": "own", "virtual_hosts": [virtual_host]}
    cluster: Json = {
        "name": "billing",
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": "billing",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": where}}]}],
        },
    }
    listeners: list[Json] = [
        listener("own", ports[0], route_config=own),
        listener("moved", ports[1], **(routes or {"route_config": own})),
    ]
    return {"node": {"id": "old-1"}, "static_resources": {"listeners": [*listeners], "clusters": [cluster]}}


def merged(existing: Json, xds: tuple[str, int]) -> Json:
    """What `canary bootstrap --merge` makes of it."""
    findings = Findings("envoy.yaml")
    out = merge(copy.deepcopy(existing), findings, gateway="default", xds=xds)
    assert findings.faults == []
    return out


def test_envoy_takes_the_merged_bootstrap(tmp_path: Path, upstreams: Upstreams) -> None:
    """`envoy --mode validate` has nothing to remark."""
    file = tmp_path / "merged.json"
    existing = lonely(upstreams, (free_port(), free_port()))
    file.write_text(json.dumps(merged(existing, ("127.0.0.1", 18000))))

    command = [envoy_binary(), "--mode", "validate", "-c", str(file), "--log-level", "error"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.fixture
async def ports(
    tmp_path: Path, mesh: Mesh, upstreams: Upstreams, admin: AdminClient
) -> AsyncIterator[tuple[int, int]]:
    """Where an adopted Envoy listens: with its own routes, and with the gateway's."""
    await admin.apply(deployment("adopted", canary=split(a=("a1", 100))))
    ports = free_port(), free_port()
    envoy = Envoy(
        tmp_path,
        mesh.plane.xds,
        config=merged(lonely(upstreams, ports, rds=RDS), mesh.plane.xds),
        node_id="old",
    )
    yield ports
    envoy.stop()


async def test_its_own_routes_go_on(ports: tuple[int, int]) -> None:
    """The listener that was left alone answers as before."""
    async with Client((LOOPBACK, ports[0])) as client:
        assert (await client.ask(Ask("adopted"))).build == "b1"


async def test_the_listener_that_was_moved_has_the_gateways_routes(
    admin: AdminClient, ports: tuple[int, int]
) -> None:
    """And follows its changes."""
    async with Client((LOOPBACK, ports[1])) as client:
        before = [await client.ask(Ask("adopted")) for _ in range(5)]
        await admin.abort("adopted")
        await admin.settled("adopted", envoys=2)
        after = [await client.ask(Ask("adopted")) for _ in range(5)]

    assert (versions(before), versions(after)) == ({"a": 5}, {"main": 5})
