"""What goes wrong, as exceptions; and what is tried again."""

import grpc
import pytest

from tests.cli.fake_admin import AdminApi, Answer, Refusal
from tests.support.ports import free_port
from xds import client as sdk
from xds.admin.failures import _status
from xds.client import AsyncClient, Client
from xds.errors import CanaryError
from xds.spec.faults import Fault
from xds.stubs import canary_admin_v1_pb2 as pb

CODES = grpc.StatusCode
FAULTS = [
    Fault("f.yaml", 2, "canary.versions.a.weight", "120 is not between 0 and 100", "write 12"),
    Fault("g.yaml", 0, "", "is empty"),
]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (CODES.NOT_FOUND, sdk.NotFound),
        (CODES.ALREADY_EXISTS, sdk.AlreadyExists),
        (CODES.ABORTED, sdk.Conflict),
        (CODES.FAILED_PRECONDITION, sdk.NothingToDo),
        (CODES.UNAUTHENTICATED, sdk.Unauthenticated),
        (CODES.PERMISSION_DENIED, sdk.Unauthenticated),
        (CODES.INTERNAL, sdk.ServerFailed),
        (CODES.UNIMPLEMENTED, sdk.ServerFailed),
        (CODES.RESOURCE_EXHAUSTED, sdk.ServerFailed),
    ],
)
def test_a_status_is_an_exception(
    api: AdminApi, client: Client, code: grpc.StatusCode, kind: type[CanaryError]
) -> None:
    """Each canonical code has its own; the words are the server's."""
    api.answers["Get"] = Refusal(code, "it is so")

    with pytest.raises(CanaryError) as caught:
        client.get("x")

    assert type(caught.value) is kind
    assert "it is so" in str(caught.value) or code is CODES.UNIMPLEMENTED


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (sdk.TooFewEndpoints("a has 0 of 1"), CODES.FAILED_PRECONDITION),
        (sdk.NothingToDo("no earlier revision"), CODES.FAILED_PRECONDITION),
        (sdk.StoreError("the store is locked"), CODES.UNAVAILABLE),
        (sdk.InvalidInput(FAULTS), CODES.INVALID_ARGUMENT),
    ],
)
async def test_what_the_server_raises_arrives(
    api: AdminApi, async_client: AsyncClient, error: CanaryError, code: grpc.StatusCode
) -> None:
    """The same exception here as there, with the same words."""
    details = _status(error, code, str(error))
    api.answers["Get"] = Refusal(code, str(error), details=details)

    with pytest.raises(CanaryError) as caught:
        await async_client.get("x")

    assert type(caught.value) is type(error)
    assert str(caught.value) == str(error)


def test_every_fault_arrives_with_its_place(api: AdminApi, client: Client) -> None:
    """File, line and path apart, for editors."""
    details = _status(sdk.InvalidInput(FAULTS), CODES.INVALID_ARGUMENT, "")
    api.answers["Apply"] = Refusal(CODES.INVALID_ARGUMENT, details=details)

    with pytest.raises(sdk.InvalidInput) as caught:
        client.apply({"name": "x"})

    places = [(fault.file, fault.line, fault.path) for fault in caught.value.faults]
    assert places == [("f.yaml", 2, "canary.versions.a.weight"), ("g.yaml", 0, "")]


async def test_a_server_that_is_not_there() -> None:
    """NoAnswer, once trying has taken as long as it may."""
    address = f"127.0.0.1:{free_port()}"

    with Client(address, retry=0) as client, pytest.raises(sdk.NoAnswer, match=f"no answer from {address}"):
        client.get("x")
    async with AsyncClient(address, retry=0) as other:
        with pytest.raises(sdk.NoAnswer, match=f"no answer from {address}"):
            await other.get("x")
    with Client(address) as client, pytest.raises(sdk.NoAnswer):
        list(client.watch())


async def test_what_can_be_tried_again_is(api: AdminApi, client: Client, async_client: AsyncClient) -> None:
    """A proxy that has lost the server for a moment is asked again, with the same request id."""
    answers: list[Answer] = [
        Refusal(CODES.UNAVAILABLE, "gone"),
        Refusal(CODES.UNAVAILABLE, "gone"),
        pb.ChangeResponse(),
    ]
    for one in (client.abort, async_client.abort):
        api.requests.clear()
        api.queues["Abort"] = list(answers)

        answer = one("x")
        change = answer if isinstance(answer, pb.Change) else await answer

        assert change == pb.Change()
        requests = [request for request in api.requests if isinstance(request, pb.AbortRequest)]
        assert len(requests) == 3
        assert len({request.options.request_id for request in requests}) == 1
        assert requests[0].options.request_id


async def test_whether_a_request_may_have_arrived(api: AdminApi) -> None:
    """Not where there never was a connection; and once it may have, later failures don't change that."""
    nowhere = f"127.0.0.1:{free_port()}"
    with Client(nowhere, retry=0) as client, pytest.raises(sdk.NoAnswer) as never:
        client.abort("x")
    api.queues["Abort"] = [Refusal(CODES.UNAVAILABLE, "Socket closed")]
    api.answers["Abort"] = Refusal(CODES.UNAVAILABLE, "failed to connect to all addresses")
    reached = []
    with Client(api.address, retry=0.3) as client, pytest.raises(sdk.NoAnswer) as caught:
        client.abort("x")
    reached.append(caught.value.reached)
    api.queues["Abort"] = [Refusal(CODES.UNAVAILABLE, "Socket closed")]
    async with AsyncClient(api.address, retry=0.3) as other:
        with pytest.raises(sdk.NoAnswer) as caught:
            await other.abort("x")
    reached.append(caught.value.reached)

    assert (never.value.reached, reached) == (False, [True, True])


def test_what_the_server_refuses_is_not_tried_again(api: AdminApi, client: Client) -> None:
    """It has said no, and says so every time."""
    api.answers["Abort"] = Refusal(CODES.ABORTED, "revision 3 is in force")

    with pytest.raises(sdk.Conflict):
        client.abort("x")

    assert len(api.requests) == 1


def test_a_call_that_takes_too_long(api: AdminApi) -> None:
    """NoAnswer, and not tried again: it may have been done."""
    with Client(api.address, timeout=0.0) as client, pytest.raises(sdk.NoAnswer, match="within 0 s"):
        client.abort("x")
