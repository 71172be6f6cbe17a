"""A canary that fails every request, with and without retries on another version."""

import asyncio
import dataclasses
import io
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.envoys import Envoy
from tests.support.files import deployment, documents, endpoints, split
from tests.support.ports import LOOPBACK, free_port
from tests.support.serving import Serving, serving
from tests.support.traffic import Answer, Ask, Client
from tests.support.upstreams import Upstreams
from tests.support.waiting import eventually
from xds.control.terms import Terms
from xds.spec.gateway import Gateway, Listen

pytestmark = pytest.mark.envoy

BUILDS = ("good", "bad", "worse")
KEYS = [f"user-{number}" for number in range(200)]
ASK = Ask("fails", header="x-user")
BODY = b"x" * 100_000
ELSEWHERE = {"on_other_version": True, "on_5xx": True}


@dataclasses.dataclass
class Scene:
    """A control plane with its Envoy, and builds that can be made to fail."""

    server: Serving
    builds: Upstreams
    client: Client
    envoy: Envoy

    async def apply(self, retry: Mapping[str, object], **said: Any) -> None:
        """Split by user among builds; `main` runs `good`.

        Args:
            retry: what the deployment says of it.
            said: percent by build, and what else the deployment says.
        """
        more = {key: value for key, value in said.items() if key in ("lend_when", "circuit_breakers")}
        versions: dict[str, Any] = {
            label: (label, weight) for label, weight in said.items() if label not in more
        }
        there = {build: self.builds.endpoint(build) for build in BUILDS}
        files = documents(
            endpoints(**there, gone=f"{LOOPBACK}:{free_port()}"),
            deployment(
                "fails",
                main="good",
                retry=retry,
                canary=split("X-User", route_type="header", **versions),
                **more,
            ),
        )
        plane = self.server.plane
        await plane.deployments.apply_texts([("fails.yaml", files)], Terms("test"))

        async def applied() -> bool:
            state = plane.deployments.get("fails").convergence
            return not plane.publisher.pending and state.envoys == state.in_sync == 1

        await eventually(applied, "Envoy has it")

    async def post(self, body: bytes = BODY) -> dict[str, Answer]:
        """POST this for every key, eight at a time."""
        slots = asyncio.Semaphore(8)

        async def one(key: str) -> tuple[str, Answer]:
            url, headers = ASK.target(self.client.gateway, key)
            async with slots:
                try:
                    async with self.client.session.post(
                        url, headers=headers, data=io.BytesIO(body)
                    ) as response:
                        version = response.headers.get("x-canary-version")
                        return key, Answer(response.status, await response.text(), version, key, 0.0)
                except aiohttp.ClientError as error:
                    return key, Answer(0, str(error), None, key, 0.0)

        return dict(await asyncio.gather(*(one(key) for key in KEYS)))

    async def seen(self) -> Counter[str]:
        """How many requests each build got so far."""
        return Counter({build: await self.builds.seen(build) for build in BUILDS})


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstreams]:
    """Nobody else's."""
    running = Upstreams(tmp_path_factory.mktemp("builds"), *BUILDS)
    yield running
    running.stop()


@pytest.fixture
async def scene(tmp_path: Path, builds: Upstreams) -> AsyncIterator[Scene]:
    """An Envoy that has nothing yet."""
    port = free_port()
    async with serving(tmp_path, Gateway(name="default", listeners=(Listen(port=port),))) as server:
        envoy = await asyncio.to_thread(Envoy, tmp_path, server.xds)
        async with Client((LOOPBACK, port)) as client:
            try:
                yield Scene(server, builds, client, envoy)
            finally:
                for build in BUILDS:
                    await builds.switch(build)
                await asyncio.to_thread(envoy.stop)


