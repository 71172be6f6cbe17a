"""The Fleet commands against a real server and a real Envoy."""

import json
from pathlib import Path

import click.testing
import pytest

from tests.support.files import deployment, documents, endpoints, split
from tests.support.mesh import Mesh
from tests.support.upstreams import Upstreams
from xds.cli.main import canary

pytestmark = pytest.mark.envoy

BROKEN = {
    "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
    "name": "by-hand",
    "type": "EDS",
    "connect_timeout": "1s",
}


def run(mesh: Mesh, *args: str) -> click.testing.Result:
    """Run `canary` against the mesh's server."""
    env = {"CANARY_SERVER": mesh.plane.admin}
    return click.testing.CliRunner().invoke(canary, args, env=env, catch_exceptions=False)


def found(mesh: Mesh, check: str) -> list[str]:
    """What the doctor finds in one check, if it isn't well."""
    findings = json.loads(run(mesh, "doctor", "-o", "json").stdout)
    return [each["text"] for each in findings if each["check"] == check and each["level"] != "ok"]


def test_resources_an_envoy_rejects_are_found_and_returned(mesh: Mesh, tmp_path: Path) -> None:
    """Exit 3 with its words; the fleet and the doctor name them until they are rolled back."""
    file = tmp_path / "cluster.json"
    file.write_text(json.dumps(BROKEN | {"type": "STATIC"}), encoding="utf-8")
    assert run(mesh, "resources", "set", "default", "-f", str(file), "--wait").exit_code == 0
    file.write_text(json.dumps(BROKEN), encoding="utf-8")

    refused = run(mesh, "resources", "set", "default", "-f", str(file), "--wait")

    (node,) = run(mesh, "fleet", "-o", "name").stdout.split()
    assert (refused.exit_code, "by-hand" in refused.stderr) == (3, True)
    assert "rejected" in run(mesh, "fleet").stdout
    assert "refused   Cluster" in run(mesh, "fleet", node).stdout
    assert "by-hand" in "".join(found(mesh, "updates"))
    assert run(mesh, "resources", "rollback", "default", "--wait").exit_code == 0
    assert found(mesh, "updates") == []
    assert json.loads(run(mesh, "fleet", "-o", "json").stdout)[0]["in_sync"]
    file = tmp_path / "none.yaml"
    file.write_text("# nothing", encoding="utf-8")
    none = run(mesh, "resources", "set", "default", "-f", str(file), "--wait")
    assert (none.exit_code, "(0 resources)" in none.stdout) == (0, True)


def test_a_drained_canary_and_a_gateway_as_it_was(mesh: Mesh, upstreams: Upstreams, tmp_path: Path) -> None:
    """Each confirmed by the Envoy, and written down with who did it."""
    file = tmp_path / "fleet-life.yaml"
    own = endpoints(own=upstreams.endpoint("a1"))  # a build that no other test's main runs
    life = deployment("fleet-life", canary=split(a=("own", 10)))
    file.write_text(documents(own, life), encoding="utf-8")
    run(mesh, "apply", "-f", str(file), "--wait")
    then = json.loads(run(mesh, "gateways", "history", "default", "--limit", "1", "-o", "json").stdout)
    run(mesh, "set-weight", "fleet-life", "a=40", "--wait")

    drained = run(mesh, "endpoints", "drain", "fleet-life@a", "--wait")
    lent = found(mesh, "deployments")
    undrained = run(mesh, "endpoints", "undrain", "fleet-life@a", "--wait")
    to = str(then[0]["snapshot"])
    back = run(mesh, "gateways", "rollback", "default", "--to", to, "--wait", "--comment", "enough")

    assert (drained.exit_code, undrained.exit_code, back.exit_code) == (0, 0, 0)
    assert "fleet-life: a has 0 of 1 endpoints usable; main serves its share" in lent
    assert "plan: fleet-life: revision 2 -> 3, main 60 %, a 40 % -> main 90 %, a 10 %" in back.stderr
    (newest,) = json.loads(run(mesh, "audit", "default", "--limit", "1", "-o", "json").stdout)
    assert (newest["verb"], newest["comment"]) == ("rollback gateway", "enough")
