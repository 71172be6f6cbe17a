"""The SDK and the command against a real server and a real Envoy: a canary's life, from outside."""

import asyncio
import json
from pathlib import Path

import click.testing
import pytest

from tests.support.files import deployment, split
from tests.support.mesh import Mesh
from xds.cli.main import canary
from xds.client import (
    AsyncClient,
    Client,
    Conflict,
    InvalidInput,
    NotFound,
    Rejected,
    TooFewEndpoints,
    Wait,
)
from xds.stubs import canary_admin_v1_pb2 as pb
from xds.stubs import envoy_config_cluster_v3_pb2 as clusters

pytestmark = pytest.mark.envoy

HEADER = split("X-User-ID", route_type="header", a=("a1", 10))


def test_a_canarys_life_from_python(mesh: Mesh) -> None:
    """Applied, shifted, promoted and rolled back, each confirmed by the Envoy before the call returns."""
    with Client(mesh.plane.admin) as client:
        client.apply(deployment("sdk-life", canary=HEADER), wait=True)
        shifted = client.set_weights("sdk-life", {"a": 40}, wait=20)
        client.promote("sdk-life", wait=True)
        back = client.rollback("sdk-life", wait=True)
        client.rollback("sdk-life", to_revision=1, wait=True)
        client.abort("sdk-life", wait=True)
        client.delete("sdk-life", wait=True)
        client.undelete("sdk-life", wait=True)
        kinds = [revision.kind for revision in client.history("sdk-life", page_size=3)]

    assert (shifted.moved, shifted.confirmation.confirmed) == (30, 1)
    assert {version.label: version.weight for version in back.deployment.versions} == {"main": 60, "a": 40}
    assert kinds == [
        *("undelete", "delete", "abort", "rollback", "rollback", "promote", "set-weights", "apply"),
    ]


def test_what_an_envoy_rejects_is_raised_and_undone(mesh: Mesh) -> None:
    """With who refused what; the split is as it was before."""
    bad = deployment("sdk-spoilt", canary=split(a=("a1", 0)), tls={"ca_file": "/no/such/authorities.pem"})
    with Client(mesh.plane.admin) as client:
        client.apply(deployment("sdk-spoilt", canary=split(a=("a1", 5))), wait=True)
        with pytest.raises(Rejected, match="no/such/authorities") as rejected:
            client.apply(bad, wait=Wait(timeout=20, rollback_on_reject=True))
        now = client.get("sdk-spoilt")

    assert now.revision.number == rejected.value.confirmation.undone_by == 3
    assert dict(now.revision.weights) == {"main": 95, "a": 5}


def test_a_rejection_has_an_exit_code(mesh: Mesh, tmp_path: Path) -> None:
    """3, with the Envoy's own words in one line."""
    file = tmp_path / "cli-spoilt.yaml"
    file.write_text(deployment("cli-spoilt"), encoding="utf-8")
    run(mesh, "apply", "-f", str(file), "--wait")
    bad = deployment("cli-spoilt", tls={"ca_file": "/no/such/authorities.pem"})
    file.write_text(bad, encoding="utf-8")

    result = run(mesh, "apply", "-f", str(file), "--wait", "--on-reject", "rollback")

    assert result.exit_code == 3
    assert "/no/such/authorities.pem" in result.stderr.splitlines()[-1]
    assert "(undone by revision 3)" in result.stderr


async def test_a_watch_sees_what_happens(mesh: Mesh) -> None:
    """The state first, then each change."""
    async with AsyncClient(mesh.plane.admin) as client, asyncio.timeout(20):
        await client.apply(deployment("sdk-watched", canary=HEADER), wait=True)
        events = client.watch("sdk-watched")
        assert (await anext(events)).deployment.revision.number == 1
        await client.set_weights("sdk-watched", {"a": 20})
        async for event in events:
            if event.deployment.revision.number == 2:
                break


