"""Reports on a port of their own: `canary serve --metrics-listen`, `canary bootstrap --metrics-to`."""

import json
from pathlib import Path

import click.testing
import pytest
import yaml

from tests.support.control_plane import ControlPlane
from tests.support.envoys import Envoy
from tests.support.files import deployment
from tests.support.ports import LOOPBACK
from tests.support.waiting import eventually
from xds.cli.main import canary

pytestmark = pytest.mark.envoy


async def test_an_envoy_reports_to_the_port_for_it(tmp_path: Path) -> None:
    """Its one stream of reports is open there, by what the command wrote."""
    specs = tmp_path / "specs"
    specs.mkdir()
    (specs / "quiet.yaml").write_text(deployment("quiet"))
    plane = ControlPlane(tmp_path, specs=specs, settings={"metrics_listen": f"{LOOPBACK}:0"})
    where = json.loads(plane.ready_file.read_text())["metrics"]
    args = ["bootstrap", "--xds", f"{LOOPBACK}:{plane.xds[1]}", "--node-id", "e1", "--metrics-to", where]
    args += ["--envoy-admin", f"{LOOPBACK}:0", "--metrics-interval", "0.5s"]
    written = click.testing.CliRunner().invoke(canary, args)
    assert written.exit_code == 0, written.output
    config = yaml.safe_load(written.stdout)
    envoy = Envoy(tmp_path, plane.xds, node_id="e1", config=config, wait=False)
    try:
        envoy.process.wait_until(envoy.ready)

        async def reported() -> bool:
            return envoy.cluster_stats("xds-metrics").get("upstream_rq_active", 0) == 1

        await eventually(reported, "it reports there")
    finally:
        envoy.stop()
        plane.kill()
