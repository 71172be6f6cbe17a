"""What there is to check follows from what is in force, and what was seen from what is lent."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.control.conftest import Planes
from xds.control.health import FAILURES, Check
from xds.control.plane import ControlPlane
from xds.control.terms import Terms
from xds.errors import TooFewEndpoints
from xds.spec.endpoint_lists import parse_endpoint

ME = Terms("test")
MAIN, A = Check("10.0.0.1", 80), Check("10.0.0.2", 80)


async def apply(
    plane: ControlPlane, weight: float = 20, a: dict[str, Any] | None = None, **said: Any
) -> None:
    """A deployment with a canary, each with one endpoint."""
    versions = {"a": {"weight": weight, "endpoints": ["10.0.0.2:80"], **(a or {})}}
    spec = {"name": "chat", "endpoints": ["10.0.0.1:80"], "canary": {"versions": versions}, **said}
    await plane.deployments.apply_texts([("chat.yaml", yaml.safe_dump(spec))], ME)


def look(plane: ControlPlane, *failing: Check, times: int = FAILURES) -> None:
    """Look at everything so often."""
    for _ in range(times):
        for check in plane.health.checks():
            plane.health.heard(check, "refused" if check in failing else "")
        plane.health.settle()


@pytest.mark.parametrize("weight", [20, 0])
async def test_every_build_in_force_is_checked_whatever_its_weight(planes: Planes, weight: float) -> None:
    """Until it is in force no more."""
    async with planes() as plane:
        await apply(plane, weight)
        assert set(plane.health.checks()) == {MAIN, A}
        await plane.endpoints.add("chat@a", [parse_endpoint("10.0.0.3:80")], ME)
        assert set(plane.health.checks()) == {MAIN, A, Check("10.0.0.3", 80)}
        await plane.deployments.delete("chat", ME)
        assert plane.health.checks() == ()


async def test_where_nothing_can_be_lent_nobody_is_checked(planes: Planes) -> None:
    """There is no canary, or it isn't wanted."""
    async with planes() as plane:
        await plane.deployments.apply_texts([("s.yaml", "name: s\nendpoints: ['10.0.0.9:80']\n")], ME)
        await apply(plane, lend_when="empty")
        assert plane.health.checks() == ()


@pytest.mark.parametrize(
    ("said", "check"),
    [
        (
            {"health_check": {"path": "/ready", "timeout": "3s"}},
            Check("10.0.0.2", 80, "http", "/ready", "chat", 3.0),
        ),
        (
            {"protocol": "grpc", "health_check": {"type": "grpc"}},
            Check("10.0.0.2", 80, "grpc", timeout=2.0),
        ),
        ({"protocol": "http2", "health_check": {}}, Check("10.0.0.2", 80, timeout=2.0)),
        ({"tls": {}, "health_check": {}}, Check("10.0.0.2", 80, timeout=2.0)),
        ({"tls": {}}, A),
    ],
    ids=["http", "grpc", "http2", "http over tls", "tls"],
)
async def test_a_version_is_checked_as_it_says_if_that_can_be_done(
    planes: Planes, said: dict[str, Any], check: Check
) -> None:
    """Else it is asked for a connection."""
    async with planes() as plane:
        await apply(plane, a=said)
        assert set(plane.health.checks()) == {MAIN, check}


async def test_a_build_that_is_unhealthy_lends_and_it_shows(planes: Planes) -> None:
    """In the deployment, with the endpoint, and in what Envoys are to have; usable it is all the same."""
    async with planes() as plane:
        await apply(plane)
        look(plane)
        look(plane, A, times=10)
        standing = plane.deployments.get("chat")
        assert standing.lending == {standing.revision.labels["a"]}
        assert standing.unhealthy == {"chat@a": "10.0.0.2:80: refused"}
        (build,) = plane.endpoints.list("chat@a")
        assert (build.usable, build.endpoints[0].unhealthy) == (1, "refused")
        assert plane.health.lent() == {("chat", "chat@a"): 2_000}


@pytest.mark.parametrize("verb", ["promote", "set_weights"])
async def test_a_canary_that_is_down_gets_no_more_users(planes: Planes, verb: str) -> None:
    """The reason is said, nothing is changed, and who insists has it."""
    async with planes() as plane:
        await apply(plane)
        look(plane)
        look(plane, A, times=10)
        said = "a" if verb == "promote" else {"a": 30}
        with pytest.raises(TooFewEndpoints, match=r"chat: a is unhealthy \(10.0.0.2:80: refused\); nothing"):
            await getattr(plane.deployments, verb)("chat", said, ME)
        assert plane.deployments.get("chat").revision.number == 1
        await getattr(plane.deployments, verb)("chat", said, dataclasses.replace(ME, force=True))
        assert plane.deployments.get("chat").revision.number == 2


