"""Bad input to every method: the code, the field's path, what to do instead, and nothing changed."""

import dataclasses
import math
from collections.abc import AsyncIterator, Iterable

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from tests.admin.methods import METHODS, Ended, ended
from tests.support import files
from tests.support.admin_client import Services
from tests.support.serving import Serving
from xds.admin.rules import RULES
from xds.stubs import canary_admin_v1_pb2 as pb

INVALID, NOT_FOUND = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND
ABORTED, EXISTS = grpc.StatusCode.ABORTED, grpc.StatusCode.ALREADY_EXISTS
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION

HERE = pb.Endpoint(address="127.0.0.1", port=9)
FILE = pb.File(name="f.yaml", text=files.deployment("new"))


@dataclasses.dataclass(frozen=True)
class Bad:
    """A request, and what is to come of it.

    Attributes:
        fields: those it is about, as BadRequest names them.
    """

    method: str
    request: Message
    code: grpc.StatusCode
    fields: tuple[str, ...] = ()


def invalid(method: str, request: Message, *fields: str) -> Bad:
    """One of whose own fields something is wrong with."""
    return Bad(method, request, INVALID, tuple(f"request:0: {field}" for field in fields))


def options_of(method: str, **fields: object) -> Iterable[Bad]:
    """What no write takes, whatever else it says."""
    takes = METHODS[method].takes
    wait = pb.WaitOptions(share=math.nan, timeout=Duration(nanos=-1))
    options = pb.WriteOptions(comment="x" * 10_001, request_id="x" * 201, expected_revision=-1, wait=wait)
    named = ("comment", "request_id", "expected_revision", "wait.share", "wait.timeout")
    yield invalid(method, takes(options=options, **fields), *(f"options.{name}" for name in named))
    for share, timeout in ((-0.1, 1), (1.1, 1), (math.inf, 0), (0.5, 86_401)):
        wait = pb.WaitOptions(share=share, timeout=Duration(seconds=timeout))
        wrong = [] if 0 <= share <= 1 else ["options.wait.share"]
        wrong += [] if 0 < timeout <= 86_400 else ["options.wait.timeout"]
        yield invalid(method, takes(options=pb.WriteOptions(wait=wait), **fields), *wrong)


def pages_of(method: str, **fields: object) -> Iterable[Bad]:
    """What no listing takes."""
    takes = METHODS[method].takes
    for size in (-1, 1001, -(2**31)):
        yield invalid(method, takes(page_size=size, **fields), "page_size")
    for token in ("x", "W10", "x" * 100_000, "bnVsbA", "Wzkx", "\N{SNOWMAN}"):
        yield invalid(method, takes(page_token=token, **fields), "page_token")


def nameless(method: str, field: str, **fields: object) -> Bad:
    """One that doesn't say what it is about."""
    return invalid(method, METHODS[method].takes(**fields), field)


def places(method: str) -> Iterable[Bad]:
    """Endpoints that are none."""
    for index, (endpoint, field) in enumerate(
        (
            (pb.Endpoint(address="127.0.0.1"), "port"),
            (pb.Endpoint(address="127.0.0.1", port=65_536), "port"),
            (pb.Endpoint(address="127.0.0.1", port=2**32 - 1), "port"),
            (pb.Endpoint(address="", port=1), "address"),
            (pb.Endpoint(address="a b", port=1), "address"),
            (pb.Endpoint(address="http://x", port=1), "address"),
            (pb.Endpoint(address="x" * 300, port=1), "address"),
            (pb.Endpoint(address="127.0.0.1", port=1, weight=2**32 - 1), "weight"),
        )
    ):
        if METHODS[method].takes is pb.EndpointsRequest:
            given = [HERE] * min(index, 1) + [endpoint]
            request: Message = pb.EndpointsRequest(target="chat@a", endpoints=given)
            yield invalid(method, request, f"endpoints[{len(given) - 1}].{field}")
        elif METHODS[method].takes is pb.RegisterRequest:
            request = pb.RegisterRequest(target="chat@a", endpoint=endpoint, ttl=Duration(seconds=9))
            yield invalid(method, request, f"endpoint.{field}")
        else:
            yield invalid(
                method, pb.DeregisterRequest(target="chat@a", endpoint=endpoint), f"endpoint.{field}"
            )


