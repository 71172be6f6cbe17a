"""Rules send requests to a version before anybody is split."""

import math

import pytest

from tests.support.admin_client import AdminClient
from tests.support.files import deployment, split
from tests.support.mesh import Mesh
from tests.support.raw_http import Header, RawClient

pytestmark = pytest.mark.envoy

BY = "X-User-ID"
BETA: Header = ("x-beta", b"true")


def rule(match: dict[str, object], version: str, percentage: float = 100) -> dict[str, object]:
    """One of a deployment's rules."""
    return {"match": match, "version": version, "percentage": percentage}


async def serve(admin: AdminClient, host: str, *rules: dict[str, object], **canary: object) -> None:
    """A deployment with rules; `a` and `b` own nothing unless `canary` says so."""
    said = canary or split(a=("a1", 0), b=("b1", 0))
    await admin.apply(deployment(host, canary=said, rules=list(rules)))
    await admin.settled(host)


@pytest.mark.both_modes
async def test_the_first_rule_that_matches_decides(mesh: Mesh, admin: AdminClient) -> None:
    """By header, parameter and path in every way there is; all that a match says has to fit."""
    host = "ruled"
    await serve(
        admin,
        host,
        rule({"headers": {"X-Beta": "true"}, "path": "/chat"}, "a"),
        rule({"headers": {"X-Region": {"prefix": "eu-"}}}, "b"),
        rule({"headers": {"X-Region": {"regex": "us-[0-9]+"}}}, "a"),
        rule({"headers": {"X-Key": {"present": True}, "X-Out": {"present": False}}}, "b"),
        rule({"query": {"beta": "a%20b"}}, "a"),
        rule({"query": {"debug": {"present": True}}, "path": {"exact": "/exact"}}, "b"),
        rule({"path": {"regex": "/v[12]/.*"}}, "a"),
    )
    asked: list[tuple[bytes, list[Header], str]] = [
        (b"/chat", [BETA], "a"),
        (b"/chat/x?y=1", [BETA], "a"),
        (b"/chatter", [BETA], "main"),
        (b"/chat", [("x-beta", b"True")], "main"),
        (b"/chat", [BETA, ("x-region", b"eu-1")], "a"),
        (b"/", [("x-region", b"eu-1")], "b"),
        (b"/", [("x-region", b"us-12")], "a"),
        (b"/", [("x-region", b"us-12b")], "main"),
        (b"/", [("x-key", b"")], "b"),
        (b"/", [("x-key", b"1"), ("x-out", b"1")], "main"),
        (b"/?beta=a%20b", [], "a"),
        (b"/?beta=a+b", [], "main"),
        (b"/exact?debug", [], "b"),
        (b"/exact/x?debug", [], "main"),
        (b"/v2/x?q", [], "a"),
        (b"/v3/x", [], "main"),
    ]
    async with RawClient(mesh.gateway) as client:
        answers = [(await client.get(host, target, headers)).version for target, headers, _ in asked]
    assert answers == [want for *_, want in asked]


async def test_a_rule_stays_below_the_deployments_path(mesh: Mesh, admin: AdminClient) -> None:
    """A regex for any path is no way around the path prefix."""
    canary = split(a=("a1", 0))
    rules = [rule({"path": {"regex": ".*x"}}, "a")]
    await admin.apply(deployment("ruled-path", path_prefix="/v1", canary=canary, rules=rules))
    await admin.settled("ruled-path")
    async with RawClient(mesh.gateway) as client:
        paths = (b"/v1/x", b"/v1/y", b"/v10/x", b"/x")
        answers = [await client.get("ruled-path", path) for path in paths]
    assert [(each.status, each.version) for each in answers] == [
        (200, "a"), (200, "main"), (404, None), (404, None)
    ]  # fmt: skip


async def test_a_part_of_a_rule_is_taken_by_key(mesh: Mesh, admin: AdminClient) -> None:
    """40 % of 1,000 users, the same every time; the others are where the split has them."""
    canary = split(BY, route_type="header", a=("a1", 30), b=("b1", 0))
    await serve(admin, "part", rule({"headers": {"X-Beta": "true"}}, "b", 40), **canary)
    taken = 0
    async with RawClient(mesh.gateway) as client:
        for number in range(1000):
            key: Header = (BY, f"user-{number}".encode())
            plain = (await client.get("part", headers=[key])).version
            beta = {(await client.get("part", headers=[key, BETA])).version for _ in range(2)}
            assert beta in ({"b"}, {plain})
            taken += beta == {"b"}
    assert abs(taken - 400) < 5 * math.sqrt(1000 * 0.4 * 0.6)


async def test_parts_of_rules_and_chance_add_up(mesh: Mesh, admin: AdminClient) -> None:
    """50 % to `b`; of the rest the random split's 20 % to `a`: Envoy's one dice is not thrown twice."""
    canary = split(a=("a1", 20), b=("b1", 0))
    await serve(admin, "parts", rule({"headers": {"X-Beta": "true"}}, "b", 50), **canary)
    async with RawClient(mesh.gateway) as client:
        got = [(await client.get("parts", headers=[BETA])).version for _ in range(2000)]
    for version, share in (("b", 0.5), ("a", 0.1), ("main", 0.4)):
        assert abs(got.count(version) - 2000 * share) < 5 * math.sqrt(2000 * share * (1 - share))


async def test_a_rule_to_a_version_that_is_down_goes_to_main(mesh: Mesh, admin: AdminClient) -> None:
    """As its slots would."""
    canary = split(a=("nowhere", 0))
    await serve(admin, "ruled-down", rule({"headers": {"X-Beta": "true"}}, "a"), **canary)
    async with RawClient(mesh.gateway) as client:
        assert (await client.get("ruled-down", headers=[BETA])).version == "main"
