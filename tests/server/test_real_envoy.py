"""What the real Envoy makes of the answers it gets besides its configuration."""

import asyncio
from pathlib import Path

import pytest

from tests.support.envoys import Envoy, changed_envoy
from tests.support.ports import free_port
from tests.support.serving import serving
from tests.support.waiting import eventually
from xds.control.terms import Terms
from xds.fleet.status import EnvoyStatus, State, statuses
from xds.spec.gateway import Gateway, Listen

pytestmark = pytest.mark.envoy


async def test_its_log_says_why_it_was_turned_away(tmp_path: Path) -> None:
    """Whoever looks there finds what to mend, and so does whoever looks at the control plane."""
    async with serving(tmp_path, Gateway(name="edge")) as server:
        envoy = Envoy(tmp_path, server.xds, node_id="e1", gateway="egde", wait=False)
        told = "node 'e1' of cluster 'egde' belongs to no gateway; edge takes cluster edge"
        try:
            await asyncio.to_thread(envoy.process.wait_until, lambda: told in envoy.process.log.read_text())
        finally:
            envoy.stop()
        (node,) = server.admission.turned_away()
        assert node.id == "e1"


async def test_it_reports_loads_without_an_error(tmp_path: Path) -> None:
    """It is answered, and asks for nothing else."""
    by_grpc = {"api_type": "GRPC", "transport_api_version": "V3"}
    reports = {**by_grpc, "grpc_services": [{"envoy_grpc": {"cluster_name": "xds"}}]}
    gateway = Gateway(name="default", listeners=(Listen(port=free_port()),))
    async with (
        serving(tmp_path, gateway) as server,
        changed_envoy(tmp_path, server.xds, "delta", cluster_manager={"load_stats_config": reports}) as envoy,
    ):

        async def answered() -> dict[str, int] | None:
            stats = await asyncio.to_thread(envoy.stats, "load_reporter.")
            return stats if stats.get("load_reporter.responses") else None

        stats = await eventually(answered, "its report is answered")
    assert (stats["load_reporter.responses"], stats["load_reporter.errors"]) == (1, 0)


async def test_in_sync_everything_it_has_is_synced(tmp_path: Path) -> None:
    """The read model agrees with an Envoy that serves."""
    spec = 'name: s\nendpoints: ["10.0.0.1:80"]\n'
    gateway = Gateway(name="default", listeners=(Listen(port=free_port()),))
    async with serving(tmp_path, gateway) as server:
        await server.plane.deployments.apply_texts([("s.yaml", spec)], Terms("test"))
        server.plane.publisher.publish()
        async with changed_envoy(tmp_path, server.xds, "delta"):

            async def in_sync() -> EnvoyStatus | None:
                (status,) = statuses(server.plane.hub)
                return status if status.in_sync else None

            status = await eventually(in_sync, "it acknowledged everything")
    assert {resource.state for resource in status.resources} == {State.SYNCED}
    assert status.node.version is not None