D, E, G, R = "DeploymentService.", "EndpointService.", "GatewayService.", "ResourceService."
M = "MetricsService."
NAMED = {"name": "chat"}
DEPLOYMENT_VERBS = ("Promote", "Abort", "Rollback", "Delete", "Undelete")
ENDPOINT_VERBS = ("Set", "Add", "Remove", "Drain", "Undrain")
SAID_TWICE = [HERE, HERE]

UNDONE = pb.WriteOptions(wait=pb.WaitOptions(rollback_on_reject=True))

BAD = [
    invalid(D + "Apply", pb.ApplyRequest(), "files"),
    invalid(D + "Apply", pb.ApplyRequest(files=[pb.File(text="")]), "files[0].name"),
    invalid(D + "Apply", pb.ApplyRequest(files=[FILE], mode=7), "mode"),  # type: ignore[arg-type]  # as an old server sees a new mode
    Bad(D + "Apply", pb.ApplyRequest(files=[pb.File(name="f", text="name: [")]), INVALID, ("f:1: ",)),
    Bad(
        D + "Apply",
        pb.ApplyRequest(files=[pb.File(name="f", text="name: a\nbento: 1")]),
        INVALID,
        ("f:2: bento",),
    ),
    Bad(
        D + "Apply",
        pb.ApplyRequest(
            files=[pb.File(name="f", text=files.deployment("chat"))], mode=pb.ApplyRequest.CREATE
        ),
        EXISTS,
    ),
    Bad(D + "Apply", pb.ApplyRequest(files=[FILE], mode=pb.ApplyRequest.UPDATE), NOT_FOUND),
    Bad(D + "Apply", pb.ApplyRequest(files=[FILE], options=pb.WriteOptions(expected_revision=3)), ABORTED),
    *options_of(D + "Apply", files=[FILE]),
    nameless(D + "Get", "name"),
    Bad(D + "Get", pb.GetRequest(name="nobody"), NOT_FOUND),
    Bad(D + "Get", pb.GetRequest(name="\0" + "\N{SNOWMAN}" * 1_000_000), NOT_FOUND),
    *pages_of(D + "List"),
    nameless(D + "SetWeights", "name", weights={"a": 1}),
    nameless(D + "SetWeights", "weights", name="chat"),
    invalid(D + "SetWeights", pb.SetWeightsRequest(name="chat", weights={"": 1}), "weights"),
    *(
        invalid(D + "SetWeights", pb.SetWeightsRequest(name="chat", weights={"a": weight}), "weights.a")
        for weight in (math.nan, math.inf, -math.inf, -1, 100.01, 1e300)
    ),
    Bad(
        D + "SetWeights", pb.SetWeightsRequest(name="chat", weights={"b": 1}), INVALID, ("chat:0: weights.b",)
    ),
    Bad(
        D + "SetWeights",
        pb.SetWeightsRequest(name="chat", weights={"a": 0.001}),
        INVALID,
        ("chat:0: weights.a",),
    ),
    Bad(
        D + "SetWeights",
        pb.SetWeightsRequest(name="chat", weights={"a": 60, "main": 60}),
        INVALID,
        ("chat:0: weights.main",),
    ),
    Bad(D + "SetWeights", pb.SetWeightsRequest(name="nobody", weights={"a": 1}), NOT_FOUND),
    Bad(D + "SetWeights", pb.SetWeightsRequest(name="empty", weights={"a": 1}), PRECONDITION),
    *options_of(D + "SetWeights", name="chat", weights={"a": 1}),
    *(
        bad
        for verb in DEPLOYMENT_VERBS
        for bad in (
            nameless(D + verb, "name"),
            Bad(D + verb, METHODS[D + verb].takes(name="nobody"), NOT_FOUND),
            *options_of(D + verb, name="chat"),
        )
    ),
    *(
        Bad(
            D + verb,
            METHODS[D + verb].takes(name="chat", options=pb.WriteOptions(expected_revision=9)),
            ABORTED,
        )
        for verb in ("Promote", "Rollback", "Delete", "Undelete")
    ),
    Bad(D + "Promote", pb.PromoteRequest(name="chat", version="b"), INVALID, ("chat:0: version",)),
    Bad(D + "Promote", pb.PromoteRequest(name="empty", version="a"), PRECONDITION),
    invalid(D + "Rollback", pb.RollbackRequest(name="chat", to_revision=0), "to_revision"),
    invalid(D + "Rollback", pb.RollbackRequest(name="chat", to_revision=-(2**63)), "to_revision"),
    invalid(D + "Rollback", pb.RollbackRequest(name="chat", to_revision=2**63 - 1), "to_revision"),
    Bad(D + "Rollback", pb.RollbackRequest(name="chat", to_revision=2**53), NOT_FOUND),
    Bad(D + "Rollback", pb.RollbackRequest(name="chat"), PRECONDITION),
    Bad(D + "Undelete", pb.UndeleteRequest(name="chat"), PRECONDITION),
    nameless(D + "ListRevisions", "name"),
    Bad(D + "ListRevisions", pb.ListRevisionsRequest(name="nobody"), NOT_FOUND),
    *pages_of(D + "ListRevisions", name="chat"),
    invalid(D + "Diff", pb.DiffRequest(), "name"),
    invalid(D + "Diff", pb.DiffRequest(name="chat", files=[FILE]), "files"),
    invalid(D + "Diff", pb.DiffRequest(files=[FILE], to_revision=1), "from_revision"),
    invalid(D + "Diff", pb.DiffRequest(files=[pb.File()]), "files[0].name"),
    invalid(
        D + "Diff",
        pb.DiffRequest(name="chat", from_revision=-1, to_revision=-2),
        "from_revision",
        "to_revision",
    ),
    Bad(D + "Diff", pb.DiffRequest(name="chat", from_revision=9), NOT_FOUND),
    Bad(D + "Diff", pb.DiffRequest(files=[pb.File(name="f", text="[")]), INVALID, ("f:1: ",)),
    nameless(D + "Explain", "name"),
    invalid(D + "Explain", pb.ExplainRequest(name="chat", target=b"x"), "target"),
    invalid(
        D + "Explain",
        pb.ExplainRequest(name="chat", headers=[pb.ExplainRequest.Header(value=b"x")]),
        "headers[0].name",
    ),
    invalid(D + "Explain", pb.ExplainRequest(name="chat", keys=[b"x"] * 10_001), "keys"),
    invalid(D + "Explain", pb.ExplainRequest(name="chat", keys=[b"x"]), "keys"),
    Bad(D + "Explain", pb.ExplainRequest(name="nobody"), NOT_FOUND),
    Bad(D + "Explain", pb.ExplainRequest(name="chat", gateway="nobody"), NOT_FOUND),
    Bad(D + "Explain", pb.ExplainRequest(name="chat", host="nobody.example"), NOT_FOUND),
    invalid(D + "Simulate", pb.SimulateRequest(), "files"),
    invalid(D + "Simulate", pb.SimulateRequest(files=[FILE], keys=[b"x"]), "keys"),
    Bad(D + "Simulate", pb.SimulateRequest(files=[pb.File(name="f", text="[")]), INVALID, ("f:1: ",)),
    invalid(D + "Watch", pb.WatchRequest(names=["chat", ""]), "names[1]"),
    invalid(D + "Watch", pb.WatchRequest(names=["x"] * 10_001), "names"),
    nameless(D + "Wait", "name"),
    invalid(D + "Wait", pb.WaitRequest(name="chat", revision=-1), "revision"),
    invalid(D + "Wait", pb.WaitRequest(name="chat", wait=pb.WaitOptions(share=2)), "wait.share"),
    invalid(D + "Wait", pb.WaitRequest(name="chat", wait=pb.WaitOptions(timeout=Duration())), "wait.timeout"),
    Bad(D + "Wait", pb.WaitRequest(name="nobody"), NOT_FOUND),
    Bad(D + "Wait", pb.WaitRequest(name="chat", revision=9), NOT_FOUND),
    *pages_of(E + "List"),
    Bad(E + "List", pb.ListEndpointsRequest(target="no:such"), NOT_FOUND),
    Bad(E + "List", pb.ListEndpointsRequest(target="chat@b"), NOT_FOUND),
    *(
        bad
        for verb in ENDPOINT_VERBS
        for bad in (
            nameless(E + verb, "target", endpoints=[HERE]),
            *places(E + verb),
            invalid(E + verb, pb.EndpointsRequest(target="chat@a", endpoints=[HERE] * 10_001), "endpoints"),
            invalid(E + verb, pb.EndpointsRequest(target="chat@a", endpoints=SAID_TWICE), "endpoints[1]"),
            Bad(E + verb, pb.EndpointsRequest(target="chat@b", endpoints=[HERE]), NOT_FOUND),
            invalid(
                E + verb,
                pb.EndpointsRequest(target="chat@a", endpoints=[HERE], options=UNDONE),
                "options.wait.rollback_on_reject",
            ),
            Bad(
                E + verb,
                pb.EndpointsRequest(
                    target="chat@a", endpoints=[HERE], options=pb.WriteOptions(expected_revision=9)
                ),
                ABORTED,
            ),
            *options_of(E + verb, target="chat@a", endpoints=[HERE]),
        )
    ),
    *(
        Bad(E + verb, pb.EndpointsRequest(target="chat@a", endpoints=[HERE]), NOT_FOUND)
        for verb in ("Remove", "Drain", "Undrain")
    ),
    Bad(
        E + "Remove",
        pb.EndpointsRequest(target="chat@a", endpoints=[pb.Endpoint(address="127.0.0.1", port=3002)]),
        INVALID,
        (files.tag("m2") + ":0: endpoints",),
    ),
    Bad(E + "Drain", pb.EndpointsRequest(target="chat@main"), PRECONDITION),
    nameless(E + "Register", "target", endpoint=HERE, ttl=Duration(seconds=9)),
    nameless(E + "Register", "endpoint", target="chat@a", ttl=Duration(seconds=9)),
    *places(E + "Register"),
    *(
        invalid(E + "Register", pb.RegisterRequest(target="chat@a", endpoint=HERE, ttl=ttl), "ttl")
        for ttl in (
            None,
            Duration(),
            Duration(seconds=-9),
            Duration(nanos=999_999_999),
            Duration(seconds=3601),
        )
    ),
    Bad(
        E + "Register", pb.RegisterRequest(target="chat@b", endpoint=HERE, ttl=Duration(seconds=9)), NOT_FOUND
    ),
    nameless(E + "Deregister", "target", endpoint=HERE),
    nameless(E + "Deregister", "endpoint", target="chat@a"),
    *places(E + "Deregister"),
    Bad(E + "Deregister", pb.DeregisterRequest(target="chat@a", endpoint=HERE), NOT_FOUND),
    Bad(E + "Watch", pb.WatchEndpointsRequest(target="no:such"), NOT_FOUND),
    nameless(G + "ListSnapshots", "gateway"),
    Bad(G + "ListSnapshots", pb.ListSnapshotsRequest(gateway="nobody"), NOT_FOUND),
    *pages_of(G + "ListSnapshots", gateway="default"),
    nameless(G + "Rollback", "gateway", snapshot=1),
    invalid(G + "Rollback", pb.RollbackGatewayRequest(gateway="default"), "snapshot"),
    Bad(G + "Rollback", pb.RollbackGatewayRequest(gateway="nobody", snapshot=1), NOT_FOUND),
    Bad(G + "Rollback", pb.RollbackGatewayRequest(gateway="default", snapshot=2**53), NOT_FOUND),
    *options_of(G + "Rollback", gateway="default", snapshot=1),
    nameless(R + "Get", "gateway"),
    invalid(R + "Get", pb.GetResourcesRequest(gateway="default", number=-1), "number"),
    Bad(R + "Get", pb.GetResourcesRequest(gateway="default", number=9), NOT_FOUND),
    Bad(R + "Get", pb.GetResourcesRequest(gateway="nobody"), NOT_FOUND),
    nameless(R + "Set", "gateway", files=[FILE]),
    invalid(R + "Set", pb.SetResourcesRequest(gateway="default", files=[pb.File()]), "files[0].name"),
    Bad(R + "Set", pb.SetResourcesRequest(gateway="nobody", files=[FILE]), NOT_FOUND),
    Bad(
        R + "Set",
        pb.SetResourcesRequest(gateway="default", files=[pb.File(name="r", text="a: 1")]),
        INVALID,
        ("r:1: ",),
    ),
    *options_of(R + "Set", gateway="default", files=[FILE]),
    nameless(R + "Rollback", "gateway"),
    Bad(R + "Rollback", pb.RollbackResourcesRequest(gateway="default"), PRECONDITION),
    *options_of(R + "Rollback", gateway="default"),
    nameless(R + "ListRevisions", "gateway"),
    Bad(R + "ListRevisions", pb.ListResourceRevisionsRequest(gateway="nobody"), NOT_FOUND),
    *pages_of(R + "ListRevisions", gateway="default"),
    *pages_of("FleetService.List"),
    Bad("FleetService.List", pb.ListEnvoysRequest(gateway="nobody"), NOT_FOUND),
    nameless("FleetService.Get", "id"),
    Bad("FleetService.Get", pb.GetEnvoyRequest(id="nobody"), NOT_FOUND),
    Bad("FleetService.Watch", pb.WatchEnvoysRequest(gateway="nobody"), NOT_FOUND),
    nameless(M + "Get", "name"),
    Bad(M + "Get", pb.GetMetricsRequest(name="nobody"), NOT_FOUND),
    *(
        Bad(M + "Get", pb.GetMetricsRequest(name="chat", **said), NOT_FOUND)
        for said in ({"version": "z"}, {"gateway": "nobody"}, {"revision": 9}, {"source": "nobody"})
    ),
    *(
        invalid(M + "Get", pb.GetMetricsRequest(name="chat", span=span), "span")
        for span in (Duration(), Duration(seconds=4), Duration(seconds=86_401), Duration(seconds=-9))
    ),
    *(
        invalid(M + "Get", pb.GetMetricsRequest(name="chat", step=step), "step")
        for step in (Duration(), Duration(seconds=4), Duration(seconds=7), Duration(seconds=-5))
    ),
    invalid(M + "Get", pb.GetMetricsRequest(name="chat", revision=-1), "revision"),
    invalid(M + "Watch", pb.WatchMetricsRequest(), "query.name"),
    invalid(
        M + "Watch",
        pb.WatchMetricsRequest(query={"name": "chat"}, interval=Duration(nanos=999_999_999)),
        "interval",
    ),
    Bad(M + "Watch", pb.WatchMetricsRequest(query={"name": "nobody"}), NOT_FOUND),
    nameless(M + "WaitDrained", "name", version="a"),
    nameless(M + "WaitDrained", "version", name="chat"),
    invalid(
        M + "WaitDrained",
        pb.WaitDrainedRequest(name="chat", version="a", timeout=Duration(seconds=-1)),
        "timeout",
    ),
    Bad(M + "WaitDrained", pb.WaitDrainedRequest(name="nobody", version="a"), NOT_FOUND),
    Bad(M + "WaitDrained", pb.WaitDrainedRequest(name="chat", version="z"), NOT_FOUND),
    *pages_of("AuditService.List"),
    invalid("AuditService.List", pb.ListAuditRequest(since=Timestamp(seconds=-1)), "since"),
]

