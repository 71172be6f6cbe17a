"""Endpoints changed by hand: what is refused, what is said, and what Envoys hear of it."""

import asyncio
from collections.abc import Iterable

import pytest

from tests.control.conftest import Planes
from tests.control.test_plane import ENDPOINTS, documents, spec
from xds.catalog.types import Type
from xds.control.endpoint_standing import BuildStanding
from xds.control.plane import ControlPlane
from xds.control.terms import Terms
from xds.errors import Conflict, InvalidInput, NotFound, TooFewEndpoints
from xds.spec.endpoint_lists import parse_endpoint
from xds.spec.endpoints import Endpoint

ME = Terms("me", "why")
EVERY_TYPE = (Type.CLUSTER, Type.ENDPOINT, Type.ROUTE)


def at(*hosts: int) -> list[Endpoint]:
    """Endpoints."""
    return [parse_endpoint(f"10.0.0.{host}:80") for host in hosts]


async def begin(plane: ControlPlane, *texts: str) -> None:
    """Main s:1 at 10.0.0.1, canary s:2 at 10.0.0.2, from a file of the specs folder; published."""
    await plane.deployments.apply(documents(ENDPOINTS, spec(), *texts), Terms("specs"), governed=True)
    plane.publisher.publish()


def places(build: BuildStanding) -> list[str]:
    """Where a build is."""
    return [str(each.endpoint) for each in build.endpoints]


def one(plane: ControlPlane, target: str) -> BuildStanding:
    """How one build stands."""
    (build,) = plane.endpoints.list(target)
    return build


def versions(plane: ControlPlane, types: Iterable[Type] = EVERY_TYPE) -> dict[Type, int]:
    """What Envoys are to have, by type."""
    plane.publisher.publish()
    catalog = plane.hub.catalogs["default"]
    return {type_: hash(catalog.fingerprint(type_)) for type_ in types}


def changed(before: dict[Type, int], after: dict[Type, int]) -> set[Type]:
    """The types that differ."""
    return {type_ for type_ in before if before[type_] != after[type_]}


async def test_a_target_is_a_tag_or_a_version(planes: Planes) -> None:
    """Both are the build."""
    async with planes() as plane:
        await begin(plane)
        for target in ("s:2", "s@a"):
            outcome = await plane.endpoints.add(target, at(9), ME)
            assert outcome.build.ref == "s:2"
        assert (places(outcome.build), outcome.changed) == (["10.0.0.9:80", "10.0.0.2:80"], False)


async def test_list_takes_a_deployment(planes: Planes) -> None:
    """All its versions; and pages of everything."""
    async with planes() as plane:
        await begin(plane)
        await plane.endpoints.add("t:9", at(9), ME)
        assert [build.ref for build in plane.endpoints.list("s")] == ["s:1", "s:2"]
        assert [build.ref for build in plane.endpoints.list(limit=2)] == ["s:1", "s:2"]
        assert [build.ref for build in plane.endpoints.list(after="s:2")] == ["t:9"]


async def test_each_says_whose_list_it_is_on(planes: Planes) -> None:
    """The file, and the API."""
    async with planes() as plane:
        await begin(plane)
        await plane.endpoints.add("s:2", at(9), ME)
        assert [each.sources for each in one(plane, "s:2").endpoints] == [("api",), ("specs: s.yaml",)]
        assert one(plane, "s:2").versions == ("s@a",)


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("s@b", r"s has no version 'b' \(it has: main, a\)"),
        ("t@a", r"there is no deployment 't' \(there are: s\)"),
        ("s:3", r"nothing is known of a build 's:3' \(there are: s:1, s:2\)"),
    ],
)
async def test_an_unknown_target_is_named_with_those_there_are(
    planes: Planes, target: str, says: str
) -> None:
    """Nothing is guessed."""
    async with planes() as plane:
        await begin(plane)
        with pytest.raises(NotFound, match=says):
            await plane.endpoints.drain(target, (), ME)


async def test_a_deployment_alone_is_no_target_of_a_change(planes: Planes) -> None:
    """It has several builds."""
    async with planes() as plane:
        await begin(plane)
        with pytest.raises(InvalidInput, match="write s@main or s@a"):
            await plane.endpoints.add("s", at(9), ME)


async def test_a_build_can_have_endpoints_before_a_deployment_uses_it(planes: Planes) -> None:
    """With a note, as it may be a typing error."""
    async with planes() as plane:
        await begin(plane)
        outcome = await plane.endpoints.set("s:3", at(3), ME)
        assert outcome.notes == ("no deployment uses s:3",)
        assert outcome.build.usable == 1


async def test_set_replaces_the_apis_list_only(planes: Planes) -> None:
    """The file's stays."""
    async with planes() as plane:
        await begin(plane)
        await plane.endpoints.set("s:2", at(8, 9), ME)
        outcome = await plane.endpoints.set("s:2", at(7), ME)
        assert places(outcome.build) == ["10.0.0.7:80", "10.0.0.2:80"]


