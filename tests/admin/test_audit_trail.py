"""Each write leaves one entry in the audit; a retry leaves none, and is answered as the first was."""

from collections.abc import Awaitable, Callable

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from tests.support import files
from tests.support.admin_client import Services
from xds.stubs import canary_admin_v1_pb2 as pb

ADA = (("canary-author", "ada"),)
BECAUSE = pb.WriteOptions(comment="because", request_id="r1")
HERE = [pb.Endpoint(address="127.0.0.1", port=9)]
M2 = files.tag("m2")
GIVEN = """{"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster, name: given, connect_timeout: 1s}"""

Write = Callable[[Services, pb.WriteOptions], Awaitable[Message]]


def _apply(api: Services, options: pb.WriteOptions) -> Awaitable[Message]:
    file = pb.File(name="f.yaml", text=files.deployment("new"))
    return api.deployments.Apply(pb.ApplyRequest(files=[file], options=options), metadata=ADA)


def _set_weights(api: Services, options: pb.WriteOptions) -> Awaitable[Message]:
    request = pb.SetWeightsRequest(name="chat", weights={"a": 30}, options=options)
    return api.deployments.SetWeights(request, metadata=ADA)


def _promote(api: Services, options: pb.WriteOptions) -> Awaitable[Message]:
    return api.deployments.Promote(pb.PromoteRequest(name="chat", options=options), metadata=ADA)


def _abort(api: Services, options: pb.WriteOptions) -> Awaitable[Message]:
    return api.deployments.Abort(pb.AbortRequest(name="chat", options=options), metadata=ADA)


def _delete(api: Services, options: pb.WriteOptions) -> Awaitable[Message]:
    return api.deployments.Delete(pb.DeleteRequest(name="chat", options=options), metadata=ADA)


def _add(api: Services, options: pb.WriteOptions) -> Awaitable[Message]:
    request = pb.EndpointsRequest(target="chat@a", endpoints=HERE, options=options)
    return api.endpoints.Add(request, metadata=ADA)


def _drain(api: Services, options: pb.WriteOptions) -> Awaitable[Message]:
    return api.endpoints.Drain(pb.EndpointsRequest(target="chat@a", options=options), metadata=ADA)


def _give(api: Services, options: pb.WriteOptions) -> Awaitable[Message]:
    file = pb.File(name="r.yaml", text=GIVEN)
    return api.resources.Set(
        pb.SetResourcesRequest(gateway="default", files=[file], options=options), metadata=ADA
    )


async def _rollback(api: Services, options: pb.WriteOptions) -> Message:
    await _set_weights(api, pb.WriteOptions(request_id="before"))
    return await api.deployments.Rollback(pb.RollbackRequest(name="chat", options=options), metadata=ADA)


async def _undelete(api: Services, options: pb.WriteOptions) -> Message:
    await _delete(api, pb.WriteOptions(request_id="before"))
    return await api.deployments.Undelete(pb.UndeleteRequest(name="chat", options=options), metadata=ADA)


async def _rollback_gateway(api: Services, options: pb.WriteOptions) -> Message:
    await _set_weights(api, pb.WriteOptions(request_id="before"))
    request = pb.RollbackGatewayRequest(gateway="default", snapshot=1, options=options)
    return await api.gateways.Rollback(request, metadata=ADA)


WRITES: dict[str, tuple[Write, list[str]]] = {
    "apply": (_apply, ["new"]),
    "set-weights": (_set_weights, ["chat"]),
    "promote": (_promote, ["chat"]),
    "abort": (_abort, ["chat"]),
    "delete": (_delete, ["chat"]),
    "rollback": (_rollback, ["chat"]),
    "undelete": (_undelete, ["chat"]),
    "endpoints add": (_add, [M2, "chat"]),
    "endpoints drain": (_drain, [M2, "chat"]),
    "resources set": (_give, ["default"]),
    "rollback gateway": (_rollback_gateway, ["default", "chat"]),
}


