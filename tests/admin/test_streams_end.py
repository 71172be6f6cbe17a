"""Watches end when whoever watches goes, and when the server stops."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from tests.support.admin_client import Services
from tests.support.delta import CLUSTER, DeltaClient
from tests.support.serving import Serving
from tests.support.waiting import eventually
from xds.stubs import canary_admin_v1_pb2 as pb

Watch = Callable[[Services], "grpc.aio.UnaryStreamCall[Any, Any]"]

WATCHES: dict[str, Watch] = {
    "deployments": lambda api: api.deployments.Watch(pb.WatchRequest()),
    "endpoints": lambda api: api.endpoints.Watch(pb.WatchEndpointsRequest()),
    "fleet": lambda api: api.fleet.Watch(pb.WatchEnvoysRequest()),
    "wait": lambda api: api.deployments.Wait(pb.WaitRequest(name="chat")),
    "metrics": lambda api: api.metrics.Watch(pb.WatchMetricsRequest(query={"name": "chat"})),
    "drained": lambda api: api.metrics.WaitDrained(pb.WaitDrainedRequest(name="chat", version="a")),
}


async def quiet(served: Serving) -> bool | None:
    """Nobody waits for a beat of the pulse any more."""
    return not served.plane.pulse._waiting or None


@pytest.mark.parametrize("kind", WATCHES)
async def test_a_server_that_stops_says_so_at_once(served: Serving, api: Services, kind: str) -> None:
    """Rather than hang until its time of grace is over."""
    watching = WATCHES[kind](api)
    await watching.read()
    async with asyncio.timeout(20):
        await served.stop_admin(600)
    while await _next(watching) is not None:
        pass
    assert await watching.code() == grpc.StatusCode.UNAVAILABLE
    assert await watching.details() == "the server is stopping; ask again in a moment"


@pytest.mark.parametrize("kind", WATCHES)
async def test_who_goes_leaves_nothing_behind(served: Serving, api: Services, kind: str) -> None:
    """The server forgets a watcher that hangs up."""
    watching = WATCHES[kind](api)
    await watching.read()
    watching.cancel()
    await eventually(lambda: quiet(served), "nobody watches any more")


async def test_a_write_that_waits_is_answered_when_the_server_stops(served: Serving, api: Services) -> None:
    """With what was known until then: the change is made."""
    async with DeltaClient(served.xds) as envoy:
        await envoy.subscribe(CLUSTER)
        await envoy.receive()  # and never answers
        options = pb.WriteOptions(wait=pb.WaitOptions(timeout=Duration(seconds=600)))
        request = pb.SetWeightsRequest(name="chat", weights={"a": 30}, options=options)
        writing = api.deployments.SetWeights(request)
        sent = asyncio.ensure_future(_answer(writing))
        await eventually(lambda: _revision(served, 2), "the change is made")
        async with asyncio.timeout(20):
            await served.stop_admin(600)
        change = (await sent).change
    assert change.changed
    assert change.confirmation.state == pb.Confirmation.WAITING
    assert list(change.confirmation.waiting_for) == ["hand-driven"]


async def _answer(
    writing: "grpc.aio.UnaryUnaryCall[pb.SetWeightsRequest, pb.ChangeResponse]",
) -> pb.ChangeResponse:
    return await writing


async def _revision(served: Serving, number: int) -> bool | None:
    there = served.plane.deployments.get("chat").revision.number == number
    return (there and bool(served.plane.pulse._waiting)) or None


async def _next(watching: "grpc.aio.UnaryStreamCall[Any, Any]") -> object:
    try:
        answer = await watching.read()
    except grpc.aio.AioRpcError:
        return None
    return None if answer is grpc.aio.EOF else answer
