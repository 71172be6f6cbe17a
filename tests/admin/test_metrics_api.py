"""The MetricsService through real gRPC, of reports that a test makes up."""

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from tests.support.admin_client import Services
from tests.support.delta import CLUSTER, DeltaClient
from tests.support.metric_reports import Reports
from tests.support.serving import Serving
from xds.errors import Unavailable
from xds.stubs import canary_admin_v1_pb2 as pb
from xds.telemetry.records import Point, Scope, Summary


@pytest.fixture
def reports(served: Serving) -> Reports:
    """An Envoy that reports what the test says."""
    return Reports(served.plane.telemetry, "e1", "default")


async def get(api: Services, **asked: object) -> pb.Metrics:
    """Ask about `chat`."""
    return await api.metrics.Get(pb.GetMetricsRequest(name="chat", **asked))  # type: ignore[arg-type]  # of fields


async def test_a_row_for_each_label(api: Services, reports: Reports) -> None:
    """With its build, weight and numbers; `main` first."""
    reports.report(chat_m1={"2xx": 90, "5xx": 10, "ms": [20] * 100, "active": 3}, chat_m2={"2xx": 7})

    found = await get(api)

    main, canary = found.versions
    assert (main.version, main.build, main.weight, main.effective_weight) == ("main", "model:m1", 90, 90)
    assert (main.requests, main.failures, main.success_rate, main.in_flight) == (100, 10, 0.9, 3)
    assert dict(main.statuses) == {"2xx": 90, "5xx": 10}
    assert main.latency.p50 == pytest.approx(0.02, rel=main.latency.error)
    assert (canary.version, canary.requests, canary.envoys) == ("a", 7, 1)
    assert not canary.HasField("first_byte")


async def test_nobody_reports(served: Serving, api: Services) -> None:
    """Rows there are, and which of the connected Envoys say nothing."""
    async with DeltaClient(served.xds, node_id="e9") as envoy:
        await envoy.subscribe(CLUSTER)
        await envoy.receive()
        found = await get(api)

    assert (found.envoys, list(found.silent)) == (1, ["e9"])
    assert [(row.version, row.seconds, row.HasField("success_rate")) for row in found.versions] == [
        ("main", 0.0, False),
        ("a", 0.0, False),
    ]


async def test_only_what_was_asked_for(api: Services, reports: Reports) -> None:
    """A version, a revision, a gateway, steps."""
    reports.report(chat_m1={"2xx": 5}, chat_m2={"2xx": 3})
    await api.deployments.SetWeights(pb.SetWeightsRequest(name="chat", weights={"a": 30}))
    reports.report(chat_m1={"2xx": 1}, chat_m2={"2xx": 2})

    (both,) = (await get(api, version="a")).versions
    (first,) = (await get(api, version="a", revision=1)).versions
    (stepped,) = (await get(api, version="a", step=Duration(seconds=60))).versions
    by_gateway = (await get(api, by_gateway=True)).versions

    assert (both.requests, list(both.revisions)) == (5, [1, 2])
    assert (first.requests, first.weight, first.effective_weight) == (3, 10, 0)
    assert sum(point.requests for point in stepped.points) == 5
    assert [(row.version, row.gateway, row.requests) for row in by_gateway] == [
        ("main", "default", 6),
        ("a", "default", 5),
    ]


async def test_a_watch_says_it_again(api: Services, reports: Reports) -> None:
    """Now, and after the interval."""
    watching = api.metrics.Watch(pb.WatchMetricsRequest(query={"name": "chat"}, interval=Duration(seconds=1)))
    events = aiter(watching)
    assert (await anext(events)).versions[0].requests == 0
    reports.report(chat_m1={"2xx": 5})
    assert (await anext(events)).versions[0].requests == 5
    watching.cancel()


class Other:
    """A source besides the Envoys."""

    def __init__(self, problem: str = "") -> None:
        self.problem = problem

    async def summary(self, scope: Scope, span: float) -> Summary:
        """A measure; or it can't be asked."""
        if self.problem:
            raise Unavailable(self.problem)
        return Summary(scope, begins=0.0, ends=span, rate=7.0, measures={"queue_length": 4.0}, source="other")

    async def series(self, _scope: Scope, _step: float, _span: float) -> list[Point]:
        """Nothing."""
        return []


async def test_other_sources_add_what_they_measure(served: Serving, api: Services, reports: Reports) -> None:
    """To what the Envoys say; asked by name they answer for themselves."""
    served.plane.metrics.sources["other"] = Other()
    reports.report(chat_m1={"2xx": 5})

    (both,) = (await get(api, version="main")).versions
    (alone,) = (await get(api, version="main", source="other")).versions

    assert (both.source, both.requests, dict(both.measures)) == ("envoy", 5, {"queue_length": 4})
    assert (alone.source, alone.requests, alone.rate) == ("other", 0, 7)


async def test_a_source_that_cant_be_asked(served: Serving, api: Services, reports: Reports) -> None:
    """Is said, once; the rest is there. Asked by name, there is nothing else to say."""
    served.plane.metrics.sources["other"] = Other("no answer within 5 s")
    reports.report(chat_m1={"2xx": 5})

    found = await get(api)

    assert list(found.problems) == ["other: no answer within 5 s"]
    assert found.versions[0].requests == 5
    with pytest.raises(grpc.aio.AioRpcError, match="no answer within 5 s") as raised:
        await get(api, source="other")
    assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
