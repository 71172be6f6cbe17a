"""The MetricsService: each method asks the control plane and answers."""

from collections.abc import AsyncGenerator

from xds.admin import metric_messages as messages
from xds.admin.access import Context
from xds.admin.calls import Service, answer, answers
from xds.admin.rules import seconds
from xds.control.confirmation import PATIENCE
from xds.control.metrics import INTERVAL, SPAN, Query
from xds.stubs import canary_admin_v1_pb2 as admin
from xds.stubs import canary_admin_v1_pb2_grpc as admin_grpc


class MetricsService(Service, admin_grpc.MetricsServiceServicer):
    """How versions do."""

    @answer
    async def Get(self, request: admin.GetMetricsRequest, _context: Context) -> admin.Metrics:
        """A deployment's versions over the last minutes."""
        return messages.metrics(await self._plane.metrics.get(_query(request)))

    @answers
    async def Watch(
        self, request: admin.WatchMetricsRequest, _context: Context
    ) -> AsyncGenerator[admin.Metrics, None]:
        """The same as it is now, then again and again."""
        interval = seconds(request.interval) if request.HasField("interval") else INTERVAL
        async for report in self._plane.metrics.watch(_query(request.query), interval):
            yield messages.metrics(report)

    @answers
    async def WaitDrained(
        self, request: admin.WaitDrainedRequest, _context: Context
    ) -> AsyncGenerator[admin.Drain, None]:
        """A version until nothing is in flight on it."""
        patience = seconds(request.timeout) if request.HasField("timeout") else PATIENCE
        async for drain in self._plane.draining.follow(request.name, request.version, patience):
            yield messages.drain(drain)


def _query(said: admin.GetMetricsRequest) -> Query:
    return Query(
        name=said.name,
        version=said.version,
        gateway=said.gateway,
        by_gateway=said.by_gateway,
        revision=said.revision,
        span=seconds(said.span) if said.HasField("span") else SPAN,
        step=seconds(said.step),
        source=said.source,
    )
