"""Load reports are taken politely and not read: what they tell comes from Envoy's metrics, with latencies.

An Envoy whose bootstrap has a `load_stats_config` calls this service for as long as it runs, and would
log an error every few seconds if it were not there. It is answered once: about no cluster, and hardly ever.
"""

from collections.abc import AsyncIterator

import grpc

from xds.stubs import envoy_service_load_stats_v3_pb2 as load_stats

_SERVICE = "envoy.service.load_stats.v3.LoadReportingService"

Context = grpc.aio.ServicerContext[bytes, bytes]

_INTERVAL = 3600
"""Seconds between reports, each of which repeats the whole node."""


def handler() -> grpc.GenericRpcHandler:
    """The service's handler; messages stay bytes."""
    answer = load_stats.LoadStatsResponse()
    answer.load_reporting_interval.FromSeconds(_INTERVAL)
    nothing_please = answer.SerializeToString()

    async def serve(requests: AsyncIterator[bytes], context: Context) -> None:
        if await anext(requests, None) is not None:
            await context.write(nothing_please)
        async for _ in requests:
            pass

    method: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(serve)
    return grpc.method_handlers_generic_handler(_SERVICE, {"StreamLoadStats": method})