def test_errors_are_typed(mesh: Mesh) -> None:
    """As the server means them."""
    with Client(mesh.plane.admin) as client:
        client.apply(
            deployment("sdk-wrong", canary=split(a=("nowhere", 0))), expected_revision=0, comment="first"
        )
        with pytest.raises(NotFound):
            client.get("sdk-nothing")
        with pytest.raises(InvalidInput) as invalid:
            client.set_weights("sdk-wrong", {"z": 20})
        with pytest.raises(Conflict):
            client.set_weights("sdk-wrong", {"a": 0}, expected_revision=7)
        with pytest.raises(TooFewEndpoints):
            client.promote("sdk-wrong", "a")

    assert [fault.path for fault in invalid.value.faults] == ["weights.z"]


def test_a_repeated_request_changes_nothing_twice(mesh: Mesh) -> None:
    """The same id: the same answer."""
    with Client(mesh.plane.admin) as client:
        client.apply(deployment("sdk-again", canary=HEADER))
        first = client.set_weights("sdk-again", {"a": 20}, request_id="sdk-again-1")
        client.set_weights("sdk-again", {"a": 30})
        again = client.set_weights("sdk-again", {"a": 20}, request_id="sdk-again-1")
        now = client.get("sdk-again")

    assert again.deployment.revision.number == first.deployment.revision.number
    assert now.revision.number == first.deployment.revision.number + 1


def test_resources_can_be_messages(mesh: Mesh) -> None:
    """What the gateway has then is what was given."""
    with Client(mesh.plane.admin) as client:
        given = client.set_resources("default", clusters.Cluster(name="sdk-raw", type="STATIC"), wait=True)
        gone = client.set_resources("default", [], wait=True)

    assert json.loads(given.resources.contents_json[0])["name"] == "sdk-raw"
    assert given.confirmation.state == pb.Confirmation.CONFIRMED
    assert list(gone.resources.contents_json) == []


def run(mesh: Mesh, *args: str) -> click.testing.Result:
    """The command, in this process."""
    return click.testing.CliRunner().invoke(canary, args, env={"CANARY_SERVER": mesh.plane.admin})


def test_the_command_applies_tests_and_goes_back(mesh: Mesh, tmp_path: Path) -> None:
    """What `get -o yaml` prints applies to no change; `test` reaches the version through the Envoy."""
    file = tmp_path / "cli-life.yaml"
    file.write_text(deployment("cli-life", canary=HEADER), encoding="utf-8")

    applied = run(mesh, "apply", "-f", str(file), "--wait")
    reached = run(mesh, "test", "cli-life", "--version", "a", "-o", "json")
    file.write_text(run(mesh, "get", "cli-life", "-o", "yaml").stdout, encoding="utf-8")
    unchanged = run(mesh, "apply", "-f", str(file), "-o", "json")
    run(mesh, "set-weight", "cli-life", "a=40")
    back = run(mesh, "rollback", "cli-life", "--wait")

    assert (applied.exit_code, applied.stderr.splitlines()[-1]) == (0, "confirmed by 1 of 1 Envoys")
    assert json.loads(reached.stdout)["reached"] == "a"
    assert [change["changed"] for change in json.loads(unchanged.stdout)["changes"]] == [False]
    assert back.exit_code == 0
    assert back.stderr == (
        "plan: to revision 1: main 90 %, a 10 %; 30 % of the users get another version\n"
        "confirmed by 1 of 1 Envoys\n"
    )


def test_the_command_is_told_of_a_conflict(mesh: Mesh, tmp_path: Path) -> None:
    """Exit 4, and nothing was changed."""
    file = tmp_path / "cli-race.yaml"
    file.write_text(deployment("cli-race", canary=HEADER), encoding="utf-8")
    run(mesh, "apply", "-f", str(file))

    late = run(mesh, "set-weight", "cli-race", "a=50", "--expected-revision", "7")

    assert late.exit_code == 4
    assert "revision 1 of cli-race is in force" in late.stderr
