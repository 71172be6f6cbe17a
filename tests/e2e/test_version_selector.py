"""Requests that name the version they want."""

import pytest

from tests.support.admin_client import AdminClient
from tests.support.files import deployment, split
from tests.support.mesh import Mesh
from tests.support.raw_http import Header, RawClient, cookie

pytestmark = pytest.mark.envoy

EVERYWHERE = {"header": "X-Version", "query": "version", "cookie": "version"}


async def serve(admin: AdminClient, host: str, **selector: object) -> None:
    """A deployment with everybody at `main`, versions `a` and `b` at 0."""
    canary = {**split(a=("a1", 0), b=("b1", 0)), "version_selector": selector}
    await admin.apply(deployment(host, canary=canary))
    await admin.settled(host)


@pytest.mark.both_modes
async def test_a_version_is_named_in_three_places(mesh: Mesh, admin: AdminClient) -> None:
    """Whatever its weight, even 0; the header before the parameter before the cookie."""
    await serve(admin, "selected", **EVERYWHERE)
    asked: list[tuple[bytes, list[Header], str]] = [
        (b"/", [("x-version", b"a")], "a"),
        (b"/?version=b", [], "b"),
        (b"/", [cookie([("x", "1"), ("version", "a")])], "a"),
        (b"/", [cookie([("version", '"a"'), ("y", "2")])], "a"),
        (b"/?version=b", [("X-Version", b"main"), cookie([("version", "a")])], "main"),
        (b"/?version=b", [cookie([("version", "a")])], "b"),
    ]
    async with RawClient(mesh.gateway) as client:
        answers = [await client.get("selected", target, headers) for target, headers, _ in asked]
    builds = {"main": b"m1", "a": b"a1", "b": b"b1"}
    assert [(each.version, each.body) for each in answers] == [(want, builds[want]) for *_, want in asked]


@pytest.mark.parametrize(("unknown", "status"), [("ignore", 200), ("not_found", 404)])
async def test_an_unknown_version_is_ignored_or_not_found(
    mesh: Mesh, admin: AdminClient, unknown: str, status: int
) -> None:
    """In all three places; naming none at all is neither."""
    host = f"unknown-{unknown.replace('_', '-')}"
    await serve(admin, host, **EVERYWHERE, unknown=unknown)
    named: list[tuple[bytes, list[Header]]] = [
        (b"/", [("x-version", b"z")]),
        (b"/?version=aa", []),
        (b"/", [cookie([("version", "A")])]),
        (b"/?version=a", [("x-version", b"z")]),
    ]
    none: list[tuple[bytes, list[Header]]] = [
        (b"/?version=", []),
        (b"/", [("x-version", b"")]),
        (b"/", [cookie([("versions", "a")])]),
    ]
    async with RawClient(mesh.gateway) as client:
        named_answers = [(await client.get(host, *each)).status for each in named]
        none_answers = [(await client.get(host, *each)).version for each in none]
    assert named_answers == [status] * len(named)
    assert none_answers == ["main"] * len(none)


async def test_a_secret_is_needed(mesh: Mesh, admin: AdminClient) -> None:
    """Without it, or with a wrong one, naming a version does nothing, not even a 404."""
    secret = {"header": "X-Key", "value": "s%3cret"}
    await serve(admin, "secret-selector", header="X-Version", unknown="not_found", secret=secret)
    keys: list[list[Header]] = [[], [("x-key", b"S%3cret")], [("x-key", b"s%3cret")]]
    async with RawClient(mesh.gateway) as client:
        known = [(await client.get("secret-selector", b"/", [("x-version", b"a"), *k])).version for k in keys]
        unknown = [
            (await client.get("secret-selector", b"/", [("x-version", b"z"), *k])).status for k in keys
        ]
    assert known == ["main", "main", "a"]
    assert unknown == [200, 200, 404]


async def test_a_version_that_is_down_says_so(mesh: Mesh, admin: AdminClient) -> None:
    """A pin is on purpose: 503, and not somebody else's answer."""
    canary = {**split(a=("nowhere", 50)), "version_selector": {"header": "X-Version"}}
    await admin.apply(deployment("pinned-down", canary=canary))
    await admin.settled("pinned-down")
    async with RawClient(mesh.gateway) as client:
        pinned = await client.get("pinned-down", b"/", [("x-version", b"a")])
        others = {(await client.get("pinned-down")).version for _ in range(30)}
    assert (pinned.status, pinned.version) == (503, "a")
    assert others == {"main"}