@pytest.mark.parametrize("failure", [{"status": 503}, {"reset": True}], ids=["503", "reset"])
async def test_only_without_it_users_see_a_canary_that_fails(scene: Scene, failure: dict[str, Any]) -> None:
    """Each request that fails is seen by the canary once, and then by `main`, whose name is in the answer."""
    await scene.apply({"on_5xx": True}, bad=20)
    where = await scene.post()
    await scene.builds.switch("bad", **failure)
    theirs = {key for key, answer in where.items() if answer.version == "bad"}
    assert failed(await scene.post()) == theirs
    await scene.apply(ELSEWHERE, bad=20)
    before = await scene.seen()
    answers = await scene.post()
    assert {(answer.status, answer.build, answer.version) for answer in answers.values()} == {
        (200, "good", "main")
    }
    assert await scene.seen() - before == Counter(good=len(KEYS), bad=len(theirs))


async def test_what_never_reached_the_model_needs_no_on_5xx(scene: Scene) -> None:
    """Nobody listens: a POST is as safe to try elsewhere as any other."""
    await scene.apply({"on_other_version": True}, gone=20)
    answers = await scene.post()
    assert {answer.version for answer in answers.values()} == {"main"}
    assert failed(answers) == set()


async def test_a_body_over_the_buffer_limit_is_delivered_once_and_not_tried_again(scene: Scene) -> None:
    """Envoy keeps a megabyte of a request; of more there is nothing to send again."""
    await scene.apply(ELSEWHERE, bad=20)
    await scene.builds.switch("bad", status=503)
    before = await scene.seen()
    answers = await scene.post(b"x" * 2_000_000)
    seen = await scene.seen() - before
    assert len(failed(answers)) == seen["bad"] > 0
    assert sum(seen.values()) == len(KEYS)


async def test_the_other_canary_may_be_the_one_that_answers(scene: Scene) -> None:
    """And if it fails as well, it is `main` in the end."""
    await scene.apply(ELSEWHERE, bad=40, worse=40)
    await scene.builds.switch("bad", status=503)
    where = await scene.post()
    assert {answer.version for answer in where.values()} == {"main", "worse"}
    await scene.builds.switch("worse", reset=True)
    assert {answer.version for answer in (await scene.post()).values()} == {"main"}


async def test_where_everything_fails_requests_are_multiplied_by_the_attempts_at_most(scene: Scene) -> None:
    """One segment of a canary: it, `main`, and one more; and never more at a time than the budget says."""
    await scene.apply(ELSEWHERE, bad=20)
    for build in ("good", "bad"):
        await scene.builds.switch(build, status=503)
    before = await scene.seen()
    assert len(failed(await scene.post())) == len(KEYS)
    assert sum((await scene.seen() - before).values()) <= 3 * len(KEYS)


async def test_there_is_nobody_else_at_100_percent(scene: Scene) -> None:
    """The canary is all there is: it is tried again itself."""
    await scene.apply({**ELSEWHERE, "attempts": 1}, bad=100)
    await scene.builds.switch("bad", status=503)
    before = await scene.seen()
    assert len(failed(await scene.post())) == len(KEYS)
    assert await scene.seen() - before == Counter(bad=2 * len(KEYS))


async def test_a_version_without_endpoints_is_not_retried(scene: Scene) -> None:
    """That is what lending is for, and here it is off."""
    await scene.apply(ELSEWHERE, lend_when="never", empty=20)
    answers = await scene.post()
    assert 0 < len(failed(answers)) < len(KEYS)
    assert {answer.status for answer in answers.values()} == {200, 503}


async def test_few_at_a_time_are_tried_again(scene: Scene) -> None:
    """`max_retries`, or a fifth of what is under way: beyond that the first answer stands."""
    await scene.apply(ELSEWHERE, circuit_breakers={"max_retries": 1}, bad=99)
    await scene.builds.switch("bad", status=503)
    await scene.builds.switch("good", delay=0.1)
    assert len(failed(await scene.post())) > len(KEYS) / 2


def failed(answers: Mapping[str, Answer]) -> set[str]:
    """The keys that didn't get their answer."""
    return {key for key, answer in answers.items() if answer.status != 200}