CANT_BE_BAD = {"GatewayService.List", "ServerService.Get"}
"""They take nothing."""


@pytest.fixture
async def channel(served: Serving) -> AsyncIterator[grpc.aio.Channel]:
    """To the server."""
    async with grpc.aio.insecure_channel(served.admin) as open_channel:
        yield open_channel


async def test_every_bad_request_is_refused_and_changes_nothing(
    served: Serving, api: Services, channel: grpc.aio.Channel
) -> None:
    """Each with the code, the field's path and a text that helps; and all is as it was before."""
    unserved = files.deployment("empty", main="m8", canary=files.split(a=("m9", 0)))
    await api.deployments.Apply(pb.ApplyRequest(files=[pb.File(name="empty.yaml", text=unserved)]))
    before = await everything(served)
    wrong: list[object] = []
    for bad in BAD:
        method = METHODS[bad.method]
        came = await ended(channel, method, bad.request.SerializeToString())
        if (came.code, came.fields) != (bad.code, bad.fields) or not came.text:
            wrong.append((bad.method, str(bad.request)[:200], bad.code, bad.fields, came))
        if await everything(served) != before:
            wrong.append((bad.method, str(bad.request)[:200], "changed something"))
            before = await everything(served)
    assert wrong == []


async def everything(served: Serving) -> object:
    """All that a request may change."""
    plane = served.plane
    return (
        [standing.revision for standing in plane.deployments.list()],
        plane.endpoints.list(),
        plane.resources.get("default").given,
        len(await plane.audit(limit=1000)),
        await plane.gateways.snapshots("default"),
    )


