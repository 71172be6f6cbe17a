"""What the server knows of an Envoy besides its protocol."""

import time
from pathlib import Path

import grpc

from tests.support.delta import CLUSTER, DELTA
from tests.support.serving import serving
from xds.control.feeds import Gone, Here
from xds.spec.gateway import Gateway
from xds.stubs.envoy_service_discovery_v3_pb2 import DeltaDiscoveryRequest


async def test_it_is_listed_with_where_it_connects_from_and_since_when(tmp_path: Path) -> None:
    """For as long as it is connected."""
    before = time.time()
    async with (
        serving(tmp_path, Gateway(name="edge")) as server,
        grpc.aio.insecure_channel(f"{server.xds[0]}:{server.xds[1]}") as channel,
    ):
        ask: grpc.aio.StreamStreamMultiCallable[DeltaDiscoveryRequest, bytes] = channel.stream_stream(
            DELTA, request_serializer=DeltaDiscoveryRequest.SerializeToString
        )
        call = ask()
        await call.write(DeltaDiscoveryRequest(node={"id": "n", "cluster": "edge"}, type_url=CLUSTER))
        await anext(aiter(call))
        events = server.plane.fleet.watch()
        event = await anext(events)
        assert isinstance(event, Here)
        envoy = event.value
        assert (envoy.id, envoy.address, envoy.dialect) == ("n", "127.0.0.1", "delta")
        assert before <= envoy.connected_at <= time.time()
        assert server.plane.fleet.get("n")[0].id == "n"
        call.cancel()
        assert Gone("n") in [await anext(events) for _ in range(2)]
