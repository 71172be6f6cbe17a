"""Deployments that are deleted: out of service at once, never out of history."""

import pytest

from tests.control.conftest import Planes
from tests.control.test_plane import ENDPOINTS, apply, documents, spec
from xds.catalog.types import Type
from xds.control.terms import Terms
from xds.errors import InvalidInput, NotFound, NothingToDo

ME = Terms("me")


async def test_a_deleted_deployment_is_nowhere_but_in_its_history(planes: Planes) -> None:
    """Not listed, not served; asking for it says how to bring it back. Also after a restart."""
    async with planes() as plane:
        await apply(plane, ENDPOINTS, spec())
        plane.publisher.publish()
        await plane.deployments.delete("s", ME)
        plane.publisher.publish()
        catalog = plane.hub.catalogs["default"]
        assert [*catalog.all(Type.CLUSTER), *catalog.all(Type.ENDPOINT)] == []
        assert b"s_1" not in catalog.all(Type.ROUTE)["default"].body
    async with planes() as plane:
        assert plane.deployments.list() == []
        with pytest.raises(NotFound, match="`canary undelete s` brings it back"):
            plane.deployments.get("s")
        assert [past.revision.kind for past in await plane.deployments.history("s")] == ["delete", "apply"]


async def test_what_was_deleted_can_be_listed(planes: Planes) -> None:
    """By name, also after a restart; what is brought back isn't among it any more."""
    async with planes() as plane:
        await apply(plane, spec("s"))
        await plane.deployments.delete("s", ME)
        await apply(plane, spec("t"))
    async with planes() as plane:
        (gone,) = plane.deployments.list(deleted=True)
        assert (gone.revision.deployment, gone.deleted) == ("s", True)
        assert plane.deployments.list("s", deleted=True) == []
        await plane.deployments.undelete("s", ME)
        assert plane.deployments.list(deleted=True) == []


async def test_undeleting_restores_it_as_it_was(planes: Planes) -> None:
    """Spec and slots; its builds keep their names."""
    async with planes() as plane:
        await apply(plane, ENDPOINTS, spec())
        await plane.deployments.set_weights("s", {"a": 33}, ME)
        before = plane.deployments.get("s").revision
        await plane.deployments.delete("s", ME)
        outcome = await plane.deployments.undelete("s", ME)
        after = outcome.standing.revision
        assert (after.number, after.kind, after.source) == (4, "undelete", 2)
        assert (after.spec, after.slots, after.labels) == (before.spec, before.slots, before.labels)


async def test_what_is_not_deleted_cannot_be_undeleted(planes: Planes) -> None:
    """It says so."""
    async with planes() as plane:
        await apply(plane, spec())
        with pytest.raises(NothingToDo, match="s is not deleted"):
            await plane.deployments.undelete("s", ME)


async def test_a_deletion_frees_the_hosts(planes: Planes) -> None:
    """Then another one has them, and undeleting is refused."""
    async with planes() as plane:
        await apply(plane, spec() + "hosts: [x.test]\n")
        await plane.deployments.delete("s", ME)
        await apply(plane, spec("t") + "hosts: [x.test]\n")
        with pytest.raises(InvalidInput, match=r"x\.test.*which t has"):
            await plane.deployments.undelete("s", ME)


async def test_applying_a_deleted_deployment_makes_it_again(planes: Planes) -> None:
    """The next revision of the same history."""
    async with planes() as plane:
        await apply(plane, spec())
        await plane.deployments.delete("s", ME)
        assert await apply(plane, spec()) == [True]
        assert plane.deployments.get("s").revision.number == 3


async def test_a_governed_file_brings_a_deleted_deployment_back_only_when_it_changes(planes: Planes) -> None:
    """Neither a touch nor a restart does."""
    async with planes() as plane:
        await plane.deployments.apply(documents(spec()), ME, governed=True)
        await plane.deployments.delete("s", ME)
        await plane.deployments.apply(documents(spec()), ME, governed=True)
        assert plane.deployments.list() == []
    async with planes() as plane:
        await plane.deployments.apply(documents(spec()), ME, governed=True)
        assert plane.deployments.list() == []
        await plane.deployments.apply(documents(spec(weight=30)), ME, governed=True)
        assert plane.deployments.get("s").revision.number == 3


async def test_endpoints_for_a_build_of_a_deleted_deployment_concern_nobody(planes: Planes) -> None:
    """They are kept all the same."""
    async with planes() as plane:
        await apply(plane, ENDPOINTS, spec())
        await plane.deployments.delete("s", ME)
        applied, _ = await plane.deployments.apply_texts(
            [("e.yaml", 'endpoints: {"s:1": ["10.0.0.9:80"]}\n')], ME
        )
        assert [change.deployments for change in applied.endpoints] == [()]


async def test_a_deleted_deployment_lists_no_revision_to_return_to(planes: Planes) -> None:
    """It has to be undeleted first."""
    async with planes() as plane:
        await apply(plane, spec())
        await plane.deployments.delete("s", ME)
        deleted, first = await plane.deployments.history("s")
        assert deleted.not_returnable == "it was deleted"
        assert "undelete it first" in first.not_returnable
