"""The control plane's verbs: all or nothing, durable, and never undone by a file."""

import asyncio

import pytest

from tests.control.conftest import Planes
from xds.catalog.types import Type
from xds.control.plane import ControlPlane
from xds.control.terms import Terms
from xds.errors import InvalidInput, NotFound
from xds.spec.read import Document, read

ENDPOINTS = 'endpoints: {"s:1": ["10.0.0.1:80"], "s:2": ["10.0.0.2:80"]}\n'


def spec(name: str = "s", weight: float = 10, main: str = "s:1") -> str:
    """A deployment file."""
    return (
        f"name: {name}\nbento: {main}\n"
        "canary: {route_type: header, route_by: X-User, "
        f"versions: {{a: {{bento: 's:2', weight: {weight}}}}}}}\n"
    )


async def apply(plane: ControlPlane, *texts: str) -> list[bool]:
    """Apply texts as files; returns which deployments changed."""
    files = [(f"f{number}.yaml", text) for number, text in enumerate(texts)]
    applied, _ = await plane.deployments.apply_texts(files, Terms("test"))
    return [outcome.changed for outcome in applied.outcomes]


def documents(*texts: str, file: str = "s.yaml") -> tuple[Document, ...]:
    """The documents of one file of the specs folder."""
    reading = read([(file, "---\n".join(texts))])
    assert not reading.faults
    return reading.documents


def weights(plane: ControlPlane, name: str = "s") -> dict[str, float]:
    """The weights in force."""
    return plane.deployments.get(name).revision.spec.weights()


async def test_applying_the_same_file_again_changes_nothing(planes: Planes) -> None:
    """No revision, and the caller is told."""
    async with planes() as plane:
        assert await apply(plane, spec()) == [True]
        assert await apply(plane, spec()) == [False]
        assert plane.deployments.get("s").revision.number == 1


async def test_one_bad_file_among_good_ones_changes_nothing(planes: Planes) -> None:
    """All or nothing."""
    async with planes() as plane:
        with pytest.raises(InvalidInput):
            await apply(plane, spec(), spec("t", weight=101))
        with pytest.raises(NotFound, match="there is no deployment 's'"):
            plane.deployments.get("s")


async def test_what_was_committed_is_there_after_a_restart(planes: Planes) -> None:
    """Revision, slots, endpoints: the store alone decides."""
    async with planes() as plane:
        await apply(plane, ENDPOINTS, spec(weight=25))
        await plane.deployments.set_weights("s", {"a": 40}, Terms("test"))
        before = plane.deployments.get("s")
    async with planes() as plane:
        after = plane.deployments.get("s")
        assert (after.revision, after.endpoints) == (before.revision, before.endpoints)


async def test_a_governed_file_is_not_applied_again_after_a_rollback(planes: Planes) -> None:
    """Neither by a touch nor by a restart."""
    async with planes() as plane:
        await apply(plane, ENDPOINTS)
        for weight in (10, 20):
            await plane.deployments.apply(documents(spec(weight=weight)), Terms("specs"), governed=True)
        await plane.deployments.rollback("s", Terms("test"))
        await plane.deployments.apply(documents(spec(weight=20)), Terms("specs"), governed=True)
        assert weights(plane) == {"main": 90, "a": 10}
    async with planes() as plane:
        await plane.deployments.apply(documents(spec(weight=20)), Terms("specs"), governed=True)
        assert weights(plane) == {"main": 90, "a": 10}


async def test_an_edit_of_endpoints_alone_never_applies_the_spec_again(planes: Planes) -> None:
    """Spec and endpoints of a file are compared separately."""
    async with planes() as plane:
        await plane.deployments.apply(documents(ENDPOINTS, spec()), Terms("specs"), governed=True)
        await plane.deployments.abort("s", Terms("test"))
        edited = ENDPOINTS.replace("10.0.0.2", "10.0.0.3")
        await plane.deployments.apply(documents(edited, spec()), Terms("specs"), governed=True)
        assert weights(plane) == {"main": 100, "a": 0}
        assert [str(endpoint) for endpoint in plane.deployments.get("s").endpoints["s:2"]] == ["10.0.0.3:80"]


