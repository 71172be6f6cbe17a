"""A server that starts answers Envoys from the image, before it has loaded anything else."""

import asyncio
import dataclasses
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.support.admin_client import AdminClient
from tests.support.delta import CLUSTER, DeltaClient
from tests.support.ports import LOOPBACK, free_port
from tests.support.waiting import wait_for
from xds.control.plane import ControlPlane
from xds.control.publisher import Publisher
from xds.discovery.hub import Hub, Target
from xds.discovery.stream import Stream
from xds.errors import StoreError
from xds.server import rest
from xds.server.front import Front
from xds.server.ready import ReadyFile
from xds.server.run import serve
from xds.server.settings import Settings
from xds.spec.gateway import Gateway, Listen
from xds.store.image_rows import Page
from xds.store.records import Memory, Write
from xds.store.sqlite import SqliteStore

REPORTS = "/envoy.service.metrics.v3.MetricsService/StreamMetrics"


def spec(name: str, tag: str = "2") -> str:
    """A deployment with a canary."""
    return (
        f"name: {name}\nbento: {name}:1\n"
        f"canary: {{versions: {{a: {{bento: '{name}:{tag}', weight: 10}}}}}}\n"
        f"---\nendpoints: {{'{name}:1': ['10.0.0.1:80'], '{name}:{tag}': ['10.0.0.2:80']}}\n"
    )


class Server:
    """One that may be kept from loading."""

    def __init__(self, folder: Path, mode: str, loads: "Loads") -> None:
        self._loads = loads
        self.xds = (LOOPBACK, free_port())
        self._admin = f"{LOOPBACK}:{free_port()}"
        gateway = Gateway.model_validate({"name": "default", "mode": mode, "listeners": [Listen(port=10000)]})
        self.ready_file = folder / "ready.json"
        self.settings = Settings(
            xds_listen=f"{self.xds[0]}:{self.xds[1]}",
            admin_listen=self._admin,
            http_listen=f"{LOOPBACK}:0",
            store=folder / "canary.db",
            gateways=(gateway,),
            health_checks=False,
            ready_file=self.ready_file,
        )

    async def ready(self) -> None:
        """Return once everything is loaded."""
        await asyncio.to_thread(wait_for, self.ready_file.exists, "ready", 30)

    async def apply(self, *texts: str) -> None:
        """Apply files."""
        async with AdminClient(self._admin) as admin:
            for text in texts:
                await admin.apply(text)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve until the block ends."""
        serving = asyncio.create_task(serve(self.settings))
        try:
            await asyncio.to_thread(wait_for, self.listens, "the port is taken")
            yield
            self._loads.go()
            await self.ready()
        finally:
            self._loads.go()
            os.kill(os.getpid(), signal.SIGTERM)
            await serving

    def listens(self) -> bool:
        """Whether it has its port."""
        with socket.socket() as probe:
            return probe.connect_ex(self.xds) == 0


class Loads:
    """Keeps the stores of this test from being loaded, from `hold` until `go`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._go = threading.Event()
        self._go.set()
        self.hold, self.go = self._go.clear, self._go.set
        self.order: list[str] = []
        """What came first."""
        load, start = SqliteStore.load, Front.open

        def held(store: SqliteStore, since: float) -> Memory:
            assert self._go.wait(20)
            self.order.append("loaded")
            return load(store, since)

        async def opened(front: Front) -> None:
            if not front.is_open:
                self.order.append("open")
            await start(front)

        monkeypatch.setattr(Front, "open", opened)
        monkeypatch.setattr(SqliteStore, "load", held)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Loads:
    """What keeps stores from being loaded."""
    monkeypatch.setattr(rest, "_tune_garbage_collection", lambda: None)  # of this process, which goes on
    return Loads(monkeypatch)


@pytest.fixture(params=["table", "scoped"])
async def server(request: pytest.FixtureRequest, tmp_path: Path, loads: Loads) -> Server:
    """One that was stopped after a deployment was applied, and will not get to load."""
    server = Server(tmp_path, request.param, loads)
    async with server.running():
        await server.ready()
        await server.apply(spec("x"), spec("y"))
    loads.hold()
    return server


async def names(client: DeltaClient) -> set[str]:
    """The clusters in the next answer, acknowledged."""
    answer = await client.receive(30)
    await client.ack(answer)
    return {resource.name for resource in answer.resources}


async def test_an_envoy_is_answered_before_anything_is_loaded(server: Server, loads: Loads) -> None:
    """With all that was published. Only when all is loaded, the server says that it is ready."""
    async with server.running(), DeltaClient(server.xds) as envoy:
        await envoy.subscribe(CLUSTER)
        assert await names(envoy) == {"x_1", "x_2", "y_1", "y_2"}
        assert not server.ready_file.exists()
        loads.go()
        await server.ready()


async def test_the_stream_goes_on_when_everything_is_there(server: Server, loads: Loads) -> None:
    """What changes then is all that is sent on it."""
    async with server.running(), DeltaClient(server.xds) as envoy:
        await envoy.subscribe(CLUSTER)
        await names(envoy)
        loads.go()
        await server.ready()
        await server.apply(spec("z"))
        assert await names(envoy) == {"z_1", "z_2"}


