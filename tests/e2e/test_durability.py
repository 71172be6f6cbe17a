"""kill -9 while writes are under way: what was acknowledged is there, once and whole, and Envoys converge.

Each writer has a deployment of its own and goes through all the verbs. Its client asks again until the
server is back, with the same request id; so in the end every write is acknowledged, and each is to be
there exactly once.
"""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.admin_client import AdminClient
from tests.support.control_plane import ControlPlane
from tests.support.envoys import Envoy
from tests.support.files import deployment, documents, endpoints, split
from xds.client import AsyncClient
from xds.errors import InvalidInput, NotFound, NothingToDo
from xds.store.sqlite import SqliteStore
from xds.stubs import canary_admin_v1_pb2 as pb

pytestmark = pytest.mark.envoy

MOMENTS = 20
NAMES = ("alpha", "beta", "gamma")
PATIENCE = 60.0
"""Seconds within which a killed server is back."""
REFUSALS = (InvalidInput, NotFound, NothingToDo)
"""Of verbs that have nothing to do on what the verbs before left."""
VERBS = ("apply", "set-weights", "endpoints", "promote", "rollback", "delete", "undelete", "abort")


class Writer:
    """Changes one deployment, one verb after the other.

    Attributes:
        said: kind and weight of `a` by the number of each acknowledged revision.
        set_to: the port that was set last.
        done: how many writes were acknowledged.
    """

    def __init__(self, client: AsyncClient, name: str) -> None:
        self._client = client
        self.name = name
        self.said: dict[int, tuple[str, float]] = {}
        self.set_to = 0
        self.done = 0
        self.news = asyncio.Event()
        self.enough = False

    async def run(self) -> None:
        """Write until it is enough; ends with the deployment there."""
        for step in itertools.count():
            verb = VERBS[step % len(VERBS)]
            if self.enough and verb == "apply":
                return
            try:
                await self._write(verb, step)
            except REFUSALS:
                continue
            self.done += 1
            self.news.set()

    async def _write(self, verb: str, step: int) -> None:
        weight = round(step * 7.01 % 99, 2)
        client, name, id_ = self._client, self.name, f"{self.name}-{step}"
        match verb:
            case "apply":
                answer = await client.apply(file(name, weight), request_id=id_)
                self._acknowledged(answer.changes[0])
            case "set-weights":
                self._acknowledged(await client.set_weights(name, {"a": weight}, force=True, request_id=id_))
            case "promote":
                self._acknowledged(await client.promote(name, "a", force=True, request_id=id_))
            case "rollback":
                self._acknowledged(await client.rollback(name, force=True, request_id=id_))
            case "delete":
                self._acknowledged(await client.delete(name, request_id=id_))
            case "undelete":
                self._acknowledged(await client.undelete(name, request_id=id_))
            case "abort":
                self._acknowledged(await client.abort(name, request_id=id_))
            case _:
                port = 20_000 + step
                place = f"127.0.0.1:{port}"
                await client.set_endpoints(f"model:{name}", [place], force=True, request_id=id_)
                self.set_to = port

    def _acknowledged(self, change: pb.Change) -> None:
        revision = change.deployment.revision
        if change.changed:
            self.said[revision.number] = (revision.kind, revision.weights.get("a", 0.0))


def file(name: str, weight: float) -> str:
    """A deployment whose endpoints say its weight too, so that half of it would be seen."""
    canary = split(a=(name, weight))
    return documents(
        deployment(name, canary=canary, revision_history_limit=100_000),
        endpoints(**{name: f"127.0.0.1:{port_of(weight)}"}),
    )


def port_of(weight: float) -> int:
    """The port for a weight."""
    return 10_000 + round(weight * 100)


def check_whole(path: Path) -> None:
    """What is in the store of a server that was killed is whole: no half of any write."""
    store = SqliteStore(path)
    try:
        memory = store.load(since=0)
        snapshots = store.snapshots(None, 100_000)
        brought = sorted(pair for snapshot in snapshots for pair in snapshot.revisions.items())
        kept = sorted((name, each.number) for name in memory.recent for each in store.history(name))
        assert brought == kept
        assert all(set(snapshot.revisions) <= set(snapshot.entry.subjects) for snapshot in snapshots)
        for name in memory.recent:
            applied = [each for each in store.history(name) if each.kind == "apply"]
            weight = applied[-1].spec.canary.versions["a"].weight
            assert [each.port for each in memory.endpoints["apply", f"model:{name}"]] == [port_of(weight)]
    finally:
        store.close()


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[ControlPlane]:
    """A control plane that the test kills."""
    plane = ControlPlane(tmp_path)
    yield plane
    plane.kill()


@pytest.mark.timeout(1800)
async def test_nothing_acknowledged_is_lost(
    plane: ControlPlane, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """At random moments of three writers' work the server is killed; every write survives, once."""
    moments = random.Random(2)
    kills = 200 if request.config.getoption("--long") else MOMENTS
    envoy = await asyncio.to_thread(Envoy, tmp_path, plane.xds)
    try:
        async with AsyncClient(plane.admin, timeout=PATIENCE, retry=PATIENCE, author="me") as client:
            writers = [Writer(client, name) for name in NAMES]
            async with asyncio.TaskGroup() as running:
                for writer in writers:
                    running.create_task(writer.run())
                for _ in range(kills):
                    writer = moments.choice(writers)
                    writer.news.clear()
                    await writer.news.wait()
                    await asyncio.sleep(moments.uniform(0.0, 0.1))
                    await asyncio.to_thread(plane.kill)
                    await asyncio.to_thread(check_whole, tmp_path / "canary.db")
                    await asyncio.to_thread(plane.start)
                for writer in writers:
                    writer.enough = True
            kept = {
                name: {
                    each.number: (each.kind, each.weights.get("a", 0.0))
                    async for each in client.history(name, page_size=1000)
                }
                for name in NAMES
            }
            ports = {name: await listed(client, name) for name in NAMES}
        async with AdminClient(plane.admin) as admin:
            for name in NAMES:
                await admin.settled(name, seconds=PATIENCE)
    finally:
        envoy.stop()

    assert kept == {writer.name: writer.said for writer in writers}
    assert {kind for said in kept.values() for kind, _ in said.values()} == {*VERBS} - {"endpoints"}
    assert all(writer.set_to in ports[writer.name] for writer in writers)
    assert sum(writer.done for writer in writers) > kills


async def listed(client: AsyncClient, name: str) -> list[int]:
    """The ports of a build."""
    return [place.port async for build in client.endpoints(f"model:{name}") for place in build.endpoints]