async def test_what_a_file_lists_can_not_be_removed(planes: Planes) -> None:
    """It would come back; the message says where it stands."""
    async with planes() as plane:
        await begin(plane)
        with pytest.raises(InvalidInput, match=r"listed by specs: s\.yaml \(edit s\.yaml, or drain it\)"):
            await plane.endpoints.remove("s:2", at(2), ME)


async def test_removing_what_is_not_there_says_what_is(planes: Planes) -> None:
    """Nothing is removed."""
    async with planes() as plane:
        await begin(plane)
        with pytest.raises(NotFound, match=r"s:2 has no endpoint 10\.0\.0\.5:80 \(it has: 10\.0\.0\.2:80\)"):
            await plane.endpoints.remove("s:2", at(5), ME)


async def test_a_removed_endpoint_is_drained_no_more(planes: Planes) -> None:
    """The next one at its address is another."""
    async with planes() as plane:
        await begin(plane)
        await plane.endpoints.add("s:2", at(9), ME)
        await plane.endpoints.drain("s:2", at(9), ME)
        await plane.endpoints.remove("s:2", at(9), ME)
        outcome = await plane.endpoints.add("s:2", at(9), ME)
        assert outcome.build.usable == 2


async def test_a_drain_outlives_a_restart(planes: Planes) -> None:
    """Nobody is sent to a machine under repair."""
    async with planes() as plane:
        await begin(plane)
        await plane.endpoints.drain("s:2", (), ME)
    async with planes() as plane:
        assert (one(plane, "s:2").usable, one(plane, "s:2").drained) == (0, True)
        await plane.endpoints.undrain("s:2", (), ME)
        assert one(plane, "s:2").usable == 1


async def test_undraining_a_build_leaves_what_was_drained_alone(planes: Planes) -> None:
    """Somebody else may be repairing it."""
    async with planes() as plane:
        await begin(plane)
        await plane.endpoints.add("s:2", at(9), ME)
        await plane.endpoints.drain("s:2", at(9), ME)
        await plane.endpoints.drain("s:2", (), ME)
        outcome = await plane.endpoints.undrain("s:2", (), ME)
        assert [each.drained for each in outcome.build.endpoints] == [True, False]


async def test_the_last_endpoint_of_main_is_not_drained(planes: Planes) -> None:
    """Nobody else could serve its users; unless it is forced."""
    async with planes() as plane:
        await begin(plane)
        with pytest.raises(TooFewEndpoints, match=r"s:1 would have no usable endpoint \(now 1\)"):
            await plane.endpoints.drain("s@main", at(1), ME)
        outcome = await plane.endpoints.drain("s@main", at(1), Terms("me", force=True))
        assert outcome.build.usable == 0


async def test_the_last_endpoint_of_a_canary_is(planes: Planes) -> None:
    """`main` serves its share."""
    async with planes() as plane:
        await begin(plane)
        outcome = await plane.endpoints.drain("s@a", at(2), ME)
        assert (outcome.changed, outcome.build.usable) == (True, 0)


async def test_the_last_endpoint_of_a_canary_is_not_when_main_has_none(planes: Planes) -> None:
    """Its users would have nobody."""
    async with planes() as plane:
        await begin(plane)
        await plane.endpoints.drain("s:1", (), Terms("me", force=True))
        with pytest.raises(TooFewEndpoints, match="nobody else") as refused:
            await plane.endpoints.drain("s:2", (), ME)
        assert "send its share" not in str(refused.value)  # to whom? to what is being drained


async def test_names_and_addresses_are_not_mixed(planes: Planes) -> None:
    """A build's cluster is either resolved by Envoy or fed by us."""
    async with planes() as plane:
        await begin(plane)
        with pytest.raises(InvalidInput, match="mix host names and IP addresses"):
            await plane.endpoints.add("s:2", [parse_endpoint("model.test:80")], ME)


async def test_a_dry_run_says_what_would_be_and_does_nothing(planes: Planes) -> None:
    """Neither in memory nor in the store."""
    async with planes() as plane:
        await begin(plane)
        outcome = await plane.endpoints.add("s:2", at(9), Terms("me", dry_run=True))
        assert (outcome.changed, outcome.build.usable) == (True, 2)
        assert one(plane, "s:2").usable == 1
        assert [entry.verb for _, entry in await plane.audit()] == ["apply"]


async def test_a_retry_with_the_same_id_is_done_once(planes: Planes) -> None:
    """Though somebody undid it in between."""
    async with planes() as plane:
        await begin(plane)
        terms = Terms("me", request="r1")
        await plane.endpoints.drain("s:2", (), terms)
        await plane.endpoints.undrain("s:2", (), ME)
        outcome = await plane.endpoints.drain("s:2", (), terms)
        assert (outcome.changed, outcome.build.drained) == (True, False)


