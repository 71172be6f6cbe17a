"""What there is to see of deployments: pages, differences, what can be returned to, drift."""

import pytest

from tests.control.conftest import Planes
from tests.control.test_plane import ENDPOINTS, apply, documents, spec
from xds.control.terms import Terms
from xds.errors import InvalidInput, NotFound

ME = Terms("me", force=True)


async def test_deployments_are_listed_in_pages(planes: Planes) -> None:
    """By name, from behind the last one on."""
    async with planes() as plane:
        await apply(plane, *(spec(name) for name in ("c", "a", "d", "b")))
        first = [each.revision.deployment for each in plane.deployments.list(limit=3)]
        rest = [each.revision.deployment for each in plane.deployments.list(first[-1], 3)]
        assert (first, rest) == (["a", "b", "c"], ["d"])


async def test_the_history_is_listed_in_pages(planes: Planes) -> None:
    """Newest first; with what can be returned to now."""
    async with planes() as plane:
        await apply(plane, ENDPOINTS, spec(weight=40))
        for weight in (10, 20, 40):
            await plane.deployments.set_weights("s", {"a": weight}, ME)
        first = await plane.deployments.history("s", limit=3)
        rest = await plane.deployments.history("s", before=first[-1].revision.number, limit=3)
        assert [(past.revision.number, past.not_returnable) for past in (*first, *rest)] == [
            (4, "it is in force"),
            (3, ""),
            (2, ""),
            (1, "it is in force, as revision 4"),
        ]


async def test_two_revisions_differ_in_what_was_changed(planes: Planes) -> None:
    """As a unified diff; and in who gets another version."""
    async with planes() as plane:
        await apply(plane, ENDPOINTS, spec(weight=10))
        await plane.deployments.set_weights("s", {"a": 35}, ME)
        found = await plane.deployments.diff("s")
        changed = [line for line in found.text.splitlines()[2:] if line[0] in "+-"]
        assert (found.before, found.after, found.moved) == ("revision 1", "revision 2", 25.0)
        assert [line.split() for line in changed] == [["-", "weight:", "10"], ["+", "weight:", "35"]]


async def test_the_first_revision_differs_from_nothing(planes: Planes) -> None:
    """All of it is new."""
    async with planes() as plane:
        await apply(plane, spec())
        found = await plane.deployments.diff("s")
        assert (found.before, found.after, found.moved) == ("nothing", "revision 1", 0.0)
        assert "+name: s\n" in found.text


async def test_a_file_is_compared_with_what_is_in_force(planes: Planes) -> None:
    """Where nothing is, with nothing; where it is the same, there is no difference."""
    async with planes() as plane:
        await apply(plane, spec("s"), spec("t"))
        files = [("f.yaml", f"{spec('s', weight=60)}---\n{spec('t')}---\n{spec('u')}")]
        found = await plane.deployments.diff_texts(files)
        assert [(each.name, each.before, bool(each.text), each.moved) for each in found] == [
            ("s", "revision 1", True, 50.0),
            ("t", "revision 1", False, 0.0),
            ("u", "nothing", True, 0.0),
        ]
        assert found[0].after == "f.yaml:1"


async def test_a_file_with_faults_is_not_compared(planes: Planes) -> None:
    """They are told instead."""
    async with planes() as plane:
        with pytest.raises(InvalidInput):
            await plane.deployments.diff_texts([("f.yaml", spec(weight=101))])


async def test_a_revision_that_there_is_not_cannot_be_compared(planes: Planes) -> None:
    """It is named."""
    async with planes() as plane:
        await apply(plane, spec())
        with pytest.raises(NotFound, match="s has no revision 7"):
            await plane.deployments.diff("s", after=7)


async def test_what_differs_from_its_file_says_so(planes: Planes) -> None:
    """Until it is as the file has it again; nothing is said of files that are gone."""
    async with planes() as plane:
        await apply(plane, ENDPOINTS)
        governed = documents(spec(weight=10))
        await plane.deployments.apply(governed, ME, governed=True, present=["s.yaml"])
        assert plane.deployments.get("s").notes == ()
        await plane.deployments.set_weights("s", {"a": 20}, Terms("ada"))
        drift = ("s.yaml says otherwise than revision 2 (set-weights by ada)",)
        assert plane.deployments.get("s").notes == drift
    async with planes() as plane:
        assert plane.deployments.get("s").notes == ()
        await plane.deployments.apply(governed, ME, governed=True, present=["s.yaml"])
        assert plane.deployments.get("s").notes == drift
        await plane.deployments.set_weights("s", {"a": 10}, Terms("ada"))
        assert plane.deployments.get("s").notes == ()
