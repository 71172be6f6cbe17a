"""Load reporting is accepted, so that Envoys which report don't complain, and nothing is asked of them."""

from pathlib import Path

import grpc

from tests.support.serving import serving
from xds.spec.gateway import default_gateway
from xds.stubs.envoy_service_load_stats_v3_pb2 import LoadStatsRequest, LoadStatsResponse

METHOD = "/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats"


async def test_reports_are_answered_once_and_taken(tmp_path: Path) -> None:
    """About no cluster, an hour apart; the stream ends without an error when the Envoy ends it."""
    async with (
        serving(tmp_path, default_gateway()) as server,
        grpc.aio.insecure_channel(f"{server.xds[0]}:{server.xds[1]}") as channel,
    ):
        report: grpc.aio.StreamStreamMultiCallable[LoadStatsRequest, LoadStatsResponse] = (
            channel.stream_stream(
                METHOD,
                request_serializer=LoadStatsRequest.SerializeToString,
                response_deserializer=LoadStatsResponse.FromString,
            )
        )
        call = report()
        await call.write(LoadStatsRequest(node={"id": "edge-1"}))
        for _ in range(3):
            await call.write(LoadStatsRequest(cluster_stats=[{"cluster_name": "c"}]))
        await call.done_writing()
        (answer,) = [answer async for answer in call]
        assert not answer.clusters
        assert not answer.send_all_clusters
        assert answer.load_reporting_interval.seconds == 3600
        assert await call.code() is grpc.StatusCode.OK
