"""A canary that dies without a word: its users see errors for seconds, and then `main`, until it is back."""

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.admin_client import AdminClient
from tests.support.envoys import Envoy
from tests.support.files import deployment, documents, endpoints, split
from tests.support.ports import LOOPBACK, free_port
from tests.support.serving import Serving, serving
from tests.support.traffic import Ask, Client, Load, versions
from tests.support.upstreams import Upstreams
from tests.support.waiting import eventually
from xds.control import health
from xds.control.standing import Standing
from xds.control.terms import Terms
from xds.server.health_checks import HealthChecks
from xds.spec.gateway import Gateway, Listen

pytestmark = pytest.mark.envoy

KEYS = [f"user-{number}" for number in range(2_000)]
REACTION = 10.0
"""Seconds; it takes three, and a busy machine may take its time."""


@dataclasses.dataclass
class Scene:
    """A control plane that looks after its endpoints, its Envoy, and a canary that can be killed."""

    server: Serving
    client: Client
    canary: Upstreams
    folder: Path
    port: int

    @property
    def standing(self) -> Standing:
        """How the deployment stands."""
        return self.server.plane.deployments.get("mortal")

    def kill(self) -> float:
        """SIGKILL; returns when."""
        self.canary.stop()
        return time.monotonic()

    async def restart(self) -> None:
        """Start it again, where it was."""
        self.canary = await asyncio.to_thread(Upstreams, self.folder, f"a1={self.port}")

    async def until(self, *, lent: bool) -> None:
        """Wait until the canary lends, or doesn't, and Envoy has heard of it."""

        async def there() -> bool:
            reached = self.standing.convergence
            pending = self.server.plane.publisher.pending
            return bool(self.standing.lending) is lent and not pending and reached.in_sync == 1

        await eventually(there, f"lent: {lent}", 30.0)

    async def who(self) -> dict[str, str | None]:
        """Which version each key gets."""
        answers = await self.client.ask_all(Ask("mortal", header="x-user"), KEYS)
        assert {answer.status for answer in answers.values()} == {200}
        return {key: answer.version for key, answer in answers.items()}


@pytest.fixture
async def scene(
    tmp_path: Path, upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    """Half of the users on a canary of its own process; it has to be healthy for a second to be back."""
    monkeypatch.setattr(health, "HOLD", 1.0)
    gateway_port, port = free_port(), free_port()
    async with serving(tmp_path, Gateway(name="default", listeners=(Listen(port=gateway_port),))) as server:
        text = documents(
            endpoints(m1=upstreams.endpoint("m1"), a1=f"{LOOPBACK}:{port}"),
            deployment("mortal", canary=split("X-User", route_type="header", a=("a1", 50))),
        )
        await server.plane.deployments.apply_texts([("mortal.yaml", text)], Terms("test"))
        canary = await asyncio.to_thread(Upstreams, tmp_path, f"a1={port}")
        envoy = await asyncio.to_thread(Envoy, tmp_path, server.xds)
        checking = asyncio.create_task(HealthChecks(server.plane.health).run())
        async with Client((server.xds[0], gateway_port)) as client:
            scene = Scene(server, client, canary, tmp_path, port)
            try:
                yield scene
            finally:
                checking.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await checking
                scene.canary.stop()
                await asyncio.to_thread(envoy.stop)


async def test_a_killed_canary_lends_its_users_to_main_and_gets_the_same_ones_back(scene: Scene) -> None:
    """Failures end within seconds; nobody of `main`'s users ever notices."""
    before = await scene.who()
    assert set(before.values()) == {"main", "a"}
    async with Load(scene.client, Ask("mortal", header="x-user"), key=lambda n: KEYS[n % len(KEYS)]) as load:
        await load.more(100)
        killed_at = scene.kill()
        await scene.until(lent=True)
        await load.more(20)
        lent_at = len(load.answers)
        await load.more(300)
        failed = [answer for answer in load.answers if answer.status != 200]
        assert {before[answer.key] for answer in failed} == {"a"}
        assert max(answer.sent for answer in failed) - killed_at < REACTION
        assert set(versions(load.answers[lent_at:])) == {"main"}
        assert set((await scene.who()).values()) == {"main"}
        lent_at = len(load.answers)
        await scene.restart()
        await scene.until(lent=False)
        assert await scene.who() == before
        assert {answer.status for answer in load.answers[lent_at:]} == {200}


async def test_it_is_said_why(scene: Scene) -> None:
    """Of the endpoint, of the version, and in the metrics."""
    await scene.until(lent=False)
    scene.kill()
    await scene.until(lent=True)
    (build,) = scene.server.plane.endpoints.list("mortal@a")
    assert build.endpoints[0].unhealthy == "Connection refused"
    assert build.usable == 1
    assert scene.standing.unhealthy == {build.ref: f"{LOOPBACK}:{scene.port}: Connection refused"}
    labels = {"deployment": "mortal", "build": build.ref}
    assert scene.server.registry.get_sample_value("canary_lent_slots", labels) == 5_000


async def test_where_lending_is_off_the_canary_keeps_its_share(scene: Scene) -> None:
    """Its users see that it is down."""
    text = deployment("mortal", lend_when="never", canary=split(a=("a1", 100)))
    await scene.server.plane.deployments.apply_texts([("mortal.yaml", text)], Terms("test"))
    scene.kill()

    async def down() -> bool:
        return (await scene.client.ask(Ask("mortal"))).status == 503

    await eventually(down, "nobody serves for it")
    assert scene.server.plane.health.checks() == ()


async def test_the_server_looks_by_itself(admin: AdminClient, client: Client) -> None:
    """Nobody listens where the canary is to be: `main` has all, and whoever asks is told why."""
    text = documents(
        endpoints(dead=f"{LOOPBACK}:{free_port()}"), deployment("stillborn", canary=split(a=("dead", 100)))
    )
    await admin.apply(text)

    async def told() -> str:
        return (await admin.get("stillborn")).versions[1].unhealthy

    assert await eventually(told, "it is unhealthy")
    state = await admin.settled("stillborn")
    assert [version.effective_weight for version in state.versions] == [100, 0]
    assert (await client.ask(Ask("stillborn"))).version == "main"
