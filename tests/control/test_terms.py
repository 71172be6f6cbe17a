"""Under which conditions a write is done: what is expected, said before, only tried out, or forced."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.control.conftest import Planes
from tests.control.test_plane import ENDPOINTS, apply, spec, weights
from xds.control.plane import ControlPlane
from xds.control.standing import Outcome
from xds.control.terms import Terms
from xds.errors import AlreadyExists, Conflict, InvalidInput, NotFound, TooFewEndpoints

Verb = Callable[[ControlPlane, Terms], Awaitable[object]]


async def applying(plane: ControlPlane, terms: Terms) -> object:
    """A file."""
    return await plane.deployments.apply_texts([("f.yaml", spec(weight=33))], terms)


def weighing(plane: ControlPlane, terms: Terms) -> Awaitable[Outcome]:
    """Weights."""
    return plane.deployments.set_weights("s", {"a": 33}, terms)


def promoting(plane: ControlPlane, terms: Terms) -> Awaitable[Outcome]:
    """The only canary."""
    return plane.deployments.promote("s", "", terms)


def returning(plane: ControlPlane, terms: Terms) -> Awaitable[Outcome]:
    """One back."""
    return plane.deployments.rollback("s", terms)


def deleting(plane: ControlPlane, terms: Terms) -> Awaitable[Outcome]:
    """All of it."""
    return plane.deployments.delete("s", terms)


VERBS: list[Verb] = [applying, weighing, promoting, returning, deleting]

verbs = pytest.mark.parametrize("verb", VERBS)


async def begin(plane: ControlPlane) -> None:
    """Two revisions."""
    await apply(plane, ENDPOINTS, spec(weight=10))
    await apply(plane, spec(weight=20))


async def test_a_dry_run_counts_the_endpoints_of_its_files(planes: Planes) -> None:
    """A version that would have some does not wait for any; and nothing is done."""
    async with planes() as plane:
        files = [("f.yaml", f"{ENDPOINTS}---\n{spec()}")]

        applied, _ = await plane.deployments.apply_texts(files, Terms("me", dry_run=True))

        (outcome,) = applied.outcomes
        assert {ref: len(some) for ref, some in outcome.standing.endpoints.items()} == {"s:1": 1, "s:2": 1}
        assert outcome.standing.known == {"s:1": 1, "s:2": 1}
        assert not outcome.standing.lending
        assert plane.endpoints.list() == []


@verbs
async def test_a_write_that_expects_something_else_is_refused(planes: Planes, verb: Verb) -> None:
    """The message says what is in force, and by whom; nothing changes."""
    async with planes() as plane:
        await begin(plane)
        with pytest.raises(Conflict, match=r"revision 2 of s is in force \(apply by test at .*\), not 1"):
            await verb(plane, Terms("ada", expected=1))
        assert plane.deployments.get("s").revision.number == 2


@verbs
async def test_a_write_that_expects_what_is_in_force_is_done(planes: Planes, verb: Verb) -> None:
    """And is the next revision."""
    async with planes() as plane:
        await begin(plane)
        await verb(plane, Terms("ada", expected=2))
        assert [past.revision.number for past in await plane.deployments.history("s")] == [3, 2, 1]


@verbs
async def test_a_retry_is_answered_and_not_done_again(planes: Planes, verb: Verb) -> None:
    """Even where another change followed, and after a restart: with what was said then."""
    async with planes() as plane:
        await begin(plane)
        first = await verb(plane, Terms("ada", request="r1"))
    async with planes() as plane:
        await apply(plane, spec(weight=50))
        again = await verb(plane, Terms("ada", request="r1"))
        assert told(again) == told(first)
        assert [past.revision.number for past in await plane.deployments.history("s")] == [4, 3, 2, 1]


def told(said: object) -> object:
    """What matters of an answer."""
    outcome = said if isinstance(said, Outcome) else said[0].outcomes[0]  # type: ignore[index] # of apply_texts
    revision, before = outcome.standing.revision, outcome.previous
    made = (revision.number, revision.kind, revision.source, revision.spec, revision.slots)
    return made, outcome.changed, before.number if before is not None else None, outcome.moved


async def test_a_retry_of_what_changed_nothing_changes_nothing(planes: Planes) -> None:
    """Although it would change something by now."""
    async with planes() as plane:
        await begin(plane)
        await plane.deployments.set_weights("s", {"a": 20}, Terms("ada", request="r1"))
        await plane.deployments.set_weights("s", {"a": 40}, Terms("bob"))
        outcome = await plane.deployments.set_weights("s", {"a": 20}, Terms("ada", request="r1"))
        assert (outcome.changed, outcome.standing.revision.number) == (False, 2)
        assert weights(plane) == {"main": 60, "a": 40}


async def test_a_request_id_is_for_one_request(planes: Planes) -> None:
    """Another one with the same id is refused, whatever it is."""
    async with planes() as plane:
        await begin(plane)
        await plane.deployments.set_weights("s", {"a": 30}, Terms("ada", request="r1"))
        for verb in (weighing, promoting, deleting):
            with pytest.raises(InvalidInput, match="'r1' was used for another request"):
                await verb(plane, Terms("ada", request="r1"))


@verbs
async def test_a_dry_run_says_what_would_be_and_does_nothing(planes: Planes, verb: Verb) -> None:
    """No revision, no line in the audit, no id taken."""
    async with planes() as plane:
        await begin(plane)
        would = told(await verb(plane, Terms("ada", request="r1", dry_run=True)))
        assert plane.deployments.get("s").revision.number == 2
        assert await plane.audit(author="ada") == []
        assert told(await verb(plane, Terms("ada", request="r1"))) == would


async def test_an_abort_expects_nothing(planes: Planes) -> None:
    """It is for emergencies."""
    async with planes() as plane:
        await begin(plane)
        await plane.deployments.abort("s", Terms("ada", expected=1))
        assert weights(plane) == {"main": 100, "a": 0}


async def test_of_two_writers_that_saw_the_same_one_wins(planes: Planes) -> None:
    """The other is told who was faster."""
    async with planes() as plane:
        await begin(plane)
        results = await asyncio.gather(
            plane.deployments.set_weights("s", {"a": 30}, Terms("ada", expected=2)),
            plane.deployments.set_weights("s", {"a": 40}, Terms("bob", expected=2)),
            return_exceptions=True,
        )
        assert [type(result) for result in results] == [Outcome, Conflict]
        assert "set-weights by ada" in str(results[1])
        assert weights(plane) == {"main": 70, "a": 30}


async def test_expecting_nothing_there_means_zero(planes: Planes) -> None:
    """Before there ever was one, and after it was deleted."""
    async with planes() as plane:
        await plane.deployments.apply_texts([("f.yaml", spec())], Terms("ada", expected=0))
        with pytest.raises(Conflict):
            await plane.deployments.apply_texts([("f.yaml", spec(weight=2))], Terms("ada", expected=0))
        await plane.deployments.delete("s", Terms("ada"))
        await plane.deployments.apply_texts([("f.yaml", spec(weight=2))], Terms("ada", expected=0))
        assert plane.deployments.get("s").revision.number == 3


async def test_every_write_has_a_line_in_the_audit(planes: Planes) -> None:
    """Who, what, to what, and why; what changes nothing has none."""
    async with planes() as plane:
        await begin(plane)
        await plane.deployments.set_weights("s", {"a": 30}, Terms("ada", "more", request="r1"))
        await plane.deployments.set_weights("s", {"a": 30}, Terms("ada"))
        ((number, line),) = await plane.audit(author="ada")
        assert (number, line.verb, line.subjects, line.request) == (3, "set-weights", ("s",), "r1")
        assert (line.outcome, line.note.comment) == ("revision 3: main 70 %, a 30 %", "more")
        assert [entry.subjects for _, entry in await plane.audit("s:1")] == [("s", "s:1", "s:2")]


async def test_endpoints_alone_have_a_line_too(planes: Planes) -> None:
    """By the builds they are of."""
    async with planes() as plane:
        await apply(plane, ENDPOINTS)
        ((_, line),) = await plane.audit()
        assert (line.subjects, line.outcome) == (
            ("s:1", "s:2"),
            "1 endpoint of s:1; 1 endpoint of s:2",
        )


GUARDED: list[Verb] = [weighing, promoting, returning]


@pytest.mark.parametrize("verb", GUARDED)
async def test_nobody_is_given_a_version_that_cannot_serve_them(planes: Planes, verb: Verb) -> None:
    """The counts are told; it can be forced."""
    lost = ENDPOINTS.replace('"10.0.0.2:80"', "")
    async with planes() as plane:
        await apply(plane, ENDPOINTS, spec(weight=40))
        await apply(plane, spec(weight=10))
        await apply(plane, lost)
        with pytest.raises(TooFewEndpoints, match="has 0 of the 1 endpoint it needs"):
            await verb(plane, Terms("ada"))
        await verb(plane, Terms("ada", force=True))
        assert plane.deployments.get("s").revision.number == 3


async def test_create_only_makes(planes: Planes) -> None:
    """What is there stays."""
    async with planes() as plane:
        await plane.deployments.apply_texts([("f.yaml", spec())], Terms("ada"), mode="create")
        with pytest.raises(AlreadyExists, match=r"s is there already \(revision 1 by ada\)"):
            await plane.deployments.apply_texts([("f.yaml", spec(weight=20))], Terms("bob"), mode="create")
        assert weights(plane) == {"main": 90, "a": 10}


async def update(plane: ControlPlane, text: str) -> None:
    """Change the keys given."""
    await plane.deployments.apply_texts([("u.yaml", text)], Terms("ada"), mode="update")


async def test_update_changes_the_keys_given_and_no_others(planes: Planes) -> None:
    """Deeply; null takes a key away, a list is replaced."""
    async with planes() as plane:
        await apply(plane, spec() + "timeout: 5s\nhosts: [a.test, b.test]\n")
        await update(
            plane, "{name: s, timeout: null, hosts: [c.test], canary: {versions: {a: {weight: 25}}}}"
        )
        said = plane.deployments.get("s").revision.spec
        assert (said.timeout, said.hosts, said.weights()) == (None, ("c.test",), {"main": 75, "a": 25})
        assert (said.bento, said.canary.route_by) == ("s:1", "X-User")


async def test_update_takes_a_version_away(planes: Planes) -> None:
    """Null again."""
    async with planes() as plane:
        await apply(plane, spec())
        await update(plane, "{name: s, canary: {versions: {a: null}}}")
        assert weights(plane) == {"main": 100}


async def test_update_knows_both_words_for_a_build(planes: Planes) -> None:
    """The one replaces the other."""
    async with planes() as plane:
        await apply(plane, spec())
        await update(plane, "{name: s, build: 's:3'}")
        assert plane.deployments.get("s").revision.spec.bento == "s:3"


async def test_update_of_what_is_not_there_is_refused(planes: Planes) -> None:
    """It would be half a deployment."""
    async with planes() as plane:
        with pytest.raises(NotFound, match="there is no deployment 's'"):
            await update(plane, "{name: s, timeout: 5s}")


async def test_a_fault_of_an_update_has_the_line_of_its_own_file(planes: Planes) -> None:
    """Not one of what is in force."""
    async with planes() as plane:
        await apply(plane, spec())
        with pytest.raises(InvalidInput) as refused:
            await update(plane, "name: s\ncanary:\n  versions:\n    a:\n      weight: 101\n")
        assert [(fault.file, fault.line) for fault in refused.value.faults] == [("u.yaml", 5)]
