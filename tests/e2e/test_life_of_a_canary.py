"""The life of a canary, by the command and on the real Envoy: shifted, promoted, aborted, rolled back."""

import json
from collections.abc import Sequence
from pathlib import Path

import click.testing
import pytest

from tests.support.files import deployment, split
from tests.support.mesh import Mesh
from tests.support.traffic import Ask, Client
from xds.cli.main import canary

pytestmark = pytest.mark.envoy

NAME = "life"
KEYS = [f"user-{number}" for number in range(2000)]
STEPS = (1, 2, 5, 10, 20, 30, 40, 50, 70, 90)
"""Percent."""


class Operator:
    """Somebody who types commands and waits for the Envoys each time."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh

    def __call__(self, *args: str, code: int = 0) -> str:
        """What `canary` prints; it has to exit so."""
        env = {"CANARY_SERVER": self._mesh.plane.admin}
        result = click.testing.CliRunner().invoke(canary, args, env=env, catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result.stdout

    def write(self, *args: str) -> int:
        """Make a change, have it confirmed; its revision."""
        said = json.loads(self(*args, "--wait", "-o", "json"))
        change = said["changes"][0] if "changes" in said else said
        assert change["changed"]
        assert change["confirmation"]["state"] == "confirmed"
        return int(change["revision"])


async def users(client: Client, keys: Sequence[str] = KEYS) -> dict[str, str]:
    """Which build each of them gets."""
    answers = await client.ask_all(Ask(NAME, header="X-User-ID"), keys)
    return {key: answer.build for key, answer in answers.items()}


@pytest.fixture
def operator(mesh: Mesh) -> Operator:
    """At the shared mesh."""
    return Operator(mesh)


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A deployment with everybody at `main`."""
    canary = {
        **split("X-User-ID", route_type="header", a=("a1", 0)),
        "version_selector": {"header": "X-Version"},
    }
    written = tmp_path / "life.yaml"
    written.write_text(deployment(NAME, canary=canary), encoding="utf-8")
    return str(written)


async def test_a_canary_from_its_first_user_to_its_end_and_back(
    operator: Operator, client: Client, file: str
) -> None:
    """After each return every one of 2,000 users has the version of before."""
    assert operator.write("apply", "-f", file) == 1
    operator("test", NAME, "--version", "a")
    revisions = [operator.write("set-weight", NAME, f"a={share}") for share in STEPS[:-1]]
    shifted = await users(client)
    operator.write("set-weight", NAME, f"a={STEPS[-1]}")
    operator.write("rollback", NAME)
    assert await users(client) == shifted

    operator.write("promote", NAME, "a")
    assert set((await users(client, KEYS[:200])).values()) == {"a1"}
    operator.write("rollback", NAME)
    assert await users(client) == shifted

    operator.write("abort", NAME)
    operator("abort", NAME, "--wait")  # twice does no harm
    assert set((await users(client, KEYS[:200])).values()) == {"m1"}
    operator.write("rollback", NAME, "--to-revision", str(revisions[4]))
    old = await users(client)
    moved = {key for key in KEYS if old[key] != shifted[key]}
    assert {old[key] for key in moved} == {"m1"}  # as on the way up, the other way round
    assert 0.15 < sum(build == "a1" for build in old.values()) / len(KEYS) < 0.25

    operator.write("delete", NAME)
    assert (await client.ask(Ask(NAME, header="X-User-ID"), "user-1")).status == 404
    assert NAME in operator("list", "--deleted", "-o", "name").split()
    operator.write("undelete", NAME)
    assert await users(client) == old

    kinds = [each["kind"] for each in reversed(json.loads(operator("history", NAME, "-o", "json")))]
    assert kinds == [
        *("apply", *["set-weights"] * len(STEPS), "rollback", "promote", "rollback"),
        *("abort", "rollback", "delete", "undelete"),
    ]


async def test_a_canary_with_a_user_in_ten_thousand_is_reached(
    operator: Operator, client: Client, tmp_path: Path
) -> None:
    """`canary test` finds a key of its, without a selector; and Envoy agrees with the first request."""
    name = "life-of-few"
    file = tmp_path / "few.yaml"
    file.write_text(deployment(name, canary=split("X-User-ID", route_type="header", a=("a1", 0.01))))
    operator.write("apply", "-f", str(file))

    said = json.loads(operator("test", name, "--version", "a", "-o", "json"))

    assert (said["reached"], said["requests"]) == ("a", 1)
    assert (await client.ask(Ask(name, header="X-User-ID"), said["key"])).build == "a1"
