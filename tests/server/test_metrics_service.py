"""The metrics service over gRPC: who may report, and what becomes of what is no report."""

import random
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import grpc
import pytest

from tests.support.files import deployment
from tests.support.metric_messages import Message
from tests.support.serving import Serving, serving
from xds.control.terms import Terms
from xds.server.telemetry import LARGEST, SERVICE
from xds.spec.gateway import Gateway
from xds.telemetry.records import Scope


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Serving]:
    """One with the gateway `edge` and the deployment `d`."""
    async with serving(tmp_path, Gateway(name="edge")) as running:
        await running.plane.deployments.apply_texts([("d.yaml", deployment("d", main="v1"))], Terms("test"))
        yield running


async def report(server: Serving, messages: Iterable[bytes]) -> grpc.StatusCode:
    """Send messages on a stream, and close it; how it ended."""
    host, port = server.xds
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(f"{host}:{port}", options) as channel:
        path = f"/{SERVICE}/StreamMetrics"
        method: grpc.aio.StreamUnaryMultiCallable[bytes, bytes] = channel.stream_unary(path)
        try:
            await method(iter(messages))
        except grpc.aio.AioRpcError as error:
            return error.code()
    return grpc.StatusCode.OK


def first(at: int = 1, node: str = "e1", cluster: str = "edge") -> Message:
    """A message that says whose it is."""
    return Message(at, node, cluster).requests("d_v1", ok=1)


def counted(server: Serving) -> int:
    """Requests of the deployment."""
    return server.plane.telemetry.summary(Scope("d"), 3600, time.time()).counts.requests


async def test_reports_of_our_envoys_count(server: Serving) -> None:
    """By the node of the first message."""
    later = [Message(at).requests("d_v1", ok=1).raw() for at in (2, 3)]
    assert await report(server, [first().raw(), *later]) is grpc.StatusCode.OK
    assert counted(server) == 3
    (envoy,) = server.plane.telemetry.envoys(time.time())
    assert (envoy.node, envoy.gateway, envoy.connected) == ("e1", "edge", False)


@pytest.mark.parametrize(
    "opening", [first(cluster="other").raw(), Message().requests("d_v1", ok=1).raw(), b""]
)
async def test_others_are_turned_away(server: Serving, opening: bytes) -> None:
    """As they are on a stream of configuration; nothing of theirs counts."""
    assert await report(server, [opening]) is grpc.StatusCode.PERMISSION_DENIED
    assert counted(server) == 0
    assert server.admission.refusals == 1


@pytest.mark.parametrize("rubbish", [b"\xff" * 40, first(2).counter("x", 1).raw()[:-3], bytes(LARGEST + 1)])
async def test_what_is_no_report_ends_the_stream(server: Serving, rubbish: bytes) -> None:
    """What came before it counts, and so does the next stream."""
    assert await report(server, [first().raw(), rubbish, first(9).raw()]) is grpc.StatusCode.INVALID_ARGUMENT
    assert await report(server, [first(3).raw()]) is grpc.StatusCode.OK
    assert counted(server) == 2
    assert server.plane.telemetry.intake().garbage == 1


async def test_garbage_harms_nobody(server: Serving) -> None:
    """Two hundred streams of broken messages; and an Envoy's reports count as ever."""
    chance, whole = random.Random(4), first().active("d_v1", 1).members("d_v1", 1, 1).raw()
    for _ in range(200):
        broken = bytearray(whole)
        for _ in range(chance.randint(1, 9)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        end = chance.randint(1, len(broken))
        code = await report(server, [bytes(broken[:end])])
        assert code in (
            grpc.StatusCode.OK,
            grpc.StatusCode.PERMISSION_DENIED,
            grpc.StatusCode.INVALID_ARGUMENT,
        )
    before = counted(server)
    assert await report(server, [first(2**50, "e2").raw()]) is grpc.StatusCode.OK
    assert counted(server) == before + 1
    assert server.plane.telemetry.intake().garbage > 50
