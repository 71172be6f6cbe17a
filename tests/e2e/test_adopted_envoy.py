"""An Envoy with a life of its own is adopted in place by `canary bootstrap --merge`: its routes go on."""

import copy
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support import raw
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

RDS: Json = {"route_config_name": "default", "config_source": raw.source(raw.ADS)}


def lonely(upstreams: Upstreams, ports: tuple[int, int], **routes: Json) -> Json:
    """An Envoy's own bootstrap: one listener with inline routes to a static cluster, one with `routes`."""
    own: dict[str, Json] = {"route_config": raw.route_table("own", "billing")}
    return {
        "node": {"id": "old-1"},
        "static_resources": {
            "listeners": [
                raw.listener("own", ports[0], raw.connection_manager(**own)),
                raw.listener("moved", ports[1], raw.connection_manager(**(routes or own))),
            ],
            "clusters": [raw.static_cluster("billing", upstreams.endpoint("b1"))],
        },
    }


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
