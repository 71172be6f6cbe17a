"""An Envoy with a life of its own is adopted in place: `canary bootstrap --merge`, and one listener moved.

Its gateway has no listeners. What the moved listener served before goes on as the gateway's `virtual_hosts`,
to the Envoy's own clusters; deployments answer beside it.
"""

import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support import raw
from tests.support.admin_client import AdminClient
from tests.support.control_plane import ControlPlane
from tests.support.envoys import Envoy, envoy_binary
from tests.support.files import deployment, documents, endpoints, split
from tests.support.ports import LOOPBACK, free_port
from tests.support.traffic import Ask, Client, versions
from tests.support.upstreams import Upstreams
from xds.spec.findings import Findings
from xds.translate.adoption import merge
from xds.translate.bootstrap import Json

pytestmark = pytest.mark.envoy

GATEWAY: Json = {
    "name": "edge",
    "static_clusters": ["billing"],
    "virtual_hosts": [raw.virtual_host("billing", "billing", "billing.test")],
}
RDS: Json = {"route_config_name": "edge", "config_source": raw.source(raw.ADS)}


def lonely(upstreams: Upstreams, ports: tuple[int, int], **moved: Json) -> Json:
    """An Envoy's own bootstrap: two listeners with routes to a static cluster; the second has `moved`."""
    own: dict[str, Json] = {"route_config": raw.route_table("own", "billing")}
    return {
        "node": {"id": "old-1"},
        "static_resources": {
            "listeners": [
                raw.listener("own", ports[0], raw.connection_manager(**own)),
                raw.listener("moved", ports[1], raw.connection_manager(**(moved or own))),
            ],
            "clusters": [raw.static_cluster("billing", upstreams.endpoint("b1"))],
        },
    }


def merged(existing: Json, xds: tuple[str, int]) -> Json:
    """What `canary bootstrap --merge` makes of it."""
    findings = Findings("envoy.yaml")
    out = merge(existing, findings, gateway="edge", xds=xds)
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


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane with the gateway the Envoy joins."""
    running = ControlPlane(tmp_path_factory.mktemp("plane"), gateways=[GATEWAY])
    yield running
    running.kill()


@pytest.fixture
async def admin(plane: ControlPlane, upstreams: Upstreams) -> AsyncIterator[AdminClient]:
    """Its admin API, after the deployment was applied."""
    where = {build: upstreams.endpoint(build) for build in ("m1", "a1")}
    canary = deployment("adopted", gateways=["edge"], canary=split(a=("a1", 100)))
    async with AdminClient(plane.admin) as client:
        await client.apply(documents(canary, endpoints(**where)))
        yield client


@pytest.fixture
def ports(
    tmp_path: Path, plane: ControlPlane, upstreams: Upstreams, admin: AdminClient
) -> Iterator[tuple[int, int]]:
    """Where the adopted Envoy listens: with its own routes, and with the gateway's."""
    assert admin  # the deployment is there before the Envoy
    ports = free_port(), free_port()
    config = merged(lonely(upstreams, ports, rds=RDS), plane.xds)
    envoy = Envoy(tmp_path, plane.xds, config=config, node_id="old")
    yield ports
    envoy.stop()


async def test_the_listener_that_was_left_alone_answers_as_before(ports: tuple[int, int]) -> None:
    """Whatever is asked for, its own cluster answers."""
    async with Client((LOOPBACK, ports[0])) as client:
        assert (await client.ask(Ask("adopted"))).build == "b1"


async def test_the_listener_that_was_moved_follows_the_gateway(
    admin: AdminClient, ports: tuple[int, int]
) -> None:
    """A deployment's split reaches it, and so does an abort."""
    async with Client((LOOPBACK, ports[1])) as client:
        before = [await client.ask(Ask("adopted")) for _ in range(5)]
        await admin.abort("adopted")
        await admin.settled("adopted")
        after = [await client.ask(Ask("adopted")) for _ in range(5)]

    assert (versions(before), versions(after)) == ({"a": 5}, {"main": 5})


async def test_services_that_are_no_deployments_yet_still_answer(ports: tuple[int, int]) -> None:
    """On the moved listener too: their virtual host is the gateway's now, their cluster is still static."""
    async with Client((LOOPBACK, ports[1])) as client:
        assert (await client.ask(Ask("billing.test"))).build == "b1"
