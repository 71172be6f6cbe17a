"""An Envoy of no gateway gets an answer it can show, and leaves a trace."""

from pathlib import Path

import grpc
import pytest

from tests.support.delta import CLUSTER, DELTA
from tests.support.serving import serving
from xds.spec.gateway import Gateway
from xds.stubs.envoy_service_discovery_v3_pb2 import DeltaDiscoveryRequest


async def test_it_is_told_remembered_and_counted(tmp_path: Path) -> None:
    """PERMISSION_DENIED with the mend, a metric, and a list for whoever looks for the reason."""
    async with (
        serving(tmp_path, Gateway(name="edge")) as server,
        grpc.aio.insecure_channel(f"{server.xds[0]}:{server.xds[1]}") as channel,
    ):
        ask: grpc.aio.StreamStreamMultiCallable[DeltaDiscoveryRequest, bytes] = channel.stream_stream(
            DELTA, request_serializer=DeltaDiscoveryRequest.SerializeToString
        )
        call = ask()
        await call.write(DeltaDiscoveryRequest(node={"id": "n", "cluster": "egde"}, type_url=CLUSTER))
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await anext(aiter(call))
        assert refusal.value.code() is grpc.StatusCode.PERMISSION_DENIED
        assert "edge takes cluster edge" in (refusal.value.details() or "")
        assert [(node.id, node.cluster, node.times) for node in server.admission.turned_away()] == [
            ("n", "egde", 1)
        ]
        assert server.registry.get_sample_value("canary_turned_away_total") == 1
