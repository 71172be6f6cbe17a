"""`wait=`: a write returns when the Envoys have confirmed it, and raises where they don't."""

import pytest

from tests.cli.fake_admin import AdminApi, only_main
from xds.client import AsyncClient, Client, NotConfirmed, Rejected, Wait
from xds.stubs import canary_admin_v1_pb2 as pb

STATE = pb.Confirmation.State


def answered(state: pb.Confirmation.State, **facts: object) -> pb.ChangeResponse:
    """A change that fared so."""
    said = pb.Confirmation(state=state, envoys=2, **facts)  # type: ignore[arg-type]  # as a test needs it
    return pb.ChangeResponse(change=pb.Change(deployment=only_main(), changed=True, confirmation=said))


@pytest.mark.parametrize(
    ("wait", "sent"),
    [
        (True, Wait()),
        (5, Wait(timeout=5)),
        (0.5, Wait(timeout=0.5)),
        (Wait(share=0.9, rollback_on_reject=True), Wait(share=0.9, rollback_on_reject=True)),
    ],
)
def test_what_waiting_means(api: AdminApi, client: Client, wait: bool | float | Wait, sent: Wait) -> None:  # noqa: FBT001
    """True is 30 s for all Envoys; a number is seconds."""
    api.answers["Abort"] = answered(STATE.CONFIRMED, confirmed=2)

    change = client.abort("x", wait=wait)

    assert change.confirmation.confirmed == 2
    (request,) = api.requests
    assert isinstance(request, pb.AbortRequest)
    assert request.options.wait == sent.message()


def test_without_wait_nobody_waits(api: AdminApi, client: Client) -> None:
    """The change is made; whether Envoys have it is another question."""
    api.answers["Abort"] = answered(STATE.STATE_UNSPECIFIED)

    client.abort("x")

    (request,) = api.requests
    assert isinstance(request, pb.AbortRequest)
    assert not request.options.HasField("wait")


def test_a_rejection_is_raised_with_the_change(api: AdminApi, client: Client) -> None:
    """With who refused what, and what undid it."""
    api.answers["Promote"] = answered(STATE.REJECTED, rejections=["edge-2: Cluster x: no"], undone_by=5)

    with pytest.raises(Rejected, match=r"edge-2: Cluster x: no \(undone by revision 5\)") as caught:
        client.promote("x", wait=True)

    assert isinstance(caught.value.answer, pb.Change)
    assert caught.value.answer.deployment.name == "echo"
    assert caught.value.confirmation.undone_by == 5


@pytest.mark.parametrize("state", [STATE.TIMED_OUT, STATE.NO_ENVOY, STATE.SUPERSEDED, STATE.WAITING])
def test_what_is_not_confirmed_is_no_success(
    api: AdminApi, client: Client, state: pb.Confirmation.State
) -> None:
    """Too slow, nobody there, or overtaken: none of them is a rejection."""
    api.answers["SetWeights"] = answered(state)

    with pytest.raises(NotConfirmed) as caught:
        client.set_weights("x", {"a": 1}, wait=True)

    assert type(caught.value) is NotConfirmed


async def test_apply_and_endpoints_wait_as_well(api: AdminApi, async_client: AsyncClient) -> None:
    """One of several that is not confirmed is enough."""
    rejected = answered(STATE.REJECTED).change
    api.answers["Apply"] = pb.ApplyResponse(changes=[pb.Change(), rejected])
    api.answers["EndpointService/Set"] = pb.EndpointsResponse(confirmations=[rejected.confirmation])

    with pytest.raises(Rejected):
        await async_client.apply({"name": "x"}, wait=True)
    with pytest.raises(Rejected):
        await async_client.set_endpoints("x:1", ["10.0.0.1:80"], wait=True)


async def test_wait_is_the_last_word(api: AdminApi, client: Client, async_client: AsyncClient) -> None:
    """`progress` has all of them."""
    words = [
        pb.Confirmation(state=STATE.WAITING, envoys=2, confirmed=1),
        pb.Confirmation(state=STATE.CONFIRMED, envoys=2, confirmed=2),
    ]
    api.answers["Wait"] = words

    assert list(client.progress("x", 3, wait=5)) == words
    assert client.wait("x") == words[1]
    assert await async_client.wait("x") == words[1]
    api.answers["Wait"] = words[:1]
    with pytest.raises(NotConfirmed):
        client.wait("x")


def test_the_deadline_allows_for_the_waiting(api: AdminApi) -> None:
    """The server waits; the client gives up later than it."""
    api.answers["Abort"] = answered(STATE.CONFIRMED)

    with Client(api.address, timeout=0.0) as client:
        assert client.abort("x", wait=5).changed