async def test_a_canary_that_is_down_can_lose_its_users(planes: Planes) -> None:
    """By weights, by a rollback, by an abort."""
    async with planes() as plane:
        await apply(plane, 10)
        await apply(plane, 50)
        look(plane)
        look(plane, A, times=10)
        await plane.deployments.set_weights("chat", {"a": 30}, ME)
        await plane.deployments.rollback("chat", ME, to=1)
        await plane.deployments.abort("chat", ME)
        assert plane.deployments.get("chat").revision.number == 5


async def test_nobody_goes_back_to_a_canary_that_is_down(planes: Planes) -> None:
    """The history says so before it is tried."""
    async with planes() as plane:
        await apply(plane, 50)
        await apply(plane, 10)
        look(plane)
        look(plane, A, times=10)
        past = await plane.deployments.history("chat")
        assert past[1].not_returnable == "a is unhealthy (10.0.0.2:80: refused)"
        with pytest.raises(TooFewEndpoints, match="a is unhealthy"):
            await plane.deployments.rollback("chat", ME)


async def test_main_can_be_down_too(planes: Planes) -> None:
    """Nobody serves for it; nor does it get more users, and away from it they may go."""
    async with planes() as plane:
        await apply(plane)
        look(plane, MAIN, times=10)
        standing = plane.deployments.get("chat")
        assert (standing.unhealthy, standing.lending) == ({"chat@main": "10.0.0.1:80: refused"}, frozenset())
        with pytest.raises(TooFewEndpoints, match="main is unhealthy"):
            await plane.deployments.set_weights("chat", {"a": 10}, ME)
        await plane.deployments.promote("chat", "a", ME)
        with pytest.raises(TooFewEndpoints, match=r"main is unhealthy"):
            await plane.deployments.rollback("chat", ME)


async def test_a_canary_whose_main_is_down_too_is_down(planes: Planes) -> None:
    """Although nothing is lent."""
    async with planes() as plane:
        await apply(plane)
        look(plane, MAIN, A, times=10)
        standing = plane.deployments.get("chat")
        assert (set(standing.unhealthy), standing.lending) == ({"chat@main", "chat@a"}, frozenset())
        with pytest.raises(TooFewEndpoints, match="a is unhealthy"):
            await plane.deployments.promote("chat", "a", ME)


@pytest.mark.parametrize(
    ("agreed", "checked", "down"),
    [(False, {}, True), (True, {"health_check": {"type": "tcp"}}, False), (True, {}, True), (None, {}, True)],
    ids=["they can't use it", "they can", "they don't check", "none knows it"],
)
async def test_the_envoys_know_better_whether_main_is_down(
    planes: Planes,
    monkeypatch: pytest.MonkeyPatch,
    agreed: bool | None,  # noqa: FBT001 (what is tried)
    checked: dict[str, Any],
    down: bool,  # noqa: FBT001 (what is expected)
) -> None:
    """If they check it, that is; else it is what the server sees: nobody answers."""
    async with planes() as plane:
        await apply(plane, **checked)
        monkeypatch.setattr(plane.telemetry, "healthy_by_quorum", lambda *_: agreed)
        for check in plane.health.checks():
            for _ in range(FAILURES):
                plane.health.heard(check, "refused")
        assert ("chat@main" in plane.deployments.get("chat").unhealthy) is down


async def test_a_gateway_goes_back_to_no_canary_that_is_down(planes: Planes) -> None:
    """As its deployments don't, one by one."""
    async with planes() as plane:
        await apply(plane, 50)
        then = (await plane.gateways.snapshots("default", limit=1))[0].number
        await apply(plane, 10)
        look(plane)
        look(plane, A, times=10)
        with pytest.raises(TooFewEndpoints, match="chat: a is unhealthy"):
            await plane.gateways.rollback("default", then, ME)


async def test_a_restart_begins_without_verdicts(planes: Planes, tmp_path: Path) -> None:
    """Health is what is seen, and not recorded."""
    async with planes() as plane:
        await apply(plane)
        look(plane, A, times=10)
        assert plane.health.lent() == {("chat", "chat@a"): 2_000}
    assert (tmp_path / "canary.db").exists()
    async with planes() as plane:
        assert plane.health.lent() == {("chat", "chat@a"): 0}
        assert set(plane.health.checks()) == {MAIN, A}
