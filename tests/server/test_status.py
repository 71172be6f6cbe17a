"""Client status over the real server: what each connected Envoy has, and what it said against it."""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from tests.support.delta import CLUSTER, ROUTES, DeltaClient
from tests.support.serving import Serving, serving
from xds.control.terms import Terms
from xds.spec.gateway import default_gateway
from xds.stubs import envoy_admin_v3_pb2 as admin_v3
from xds.stubs import envoy_service_status_v3_pb2 as status_v3
from xds.stubs import envoy_type_matcher_v3_pb2 as matcher_v3

SERVICE = "/envoy.service.status.v3.ClientStatusDiscoveryService/"
SPEC = 'name: s\nbento: "s:1"\n---\nendpoints: {"s:1": ["10.0.0.1:80"]}\n'

Request = status_v3.ClientStatusRequest
Response = status_v3.ClientStatusResponse


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Serving]:
    """A control plane with one deployment, published."""
    async with serving(tmp_path, default_gateway()) as running:
        await running.plane.deployments.apply_texts([("s.yaml", SPEC)], Terms("test"))
        running.plane.publisher.publish()
        yield running


@pytest.fixture
async def channel(server: Serving) -> AsyncIterator[grpc.aio.Channel]:
    """Where tools ask."""
    async with grpc.aio.insecure_channel(f"{server.xds[0]}:{server.xds[1]}") as opened:
        yield opened


async def fetch(channel: grpc.aio.Channel, *matchers: matcher_v3.NodeMatcher) -> list[status_v3.ClientConfig]:
    """What the server says about the nodes that any of these match."""
    call: grpc.aio.UnaryUnaryMultiCallable[Request, Response] = channel.unary_unary(
        SERVICE + "FetchClientStatus",
        request_serializer=Request.SerializeToString,
        response_deserializer=Response.FromString,
    )
    return list((await call(Request(node_matchers=matchers))).config)


def by_id(**pattern: str) -> matcher_v3.NodeMatcher:
    """`exact="edge-1"`."""
    return matcher_v3.NodeMatcher(node_id=pattern)


async def test_an_envoy_that_has_it_all_is_synced(server: Serving, channel: grpc.aio.Channel) -> None:
    """With the versions it acknowledged."""
    async with DeltaClient(server.xds, node_id="edge-1") as envoy:
        await envoy.subscribe(CLUSTER)
        answer = await envoy.receive()
        await envoy.ack(answer)
        await envoy.subscribe(ROUTES, "default")
        await envoy.ack(await envoy.receive())
        await envoy.subscribe(ROUTES, "nowhere")
        await envoy.receive()
        (said,) = await fetch(channel)
    cluster = next(each for each in said.generic_xds_configs if each.type_url == CLUSTER)
    assert (said.node.id, said.node.cluster) == ("edge-1", "default")
    assert (cluster.name, cluster.version_info) == (answer.resources[0].name, answer.resources[0].version)
    assert (cluster.config_status, cluster.client_status) == (status_v3.SYNCED, admin_v3.ACKED)


async def test_an_answer_that_is_awaited_is_stale(server: Serving, channel: grpc.aio.Channel) -> None:
    """Sent, and neither accepted nor refused."""
    async with DeltaClient(server.xds) as envoy:
        await envoy.subscribe(CLUSTER)
        await envoy.receive()
        (said,) = await fetch(channel)
    (cluster,) = said.generic_xds_configs
    assert (cluster.config_status, cluster.version_info) == (status_v3.STALE, "")


async def test_a_rejection_is_told_in_the_envoys_words(server: Serving, channel: grpc.aio.Channel) -> None:
    """With the version it refused."""
    async with DeltaClient(server.xds) as envoy:
        await envoy.subscribe(CLUSTER)
        answer = await envoy.receive()
        await envoy.nack(answer, "no such file")
        await envoy.subscribe(ROUTES, "default")
        await envoy.receive()
        (said,) = await fetch(channel)
    cluster = said.generic_xds_configs[0]
    assert (cluster.config_status, cluster.client_status) == (status_v3.ERROR, admin_v3.NACKED)
    assert cluster.error_state.details == "no such file"
    assert cluster.error_state.version_info == answer.resources[0].version


@pytest.mark.parametrize(
    ("matcher", "expected"),
    [
        (by_id(exact="edge-1"), ["edge-1"]),
        (by_id(prefix="edge-"), ["edge-1", "edge-2"]),
        (by_id(suffix="-2"), ["edge-2"]),
        (matcher_v3.NodeMatcher(node_id={"contains": "EDGE", "ignore_case": True}), ["edge-1", "edge-2"]),
        (by_id(exact="edge"), []),
    ],
    ids=["exact", "prefix", "suffix", "contains", "none"],
)
async def test_node_matchers_choose(
    server: Serving, channel: grpc.aio.Channel, matcher: matcher_v3.NodeMatcher, expected: list[str]
) -> None:
    """Only the nodes asked for are answered about."""
    async with (
        DeltaClient(server.xds, node_id="edge-1") as one,
        DeltaClient(server.xds, node_id="edge-2") as two,
    ):
        for envoy in (one, two):
            await envoy.subscribe(CLUSTER)
            await envoy.receive()
        assert [said.node.id for said in await fetch(channel, matcher)] == expected


async def test_a_matcher_nobody_understands_is_refused(channel: grpc.aio.Channel) -> None:
    """Rather than read as one that matches everybody, or nobody."""
    with pytest.raises(grpc.aio.AioRpcError, match="exact, prefix, suffix or contains"):
        await fetch(channel, matcher_v3.NodeMatcher(node_id={"safe_regex": {"regex": "edge-.*"}}))


async def test_a_stream_answers_each_request(server: Serving, channel: grpc.aio.Channel) -> None:
    """As things are at that moment."""
    ask: grpc.aio.StreamStreamMultiCallable[Request, Response] = channel.stream_stream(
        SERVICE + "StreamClientStatus",
        request_serializer=Request.SerializeToString,
        response_deserializer=Response.FromString,
    )
    call = ask()
    answers = aiter(call)
    await call.write(Request())
    assert len((await anext(answers)).config) == 0
    async with DeltaClient(server.xds) as envoy:
        await envoy.subscribe(CLUSTER)
        await envoy.receive()
        await call.write(Request())
        assert len((await anext(answers)).config) == 1
    await call.done_writing()
    assert [answer async for answer in answers] == []
