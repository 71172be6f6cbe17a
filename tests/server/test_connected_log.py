"""The log line of an Envoy that connects."""

from pathlib import Path

import grpc
from structlog.testing import capture_logs

from tests.support.delta import CLUSTER, DELTA
from tests.support.serving import serving
from xds.spec.gateway import Gateway
from xds.stubs.envoy_service_discovery_v3_pb2 import DeltaDiscoveryRequest


async def test_it_has_what_is_known_and_nothing_empty(tmp_path: Path) -> None:
    """Of a client that tells no version, on the service for all types: neither is there."""
    with capture_logs() as logs:
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
            call.cancel()
    connected = [line for line in logs if line["event"] == "envoy connected"]
    said = {"node": "n", "gateway": "edge", "dialect": "delta"}
    assert connected == [{"event": "envoy connected", "log_level": "info", **said}]