async def test_whoever_the_image_has_nothing_for_waits(server: Server, loads: Loads) -> None:
    """An Envoy of another age, whose configuration has to be made first."""
    async with server.running(), DeltaClient(server.xds, envoy=(1, 35, 0)) as old:
        async with DeltaClient(server.xds) as envoy:
            await old.subscribe(CLUSTER)
            await envoy.subscribe(CLUSTER)
            await names(envoy)
        with pytest.raises(TimeoutError):
            await old.receive(0.1)
        loads.go()
        assert await names(old) == {"x_1", "x_2", "y_1", "y_2"}


async def test_other_services_ask_to_come_again(server: Server, loads: Loads) -> None:
    """Envoys report metrics again after a while; nothing is known about versions yet."""
    async with (
        server.running(),
        grpc.aio.insecure_channel(f"{server.xds[0]}:{server.xds[1]}") as channel,
    ):
        report: grpc.aio.StreamUnaryMultiCallable[bytes, bytes] = channel.stream_unary(REPORTS)
        await channel.channel_ready()
        assert await report(iter([b""])).code() is grpc.StatusCode.UNAVAILABLE
        loads.go()
        await server.ready()
        assert await report(iter([b""])).code() is not grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("server", ["table"], indirect=True)
async def test_after_another_write_nobody_is_answered_before(server: Server, loads: Loads) -> None:
    """It came after the image, which is not used."""
    store = SqliteStore(server.settings.store)
    store.commit(Write(applied={("a.yaml", "a"): "digest"}))
    store.close()
    loads.go()
    loads.order.clear()
    async with server.running():
        await server.ready()
    assert loads.order == ["loaded", "open"]


@pytest.mark.parametrize("server", ["table"], indirect=True)
async def test_with_other_gateways_nobody_is_answered_before(server: Server, loads: Loads) -> None:
    """What was published was for those there were."""
    more = Gateway(name="more", listeners=(Listen(port=10001),))
    server.settings = dataclasses.replace(server.settings, gateways=(*server.settings.gateways, more))
    loads.go()
    loads.order.clear()
    async with server.running():
        await server.ready()
    async with server.running():
        await server.ready()
    assert loads.order == ["loaded", "open", "open", "loaded"]


@pytest.mark.parametrize("server", ["table"], indirect=True)
@pytest.mark.parametrize("fails", ["image", "begin_image"])
async def test_without_an_image_to_go_on_with_there_is_none_in_this_run(
    server: Server, loads: Loads, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    """A damaged one keeps nobody from serving; nothing is added to what was never begun."""
    written: list[Page] = []

    def fail(_: SqliteStore, __: str) -> None:
        raise StoreError("it is damaged")

    loads.go()
    loads.order.clear()
    monkeypatch.setattr(SqliteStore, "image", lambda *_: None)
    monkeypatch.setattr(SqliteStore, fails, fail)
    monkeypatch.setattr(SqliteStore, "write_image", lambda _, page: written.append(page))
    async with server.running():
        await server.ready()
        await server.apply(spec("z"))
    assert (loads.order, written) == (["loaded", "open"], [])


@pytest.mark.parametrize("server", ["table"], indirect=True)
async def test_who_comes_while_all_is_made_is_not_made_for_in_the_loop(
    server: Server, loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of another age: it takes as long as it took for all the others."""
    came, threads = threading.Event(), list[threading.Thread]()
    opened, provide = Hub.open, Publisher._provide

    @asynccontextmanager
    async def old_envoy() -> AsyncIterator[None]:
        async with DeltaClient(server.xds, envoy=(1, 35, 0)) as old:
            await old.subscribe(CLUSTER)
            assert await names(old) == {"x_1", "x_2", "y_1", "y_2"}
            yield

    def made(*args: Any) -> ControlPlane:
        plane = ControlPlane(*args)
        assert came.wait(20)
        return plane

    def watched_open(hub: Hub, *args: Any, **options: Any) -> Stream:
        stream = opened(hub, *args, **options)
        if hub.target_of(stream).profile:
            came.set()
        return stream

    def watched_provide(publisher: Publisher, target: Target) -> None:
        threads.append(threading.current_thread())
        provide(publisher, target)

    loads.go()
    async with server.running(), old_envoy():
        await server.ready()  # and the image has something for it
    monkeypatch.setattr(rest, "ControlPlane", made)
    monkeypatch.setattr(Hub, "open", watched_open)
    monkeypatch.setattr(Publisher, "_provide", watched_provide)
    async with server.running(), old_envoy():
        await server.ready()
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


@pytest.mark.parametrize("server", ["table"], indirect=True)
async def test_who_is_told_to_stop_while_it_loads_lets_nobody_in(
    server: Server, loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends as soon as it can."""
    monkeypatch.setattr(ReadyFile, "write", lambda *_: loads.order.append("ready"))
    loads.order.clear()
    serving = asyncio.create_task(serve(server.settings))
    await asyncio.to_thread(wait_for, server.listens, "the port is taken")
    os.kill(os.getpid(), signal.SIGTERM)
    loads.go()
    await serving
    assert loads.order == ["open", "loaded"]