async def test_endpoints_no_file_mentions_any_more_stay(planes: Planes) -> None:
    """Otherwise promoting by file would leave nothing to roll back to."""
    async with planes() as plane:
        await plane.deployments.apply(documents(ENDPOINTS, spec()), Terms("specs"), governed=True)
        await plane.deployments.apply(documents(spec()), Terms("specs"), governed=True)
        assert plane.deployments.get("s").endpoints["s:2"]


async def test_a_rollback_onto_a_host_that_another_took_meanwhile_is_refused(planes: Planes) -> None:
    """The other's claim stands, and the message names it."""
    async with planes() as plane:
        await apply(plane, spec() + "hosts: [x.test]\n")
        await apply(plane, spec() + "hosts: [y.test]\n")
        await apply(plane, spec("t") + "hosts: [x.test]\n")
        with pytest.raises(InvalidInput, match=r"x\.test.*which t has \(revision 1 by test\)"):
            await plane.deployments.rollback("s", Terms("test"))


async def test_two_deployments_can_swap_their_hosts_in_one_batch(planes: Planes) -> None:
    """Claims are compared with what will be, not with what was."""
    async with planes() as plane:
        await apply(plane, spec("s") + "hosts: [x.test]\n", spec("t") + "hosts: [y.test]\n")
        await apply(plane, spec("s") + "hosts: [y.test]\n", spec("t") + "hosts: [x.test]\n")
        with pytest.raises(InvalidInput, match=r"y\.test"):
            await apply(plane, spec("u") + "hosts: [y.test]\n")


async def test_mixing_names_and_addresses_over_sources_is_refused(planes: Planes) -> None:
    """A build's cluster is either resolved by Envoy or fed by us."""
    async with planes() as plane:
        await plane.deployments.apply(documents(ENDPOINTS, spec()), Terms("specs"), governed=True)
        with pytest.raises(InvalidInput, match="mix host names and IP addresses"):
            await apply(plane, 'endpoints: {"s:2": ["model.test:80"]}\n')


async def test_a_call_cancelled_during_the_commit_leaves_memory_and_store_equal(planes: Planes) -> None:
    """The change runs to its end."""
    async with planes() as plane:
        await apply(plane, ENDPOINTS, spec())
        call = asyncio.create_task(plane.deployments.set_weights("s", {"a": 50}, Terms("test")))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await plane.deployments.abort("s", Terms("test"))
        history = await plane.deployments.history("s")
        assert [past.revision.kind for past in history] == ["abort", "set-weights", "apply"]


async def test_changes_of_one_window_are_published_together(planes: Planes) -> None:
    """Two changes, one new position of the catalog."""
    async with planes() as plane:
        await apply(plane, ENDPOINTS, spec())
        plane.publisher.publish()
        catalog = plane.hub.catalogs["default"]
        position = catalog.position
        await plane.deployments.set_weights("s", {"a": 20}, Terms("test"))
        await plane.deployments.set_weights("s", {"a": 30}, Terms("test"))
        plane.publisher.publish()
        assert catalog.position == position + 1


async def test_a_weight_change_touches_nothing_but_the_route_table(planes: Planes) -> None:
    """No cluster, endpoint or listener changes its version."""
    async with planes() as plane:
        await apply(plane, ENDPOINTS, spec())
        plane.publisher.publish()
        catalog = plane.hub.catalogs["default"]
        unchanged = (Type.CLUSTER, Type.ENDPOINT, Type.LISTENER)
        before = [catalog.fingerprint(type_) for type_ in (*unchanged, Type.ROUTE)]
        await plane.deployments.set_weights("s", {"a": 20}, Terms("test"))
        plane.publisher.publish()
        after = [catalog.fingerprint(type_) for type_ in (*unchanged, Type.ROUTE)]
        assert after[:3] == before[:3]
        assert after[3] != before[3]


async def test_rolling_back_restores_the_old_versions(planes: Planes) -> None:
    """Versions are content hashes: the catalog is the one of before."""
    async with planes() as plane:
        await apply(plane, ENDPOINTS, spec())
        plane.publisher.publish()
        catalog = plane.hub.catalogs["default"]
        before = catalog.fingerprint(Type.ROUTE)
        await plane.deployments.set_weights("s", {"a": 20}, Terms("test"))
        plane.publisher.publish()
        await plane.deployments.rollback("s", Terms("test"))
        plane.publisher.publish()
        assert catalog.fingerprint(Type.ROUTE) == before
