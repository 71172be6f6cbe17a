"""`canary serve` and Envoys that don't use one aggregated stream for everything, in both dialects.

Across streams there is no order: what is promised is that everything arrives, and goes on arriving.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.support import raw
from tests.support.admin_client import AdminClient
from tests.support.control_plane import ControlPlane
from tests.support.envoys import changed_envoy
from tests.support.files import deployment, documents, endpoints, split
from tests.support.ports import LOOPBACK, free_port
from tests.support.traffic import Ask, Client, Load
from tests.support.upstreams import Upstreams
from tests.support.waiting import eventually
from xds.translate.bootstrap import Dialect, Json, ads_config, control_plane

pytestmark = pytest.mark.envoy

HOST = "apart"
ASK = Ask(HOST)
API: dict[Dialect, str] = {"delta": "DELTA_GRPC", "sotw": "GRPC"}

every_dialect = pytest.mark.parametrize("dialect", API)


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[ControlPlane]:
    """A control plane."""
    running = ControlPlane(tmp_path)
    yield running
    running.kill()


@pytest.fixture
async def admin(plane: ControlPlane, upstreams: Upstreams) -> AsyncIterator[AdminClient]:
    """Its admin API, after the deployment was applied: everything on `main`."""
    where = {build: upstreams.endpoint(build) for build in ("m1", "a1")}
    async with AdminClient(plane.admin) as client:
        await client.apply(documents(deployment(HOST, canary=split(a=("a1", 0))), endpoints(**where)))
        yield client


async def follows(admin: AdminClient, gateway: tuple[str, int]) -> None:
    """Weights move under load: the change shows, and no request fails."""
    async with Client(gateway) as client:

        async def build(name: str) -> None:
            async def answers() -> bool:
                return (await client.ask(ASK)).build == name

            await eventually(answers, f"{name} answers")

        await build("m1")
        async with Load(client, ASK) as load:
            await admin.set_weights(HOST, a=100)
            await build("a1")
            await admin.rollback(HOST)
            await build("m1")
        assert load.failures() == {}


@every_dialect
async def test_clusters_and_listeners_on_streams_of_their_own(
    plane: ControlPlane, admin: AdminClient, tmp_path: Path, dialect: Dialect
) -> None:
    """Routes and endpoints come by the aggregated stream that our resources name, the rest beside it."""
    own: Json = {
        "ads_config": ads_config(dialect),
        "cds_config": raw.source(API[dialect]),
        "lds_config": raw.source(API[dialect]),
    }

    async with changed_envoy(tmp_path, plane.xds, dialect, dynamic_resources=own):
        await follows(admin, plane.listener)


@every_dialect
async def test_an_envoys_own_listener_and_clusters_without_an_aggregated_stream(
    plane: ControlPlane, admin: AdminClient, tmp_path: Path, dialect: Dialect
) -> None:
    """A static listener takes the gateway's routes, static clusters take their builds' endpoints."""
    port, source = free_port(), raw.source(API[dialect])
    manager = raw.connection_manager(rds={"config_source": source, "route_config_name": "default"})
    builds = (raw.eds_cluster(f"{HOST}_{build}", API[dialect]) for build in ("m1", "a1"))
    clusters: list[JsonValue] = [control_plane(plane.xds), *builds]
    own: Json = {"listeners": [raw.listener("own", port, manager)], "clusters": clusters}

    async with changed_envoy(tmp_path, plane.xds, dialect, dynamic_resources={}, static_resources=own):
        await follows(admin, (LOOPBACK, port))
