"""A whole gateway back as it was at a snapshot, all or nothing."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.control.test_plane import ENDPOINTS, apply, spec
from tests.control.test_resources import cluster
from xds.control.plane import ControlPlane
from xds.control.publisher import Publisher
from xds.control.state import State
from xds.control.terms import Terms
from xds.discovery.hub import Hub
from xds.errors import Conflict, InvalidInput, NotFound, TooFewEndpoints
from xds.spec.gateway import Gateway, Listen
from xds.store.sqlite import SqliteStore

ME = Terms("me")
ONLY_EDGE, ONLY_INNER = "gateways: [edge]\n", "gateways: [inner]\n"


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[ControlPlane]:
    """A control plane with two gateways, and endpoints for what `spec` runs."""
    gateways = tuple(Gateway(name=name, listeners=(Listen(port=80),)) for name in ("edge", "inner"))
    with ThreadPoolExecutor(1) as thread:
        store = thread.submit(SqliteStore, tmp_path / "canary.db").result()
        state = State(gateways, thread.submit(store.load, 0.0).result())
        plane = ControlPlane(state, store, thread, Publisher(state, Hub(["edge", "inner"]), lambda _: None))
        await apply(plane, ENDPOINTS)
        yield plane
        thread.submit(store.close).result()


async def newest(plane: ControlPlane, gateway: str = "edge") -> int:
    """The number of the newest snapshot of a gateway."""
    return (await plane.gateways.snapshots(gateway, limit=1))[0].number


def in_force(plane: ControlPlane) -> dict[str, float]:
    """The weight of the canary, by deployment."""
    standings = plane.deployments.list()
    return {each.revision.deployment: each.revision.spec.weights()["a"] for each in standings}


async def test_everything_goes_back_to_what_it_was(plane: ControlPlane) -> None:
    """Changed, made, and deleted since: one write, one line in the audit."""
    await apply(plane, spec("x"), spec("y"))
    then = await newest(plane)
    await plane.deployments.set_weights("x", {"a": 50}, ME)
    await plane.deployments.delete("y", ME)
    await apply(plane, spec("z"))
    done = await plane.gateways.rollback("edge", then, Terms("ada"))
    assert in_force(plane) == {"x": 10, "y": 10}
    kinds = {each.standing.revision.deployment: each.standing.revision.kind for each in done.outcomes}
    assert kinds == {"x": "rollback", "y": "undelete", "z": "delete"}
    ((_, line),) = await plane.audit(author="ada")
    assert (line.verb, line.subjects) == ("rollback gateway", ("edge", "x", "y", "z"))


async def test_what_another_gateway_serves_stays(plane: ControlPlane) -> None:
    """Only what both serve changes there too, and that is noted."""
    await apply(plane, spec("x"), spec("y") + ONLY_INNER, spec("z") + ONLY_EDGE)
    then = await newest(plane)
    for name in ("x", "y", "z"):
        await plane.deployments.set_weights(name, {"a": 50}, ME)
    done = await plane.gateways.rollback("edge", then, ME)
    assert in_force(plane) == {"x": 10, "y": 50, "z": 10}
    notes = {each.standing.revision.deployment: each.standing.notes for each in done.outcomes}
    assert notes == {"x": ("it changed on inner as well",), "z": ()}


async def test_the_resources_it_was_given_go_back_too(plane: ControlPlane) -> None:
    """In the same write."""
    await plane.resources.set("edge", [("r.yaml", cluster(timeout="1s"))], ME)
    await apply(plane, spec("x"))
    then = await newest(plane)
    await plane.resources.set("edge", [("r.yaml", cluster(timeout="2s"))], ME)
    done = await plane.gateways.rollback("edge", then, ME)
    given = plane.resources.get("edge").given
    assert done.outcomes == []
    assert given is not None
    assert (given.number, given.source) == (3, 1)


async def test_hosts_that_were_swapped_are_swapped_back(plane: ControlPlane) -> None:
    """Claims are compared with what will be."""
    await apply(plane, spec("x") + "hosts: [x.test]\n", spec("y") + "hosts: [y.test]\n")
    then = await newest(plane)
    await plane.deployments.delete("x", ME)
    await apply(plane, spec("y") + "hosts: [x.test]\n")
    await plane.gateways.rollback("edge", then, ME)
    hosts = {each.revision.deployment: each.revision.spec.hosts for each in plane.deployments.list()}
    assert hosts == {"x": ("x.test",), "y": ("y.test",)}


async def test_versions_that_cannot_serve_hold_all_but_by_force(plane: ControlPlane) -> None:
    """All that is missing is named."""
    await apply(plane, spec("x", weight=50), spec("y", weight=50))
    then = await newest(plane)
    await apply(plane, spec("x", weight=10), spec("y", weight=10))
    await apply(plane, ENDPOINTS.replace('"10.0.0.2:80"', ""))
    with pytest.raises(TooFewEndpoints, match=r"x: a has 0 .*; y: a has 0 "):
        await plane.gateways.rollback("edge", then, ME)
    await plane.gateways.rollback("edge", then, Terms("me", force=True))
    assert in_force(plane) == {"x": 50, "y": 50}


async def test_a_dry_run_is_the_plan(plane: ControlPlane) -> None:
    """Nothing moves."""
    await apply(plane, spec("x"))
    then = await newest(plane)
    await plane.deployments.set_weights("x", {"a": 50}, ME)
    planned = await plane.gateways.rollback("edge", then, Terms("me", dry_run=True))
    assert [(each.standing.revision.source, each.moved) for each in planned.outcomes] == [(1, 40.0)]
    assert in_force(plane) == {"x": 50}


async def test_revisions_that_are_kept_no_more_are_named(plane: ControlPlane) -> None:
    """Then nothing changes."""
    limited = "revision_history_limit: 1\n"
    await apply(plane, spec("x") + limited)
    then = await newest(plane)
    for weight in (20, 30, 40):
        await plane.deployments.set_weights("x", {"a": weight}, ME)
    with pytest.raises(NotFound, match="x revision 1 is kept no more"):
        await plane.gateways.rollback("edge", then, ME)
    assert in_force(plane) == {"x": 40}


async def test_the_newest_snapshot_is_what_is_expected(plane: ControlPlane) -> None:
    """Of this gateway."""
    await apply(plane, spec("x") + ONLY_EDGE)
    then = await newest(plane)
    await apply(plane, spec("y") + ONLY_INNER)
    await plane.gateways.rollback("edge", then, Terms("me", expected=then))
    with pytest.raises(Conflict, match=f"snapshot {then} is the newest of gateway edge, not {then + 1}"):
        await plane.gateways.rollback("edge", then, Terms("me", expected=then + 1))


async def test_a_retry_is_answered_as_before(plane: ControlPlane) -> None:
    """And changes nothing."""
    await apply(plane, spec("x"))
    then = await newest(plane)
    await plane.deployments.set_weights("x", {"a": 50}, ME)
    first = await plane.gateways.rollback("edge", then, Terms("me", request="r"))
    await plane.deployments.set_weights("x", {"a": 70}, ME)
    again = await plane.gateways.rollback("edge", then, Terms("me", request="r"))
    assert [each.standing.revision for each in again.outcomes] == [
        each.standing.revision for each in first.outcomes
    ]
    assert in_force(plane) == {"x": 70}


@pytest.mark.parametrize("number", [-1, 0, 99])
async def test_a_snapshot_that_there_is_not_is_not_found(plane: ControlPlane, number: int) -> None:
    """Whatever the number."""
    with pytest.raises(NotFound, match="there is no snapshot"):
        await plane.gateways.rollback("edge", number, ME)


async def test_a_gateways_snapshots_are_those_that_touched_it(plane: ControlPlane) -> None:
    """With what they brought to it; leaving it is touching it."""
    await apply(plane, spec("x"), spec("y") + ONLY_INNER)
    await plane.deployments.set_weights("y", {"a": 50}, ME)
    await plane.resources.set("inner", [("r.yaml", cluster())], ME)
    await apply(plane, spec("x") + ONLY_INNER)
    edge = await plane.gateways.snapshots("edge")
    assert [snapshot.revisions for snapshot in edge] == [{"x": 2}, {"x": 1}]
    inner = await plane.gateways.snapshots("inner")
    assert [snapshot.revisions for snapshot in inner] == [{"x": 2}, {}, {"y": 2}, {"x": 1, "y": 1}]
    assert [snapshot.resources for snapshot in inner] == [{}, {"inner": 1}, {}, {}]
    standing = {each.gateway.name: each for each in await plane.gateways.list()}
    assert (standing["edge"].snapshot, standing["edge"].deployments) == (edge[0].number, 0)
    assert (standing["inner"].snapshot, standing["inner"].deployments) == (inner[0].number, 2)


async def test_snapshots_are_paged(plane: ControlPlane) -> None:
    """By their numbers, newest first."""
    await apply(plane, spec("x"))
    for weight in (20, 30, 40):
        await plane.deployments.set_weights("x", {"a": weight}, ME)
    first = await plane.gateways.snapshots("edge", limit=3)
    rest = await plane.gateways.snapshots("edge", before=first[-1].number, limit=3)
    assert [each.revisions["x"] for each in (*first, *rest)] == [4, 3, 2, 1]


async def test_a_host_that_somebody_else_took_holds_all(plane: ControlPlane) -> None:
    """Somebody whom the rollback doesn't concern."""
    await apply(plane, spec("x"), spec("y") + "hosts: [h.test]\n")
    then = await newest(plane)
    await plane.deployments.set_weights("x", {"a": 50}, ME)
    await apply(plane, spec("y") + "hosts: [y.test]\n" + ONLY_EDGE)
    await apply(plane, spec("z") + "hosts: [h.test]\n" + ONLY_INNER)
    with pytest.raises(InvalidInput, match=r"h\.test.*which z has"):
        await plane.gateways.rollback("edge", then, ME)
    assert in_force(plane)["x"] == 50