@pytest.mark.parametrize("raw", [b"\xff\xff\xff", b"\x0a\x02\xff\xfe"], ids=["no message", "no UTF-8"])
async def test_bytes_that_cant_be_read(channel: grpc.aio.Channel, raw: bytes) -> None:
    """The caller's fault, on every kind of method."""
    for name in ("DeploymentService.Get", "DeploymentService.Watch"):
        came = await ended(channel, METHODS[name], raw)
        assert (came.code, came.fields) == (INVALID, ("request:0: ",))


def test_no_method_is_without_bad_requests() -> None:
    """The table has one for each that takes anything."""
    assert {bad.method for bad in BAD} == METHODS.keys() - CANT_BE_BAD


def test_every_request_has_rules() -> None:
    """One without could not be served."""
    assert {method.takes for method in METHODS.values()} == RULES.keys()


@pytest.mark.usefixtures("api")
async def test_too_few_endpoints_is_a_precondition(channel: grpc.aio.Channel) -> None:
    """With the reason, and google.rpc.PreconditionFailure."""
    method = METHODS["EndpointService.Drain"]
    came = await ended(channel, method, pb.EndpointsRequest(target="chat@main").SerializeToString())
    assert (came.code, came.reason, came.violations) == (PRECONDITION, "TooFewEndpoints", 1)


@pytest.mark.parametrize("letter", ["x", "\N{SNOWMAN}"], ids=["ASCII", "not ASCII"])
async def test_thousands_of_faults_still_arrive(channel: grpc.aio.Channel, letter: str) -> None:
    """As many as a header takes, and how many more there are."""
    text = "\n".join(f"{letter * 50}{number}: 1" for number in range(400))
    file = pb.File(name=letter * 1000, text=f"name: a\nbento: b\n{text}")
    request = pb.ApplyRequest(files=[file], strict=True)
    came: Ended = await ended(channel, METHODS["DeploymentService.Apply"], request.SerializeToString())
    assert came.code == INVALID
    assert len(came.fields) > 1
    assert came.mends[-1].startswith("and ")