async def test_a_request_that_expects_another_revision_is_refused(planes: Planes) -> None:
    """Of the deployment that uses the build."""
    async with planes() as plane:
        await begin(plane)
        with pytest.raises(Conflict, match="s is at revision 1, not 7"):
            await plane.endpoints.drain("s:2", (), Terms("me", expected=7))
        assert (await plane.endpoints.drain("s:2", (), Terms("me", expected=1))).changed


async def test_the_audit_has_a_line_for_each_change(planes: Planes) -> None:
    """Who, what, which builds and deployments; none for what changed nothing."""
    async with planes() as plane:
        await begin(plane)
        await plane.endpoints.add("s:2", at(9), ME)
        await plane.endpoints.add("s:2", at(9), ME)
        (_, entry), *_ = await plane.audit()
        said = (entry.verb, entry.subjects, entry.outcome, entry.note.author, entry.note.comment)
        assert said == ("endpoints add", ("s:2", "s"), "10.0.0.9:80", "me", "why")
        assert len(await plane.audit()) == 2


async def test_a_second_endpoint_touches_endpoints_only(planes: Planes) -> None:
    """No cluster is built anew, no route sent, no revision made."""
    async with planes() as plane:
        await begin(plane)
        before = versions(plane)
        await plane.endpoints.add("s:2", at(9), ME)
        assert changed(before, versions(plane)) == {Type.ENDPOINT}
        await plane.endpoints.drain("s:2", at(2), ME)
        assert versions(plane, [Type.CLUSTER, Type.ROUTE]).items() <= before.items()
        assert plane.deployments.get("s").revision.number == 1


async def test_the_last_endpoint_touches_routes_and_stays_itself_for_a_while(planes: Planes) -> None:
    """Routes move first; and all is as it was when it is back."""
    async with planes() as plane:
        await begin(plane)
        before = versions(plane)
        await plane.endpoints.drain("s:2", (), ME)
        assert changed(before, versions(plane)) == {Type.ROUTE}
        await plane.endpoints.undrain("s:2", (), ME)
        assert changed(before, versions(plane)) == set()


async def test_a_watch_begins_with_what_there_is_and_tells_changes(planes: Planes) -> None:
    """Only the build that changed."""
    async with planes() as plane:
        await begin(plane)
        watch = plane.endpoints.watch("s")
        assert [(await anext(watch)).ref for _ in range(2)] == ["s:1", "s:2"]
        following = asyncio.ensure_future(anext(watch))
        await plane.endpoints.drain("s:2", (), ME)
        build = await asyncio.wait_for(following, 5)
        assert (build.ref, build.drained) == ("s:2", True)
        await watch.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_a_poll_owns_its_list(planes: Planes) -> None:
    """A build that is not in a later answer is empty on it; those of others stay."""
    async with planes() as plane:
        await begin(plane)
        await plane.endpoints.polled("file_sd: x", {"s@a": tuple(at(8)), "s:1": tuple(at(9))})
        assert places(one(plane, "s:2")) == ["10.0.0.8:80", "10.0.0.2:80"]
        await plane.endpoints.polled("file_sd: x", {"s:1": tuple(at(9))})
        assert places(one(plane, "s:2")) == ["10.0.0.2:80"]
        (source,) = plane.endpoints.sources()
        assert (source.name, source.problem, source.endpoints) == ("file_sd: x", "", 1)


async def test_a_poll_that_changes_nothing_is_no_change(planes: Planes) -> None:
    """Nothing is written, nobody told."""
    async with planes() as plane:
        await begin(plane)
        for _ in range(3):
            await plane.endpoints.polled("file_sd: x", {"s:1": tuple(at(9))})
        assert [entry.verb for _, entry in await plane.audit()] == ["endpoints poll", "apply"]


async def test_a_poll_under_a_new_name_takes_over(planes: Planes) -> None:
    """A list of a source that is gone makes way; one that only fails doesn't."""
    async with planes() as plane:
        await begin(plane)
        for name, host in (("file_sd: old", 7), ("http_sd: broken", 8)):
            await plane.endpoints.polled(name, {"s:2": tuple(at(host))})
        plane.endpoints.failed("file_sd: old", "the file is gone", present=False)
        plane.endpoints.failed("http_sd: broken", "it answered 503")
        await plane.endpoints.polled("file_sd: new", {"s:2": tuple(at(9))})
        assert places(one(plane, "s:2")) == ["10.0.0.9:80", "10.0.0.8:80", "10.0.0.2:80"]


async def test_what_a_source_listed_that_is_gone_can_be_removed(planes: Planes) -> None:
    """There is no file and no registry any more to take it off its list."""
    async with planes() as plane:
        await begin(plane)
        await plane.endpoints.polled("http_sd: x", {"s:2": tuple(at(9))})
        with pytest.raises(InvalidInput, match=r"listed by http_sd: x \(edit x, or drain it\)"):
            await plane.endpoints.remove("s:2", at(9), ME)
    async with planes() as plane:
        assert (await plane.endpoints.remove("s:2", at(9), ME)).build.usable == 1