async def entries(api: Services) -> list[pb.AuditEntry]:
    """The whole audit, newest first."""
    return list((await api.audit.List(pb.ListAuditRequest())).entries)


@pytest.mark.parametrize("verb", WRITES)
async def test_a_write_leaves_one_entry(api: Services, verb: str) -> None:
    """Who, what, of what, why, what came of it, and the request's id."""
    write, subjects = WRITES[verb]
    await write(api, BECAUSE)
    first, *_ = told = await entries(api)
    assert (first.author, first.verb, first.comment, first.request_id) == ("ada", verb, "because", "r1")
    assert list(first.subjects) == subjects
    assert first.outcome
    assert [each.request_id for each in told].count("r1") == 1


@pytest.mark.parametrize("verb", WRITES)
async def test_a_retry_is_answered_as_the_first(api: Services, verb: str) -> None:
    """The same answer, and not a second entry."""
    write, _ = WRITES[verb]
    first = await write(api, BECAUSE)
    before = len(await entries(api))
    second = await write(api, BECAUSE)
    assert len(await entries(api)) == before
    assert _numbers(second) == _numbers(first)


@pytest.mark.parametrize("verb", WRITES)
async def test_a_dry_run_changes_nothing(api: Services, verb: str) -> None:
    """It answers what would be, and leaves no entry; nor is its id taken."""
    write, _ = WRITES[verb]
    dry = pb.WriteOptions(comment="because", request_id="r1", dry_run=True)
    would = await write(api, dry)
    assert "r1" not in {each.request_id for each in await entries(api)}
    assert _numbers(await write(api, BECAUSE)) == _numbers(would)


async def test_an_id_is_of_one_request(api: Services) -> None:
    """Another one with it is refused, and says so."""
    await _abort(api, BECAUSE)
    with pytest.raises(grpc.aio.AioRpcError, match="request id 'r1'") as refused:
        await _set_weights(api, BECAUSE)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_a_lease_leaves_an_entry_when_it_comes_and_when_it_goes(api: Services) -> None:
    """None for renewals."""
    lease = pb.RegisterRequest(target="chat@a", endpoint=HERE[0], ttl=Duration(seconds=30))
    for _ in range(3):
        await api.endpoints.Register(lease, metadata=ADA)
    await api.endpoints.Deregister(pb.DeregisterRequest(target="chat@a", endpoint=HERE[0]), metadata=ADA)
    told = [(each.verb, each.author) for each in await entries(api)][:2]
    assert told == [("endpoints deregister", "ada"), ("endpoints register", "ada")]


async def test_the_audit_is_searched(api: Services) -> None:
    """By subject and author."""
    await _set_weights(api, BECAUSE)
    await _apply(api, pb.WriteOptions())
    by_subject = await api.audit.List(pb.ListAuditRequest(subject="chat"))
    assert [each.verb for each in by_subject.entries] == ["set-weights", "apply"]
    by_author = await api.audit.List(pb.ListAuditRequest(author="ada"))
    assert [each.verb for each in by_author.entries] == ["apply", "set-weights"]


def _numbers(answer: Message) -> object:
    """What was answered, less what goes on: times, and how far the Envoys are."""
    match answer:
        case pb.ApplyResponse() | pb.RollbackGatewayResponse():
            return [_change(change) for change in answer.changes]
        case pb.ChangeResponse():
            return _change(answer.change)
        case pb.ResourcesResponse():
            return answer.resources.number, answer.changed
        case pb.EndpointsResponse():
            return len(answer.build.endpoints), answer.build.usable, answer.changed
        case _:
            raise AssertionError(answer)


def _change(change: pb.Change) -> object:
    revision = change.deployment.revision
    return (
        revision.number,
        revision.kind,
        dict(revision.weights),
        change.changed,
        change.moved,
        change.previous,
    )
