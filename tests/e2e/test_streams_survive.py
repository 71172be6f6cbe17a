"""Long streams live through a weight change and a rollback, each on the version it began with.

One drama for all three kinds, because 20 seconds are 20 seconds (6 in `scoped` mode): every stream begins
on `a`; after a quarter everybody is sent to `b`; after half that is rolled back.
"""

import asyncio
import dataclasses
from collections.abc import AsyncIterator

import aiohttp
import grpc
import pytest
import pytest_asyncio

from tests.support.admin_client import AdminClient
from tests.support.files import deployment, split
from tests.support.mesh import Mesh
from tests.support.model_service import CHAT
from tests.support.traffic import Ask, Client

pytestmark = [pytest.mark.envoy, pytest.mark.both_modes]

SECONDS = {"table": 20, "scoped": 6}
INTERVAL = 0.2
HTTP, GRPC = "long-lived", "long-lived-grpc"


@dataclasses.dataclass
class Drama:
    """What the streams said, message by message, and which build new requests got meanwhile."""

    seconds: int
    sse: list[str] = dataclasses.field(default_factory=list)
    websocket: list[str] = dataclasses.field(default_factory=list)
    grpc: list[str] = dataclasses.field(default_factory=list)
    newcomers: list[str] = dataclasses.field(default_factory=list)

    @property
    def messages(self) -> int:
        """How many each stream has."""
        return round(self.seconds / INTERVAL)


async def read_events(session: aiohttp.ClientSession, url: str, told: Drama) -> None:
    """Read server-sent events to their end."""
    async with session.get(
        f"{url}/stream?seconds={told.seconds}&interval={INTERVAL}", headers={"host": HTTP}
    ) as stream:
        async for line in stream.content:
            _, data, text = line.decode().partition("data: ")
            told.sse += [text.strip()] if data else []


async def talk_by_websocket(session: aiohttp.ClientSession, url: str, told: Drama) -> None:
    """Say something every `INTERVAL`, to the end."""
    async with session.ws_connect(f"{url}/ws", headers={"host": HTTP}) as socket:
        for number in range(told.messages):
            await socket.send_str(str(number))
            told.websocket.append(await socket.receive_str())
            await asyncio.sleep(INTERVAL)


async def talk_by_grpc(gateway: tuple[str, int], told: Drama) -> None:
    """Do the same in one bidirectional call."""
    options = [("grpc.default_authority", GRPC)]
    async with grpc.aio.insecure_channel(f"{gateway[0]}:{gateway[1]}", options=options) as channel:
        call: grpc.aio.StreamStreamCall[bytes, bytes] = channel.stream_stream(CHAT)()
        for number in range(told.messages):
            await call.write(str(number).encode())
            answer = await call.read()
            assert isinstance(answer, bytes), "the call ended early"
            told.grpc.append(answer.decode())
            await asyncio.sleep(INTERVAL)
        await call.done_writing()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def drama(mesh: Mesh, mode: str) -> AsyncIterator[Drama]:
    """The whole of it."""
    told = Drama(SECONDS[mode])
    url = f"http://{mesh.gateway[0]}:{mesh.gateway[1]}"
    async with AdminClient(mesh.plane.admin) as admin, Client(mesh.gateway) as client:

        async def everybody_to(**weights: float) -> None:
            for name in (HTTP, GRPC):
                await admin.set_weights(name, **weights)
            await newcomer()

        async def newcomer() -> None:
            for name in (HTTP, GRPC):
                await admin.settled(name)
            told.newcomers.append((await client.ask(Ask(HTTP))).build)

        await admin.apply(deployment(HTTP, canary=split(a=("a1", 0), b=("b1", 0))))
        canary = split(a=("ga1", 0), b=("gb1", 0))
        await admin.apply(deployment(GRPC, main="gm1", protocol="grpc", canary=canary))
        await everybody_to(a=100)
        no_limit = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(timeout=no_limit) as session, asyncio.TaskGroup() as streams:
            streams.create_task(read_events(session, url, told))
            streams.create_task(talk_by_websocket(session, url, told))
            streams.create_task(talk_by_grpc(mesh.gateway, told))
            await asyncio.sleep(told.seconds / 4)
            await everybody_to(a=0, b=100)
            await asyncio.sleep(told.seconds / 4)
            for name in (HTTP, GRPC):
                await admin.rollback(name)
            await newcomer()
        yield told


def test_new_requests_followed_the_changes(drama: Drama) -> None:
    """The weights really moved while the streams ran: `a`, then `b`, then `a` again."""
    assert drama.newcomers == ["a1", "b1", "a1"]


def test_a_server_sent_event_stream_stays_on_its_version(drama: Drama) -> None:
    """Every event came from the build it began with, and the stream ended by itself."""
    assert drama.sse == ["a1"] * drama.messages + ["end"]


def test_a_websocket_stays_on_its_version(drama: Drama) -> None:
    """Every answer came from the build it began with."""
    assert drama.websocket == [f"a1: {number}" for number in range(drama.messages)]


def test_a_grpc_stream_stays_on_its_version(drama: Drama) -> None:
    """Every answer came from the build it began with."""
    assert drama.grpc == [f"ga1: {number}" for number in range(drama.messages)]
