"""Cookies that keep people where chance put them."""

import collections
import math

import pytest

from tests.support.admin_client import AdminClient
from tests.support.files import deployment, split
from tests.support.mesh import Mesh
from tests.support.raw_http import Header, RawClient

pytestmark = pytest.mark.envoy

USERS = 400


class Browsers:
    """People with a cookie jar each, on one connection."""

    def __init__(self, client: RawClient, host: str) -> None:
        self.client, self.host = client, host
        self.jars: list[dict[str, str]] = [{} for _ in range(USERS)]
        self.cookies_set = 0

    async def round(self) -> list[str | None]:
        """Everybody asks once; the versions they got."""
        return [await self._ask(jar) for jar in self.jars]

    async def _ask(self, jar: dict[str, str]) -> str | None:
        headers: list[Header] = []
        if jar:
            headers.append(("cookie", "; ".join(f"{name}={value}" for name, value in jar.items()).encode()))
        answer = await self.client.get(self.host, headers=headers)
        for said in answer.cookies():
            self.cookies_set += 1
            name, _, value = said.split(";")[0].partition("=")
            jar.pop(name, None)
            if "Max-Age=0" not in said:
                jar[name] = value
        return answer.version


def assert_share(versions: list[str | None], version: str, percent: float) -> None:
    """Within five standard deviations."""
    expected = len(versions) * percent / 100
    bound = 5 * math.sqrt(expected * (1 - percent / 100))
    assert abs(collections.Counter(versions)[version] - expected) < bound


async def serve(admin: AdminClient, host: str, canary: dict[str, object]) -> None:
    """A random split with affinity."""
    await admin.apply(deployment(host, canary={**canary, "session_affinity": {"max_age": "1h"}}))
    await admin.settled(host)


async def test_nobody_drifts(mesh: Mesh, admin: AdminClient) -> None:
    """Ten rounds of 400: everyone gets ten times what they got first, `main`'s users too; one cookie each."""
    await serve(admin, "no-drift", split(a=("a1", 20), b=("b1", 5)))
    async with RawClient(mesh.gateway) as client:
        browsers = Browsers(client, "no-drift")
        first = await browsers.round()
        for _ in range(9):
            assert await browsers.round() == first
    assert_share(first, "a", 20)
    assert_share(first, "b", 5)
    assert browsers.cookies_set == USERS


async def test_an_abort_empties_the_canary(mesh: Mesh, admin: AdminClient) -> None:
    """All go to `main` and lose their cookies; raised again, chance decides anew."""
    await serve(admin, "aborted", split(a=("a1", 50)))
    async with RawClient(mesh.gateway) as client:
        browsers = Browsers(client, "aborted")
        await browsers.round()
        await admin.abort("aborted")
        await admin.settled("aborted")
        assert set(await browsers.round()) == {"main"}
        assert not any(browsers.jars)
        await admin.set_weights("aborted", a=10)
        await admin.settled("aborted")
        assert_share(await browsers.round(), "a", 10)


async def test_a_version_that_goes_frees_its_users_alone(mesh: Mesh, admin: AdminClient) -> None:
    """Those of the others stay where they are."""
    await serve(admin, "freed", split(a=("a1", 30), b=("b1", 30)))
    async with RawClient(mesh.gateway) as client:
        browsers = Browsers(client, "freed")
        before = await browsers.round()
        await serve(admin, "freed", split(b=("b1", 30)))
        after = await browsers.round()
        assert after == await browsers.round()
    assert {(one, other) for one, other in zip(before, after, strict=True) if one != other} <= {
        ("a", "main"),
        ("a", "b"),
    }
    assert "a" not in after


async def test_a_promotion_keeps_the_users(mesh: Mesh, admin: AdminClient) -> None:
    """A cookie names the build: `a`'s users are `main`'s after it, with the same build."""
    await serve(admin, "promoted-jar", split(a=("a1", 30), b=("b1", 30)))
    async with RawClient(mesh.gateway) as client:
        browsers = Browsers(client, "promoted-jar")
        before = await browsers.round()
        canary = {**split(b=("b1", 30)), "session_affinity": {"max_age": "1h"}}
        await admin.apply(deployment("promoted-jar", main="a1", canary=canary))
        await admin.settled("promoted-jar")
        after = await browsers.round()
    kept = {(one, other) for one, other in zip(before, after, strict=True) if one != "main"}
    assert kept == {("a", "main"), ("b", "b")}


@pytest.mark.both_modes
async def test_without_a_key_a_cookie_keeps_people(mesh: Mesh, admin: AdminClient) -> None:
    """`when_missing: sticky`: once by chance, then by the cookie; a key is stronger than a cookie."""
    host = "keyless-sticky"
    canary = split("X-User-ID", route_type="header", when_missing="sticky", a=("a1", 50))
    await admin.apply(deployment(host, canary=canary))
    await admin.settled(host)
    async with RawClient(mesh.gateway) as client:
        browsers = Browsers(client, host)
        first = await browsers.round()
        assert await browsers.round() == first
        assert_share(first, "a", 50)
        keyed: list[Header] = [("X-User-ID", b"someone")]
        alone = (await client.get(host, headers=keyed)).version
        with_cookies = {
            (await client.get(host, headers=[*keyed, ("cookie", f"canary-{host}={key}".encode())])).version
            for key in ("m1", "a1")
        }
    assert with_cookies == {alone}


async def test_the_cookie_is_as_asked_for(mesh: Mesh, admin: AdminClient) -> None:
    """Name, age and path; beside the upstream's headers; `a` is named by its build."""
    affinity = {"cookie": "v", "max_age": "90s", "path": "/app"}
    canary = {**split(a=("a1", 99.99)), "session_affinity": affinity}
    await admin.apply(deployment("cookie-look", canary=canary))
    await admin.settled("cookie-look")
    async with RawClient(mesh.gateway) as client:
        seen = {cookie for _ in range(20) for cookie in (await client.get("cookie-look")).cookies()}
    assert "v=a1; Max-Age=90; Path=/app; HttpOnly" in seen
