"""The bootstrap: as documented, and fine with the real Envoy."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.control_plane import ControlPlane
from tests.support.envoys import Envoy, envoy_binary
from tests.support.mesh import Mesh
from tests.support.process import ROOT
from xds.translate.bootstrap import bootstrap


def test_the_sample_is_what_the_function_writes() -> None:
    """envoy/bootstrap.yaml is kept equal to `canary bootstrap` with the arguments its head names."""
    sample = yaml.safe_load((ROOT / "envoy" / "bootstrap.yaml").read_text())

    assert sample == bootstrap(
        gateway="default", xds=("127.0.0.1", 18000), node_id="envoy-1", envoy_admin=("127.0.0.1", 9901)
    )


@pytest.mark.envoy
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "canary.internal"])
def test_envoy_takes_it_without_a_warning(tmp_path: Path, host: str) -> None:
    """`envoy --mode validate` accepts addresses and names, and has nothing to remark."""
    file = tmp_path / "bootstrap.json"
    config = bootstrap(gateway="edge", xds=(host, 18000), node_id="e", envoy_admin=("127.0.0.1", 9901))
    file.write_text(json.dumps(config))

    command = [envoy_binary(), "--mode", "validate", "-c", str(file), "--log-level", "warning"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.envoy
def test_the_statistics_promised_are_kept(mesh: Mesh) -> None:
    """`cluster.xds.`, `http.`, `listener_manager.` and the rest exist in a running Envoy."""
    names = set(mesh.envoy.stats())

    prefixes = ("cluster.xds.", "http.", "control_plane.", "cluster_manager.", "listener_manager.", "server.")
    missing = [prefix for prefix in prefixes if not any(name.startswith(prefix) for name in names)]
    assert missing == []


@pytest.mark.envoy
def test_a_control_plane_can_be_given_by_name(tmp_path: Path) -> None:
    """An Envoy that is told `localhost` finds a control plane that listens on 127.0.0.1 alone."""
    plane = ControlPlane(tmp_path)
    try:
        Envoy(tmp_path, ("localhost", plane.xds[1])).stop()
    finally:
        plane.kill()
