"""Nonces, versions, ACK and NACK: which answer a request is about, and what follows from it."""

from structlog.testing import capture_logs

from tests.conformance.conftest import Delta, Sotw
from tests.conformance.conversation import AnyConversation, Conversation, said_in_sotw
from tests.conformance.server import Server, resource
from tests.support.sotw import SotwClient
from tests.support.waiting import eventually
from xds.catalog.types import Type


async def test_every_answer_has_a_nonce_of_its_own(server: Server, talk: AnyConversation) -> None:
    """Over all types of a stream, and over time."""
    await talk.ask(Type.CLUSTER)
    await talk.take()
    nonces = [(Type.CLUSTER, talk.last.nonce)]
    for version in "123":
        server.commit(resource(Type.CLUSTER, "a", version), resource(Type.CLUSTER, "b", version))
        await talk.take()
        nonces.append((Type.CLUSTER, talk.last.nonce))
    assert all(nonce for _, nonce in nonces)
    assert len(set(nonces)) == len(nonces)


async def test_nothing_follows_an_acknowledgement(server: Server, talk: AnyConversation) -> None:
    """Answers are sent when something changed, not for every request."""
    server.commit(resource(Type.CLUSTER, "a"))
    await talk.ask(Type.CLUSTER)
    await talk.take()
    await talk.quiet()


async def test_what_was_refused_is_not_sent_again(server: Server, talk: AnyConversation) -> None:
    """Until it changes; then it is, and may be accepted."""
    server.commit(resource(Type.CLUSTER, "a"))
    await talk.ask(Type.CLUSTER)
    await talk.hear()
    await talk.nack()
    await talk.quiet()
    server.commit(resource(Type.CLUSTER, "a", "2"))
    assert await talk.take() == {"a": "2"}
    await talk.quiet()


async def test_the_good_ones_of_a_refused_answer_arrive(server: Server, talk: AnyConversation) -> None:
    """A refusal concerns a whole answer; the rest is told apart and sent."""
    server.commit(*(resource(Type.ROUTE, name) for name in ("a", "bad", "c", "d")))
    await talk.ask(Type.ROUTE, "a", "bad", "c", "d")
    accepted: dict[str, str | None] = {}
    for _ in range(10):
        said = await talk.hear()
        if "bad" in said:
            await talk.nack()
        else:
            await talk.ack()
            accepted |= said
        if len(accepted) == 3:
            break
    assert accepted == {"a": "1", "c": "1", "d": "1"}


async def test_one_answer_of_a_type_is_awaited_at_a_time(server: Server, talk: AnyConversation) -> None:
    """A change waits for the type's acknowledgement; then the latest state is what is sent."""
    server.commit(resource(Type.CLUSTER, "a"))
    await talk.ask(Type.CLUSTER)
    await talk.hear()
    for version in "234":
        server.commit(resource(Type.CLUSTER, "a", version))
    await talk.quiet()
    await talk.ack()
    assert await talk.take() == {"a": "4"}
    await talk.quiet()


async def test_types_do_not_wait_for_each_other(server: Server, talk: AnyConversation) -> None:
    """An aggregated stream is several streams in one."""
    server.commit(resource(Type.CLUSTER, "a"), resource(Type.ENDPOINT, "a"))
    await talk.ask(Type.CLUSTER)
    await talk.hear(Type.CLUSTER)
    await talk.ask(Type.ENDPOINT, "a")
    assert await talk.take(Type.ENDPOINT) == {"a": "1"}


async def test_a_stale_nonce_gets_no_answer(server: Server, sotw: Sotw, sotw_client: SotwClient) -> None:
    """State-of-the-world: the names in such a request don't count either; the next request's do."""
    server.commit(resource(Type.ROUTE, "r"), resource(Type.ROUTE, "s"))
    await sotw.ask(Type.ROUTE, "r")
    await sotw.take()
    stale = sotw.last.nonce
    server.commit(resource(Type.ROUTE, "r", "2"))
    await sotw.hear()
    sotw_client.names[Type.ROUTE] = ["r", "s"]
    await sotw_client.request(Type.ROUTE, nonce=stale)
    await sotw.quiet()
    await sotw.ack()
    assert await sotw.take() == {"s": "1"}


async def test_a_nonce_nobody_sent_gets_no_answer(
    server: Server, sotw: Sotw, sotw_client: SotwClient
) -> None:
    """Neither as an acknowledgement nor as a subscription."""
    server.commit(resource(Type.ROUTE, "r"))
    await sotw.ask(Type.ROUTE)
    sotw_client.names[Type.ROUTE] = ["r"]
    await sotw_client.request(Type.ROUTE, nonce="made up")
    await sotw.quiet()


async def test_a_stale_nonce_still_subscribes(server: Server, delta: Delta) -> None:
    """Incremental: subscription changes are honoured whatever nonce they come with."""
    server.commit(resource(Type.ROUTE, "r"), resource(Type.ROUTE, "s"))
    await delta.ask(Type.ROUTE, "r")
    await delta.take()
    await delta.ack()
    await delta.quiet()
    await delta.ask(Type.ROUTE, "s")
    assert await delta.take() == {"s": "1"}


async def test_a_refusal_is_told_by_its_error(server: Server, sotw: Sotw, sotw_client: SotwClient) -> None:
    """A request with the current nonce and an older version, but no error, is an acknowledgement."""
    server.commit(resource(Type.CLUSTER, "a"))
    await sotw.ask(Type.CLUSTER)
    await sotw.hear()
    await sotw_client.request(Type.CLUSTER, nonce=sotw.last.nonce, version="older")
    await sotw.quiet()
    (stream,) = server.hub.streams("default")
    assert list(stream.rejections()) == []
    server.commit(resource(Type.CLUSTER, "a", "2"))
    assert await sotw.take() == {"a": "2"}


async def test_version_info_is_of_the_resources(server: Server, sotw: Sotw) -> None:
    """It changes with them, comes back with them, and is the same on every stream."""
    server.commit(resource(Type.CLUSTER, "a"))
    await sotw.ask(Type.CLUSTER)
    await sotw.take()
    seen = []
    for version in "121":
        server.commit(resource(Type.CLUSTER, "a", version), resource(Type.CLUSTER, "b", version))
        await sotw.take()
        seen.append(sotw.last.version_info)
    assert seen[0] == seen[2] != seen[1]
    async with SotwClient(server.address) as client:
        other = Conversation(client, said_in_sotw)
        await other.ask(Type.CLUSTER, "a", "b")
        await other.take()
        assert other.last.version_info == seen[0]


async def test_version_info_of_what_is_left(server: Server, sotw: Sotw) -> None:
    """Neither a dropped name nor a given-up wildcard leaves a trace in it."""
    server.commit(*(resource(Type.CLUSTER, name) for name in "abc"))
    await sotw.ask(Type.CLUSTER, "*", "a", "b")
    await sotw.take()
    await sotw.drop(Type.CLUSTER, "*", "b")
    await sotw.quiet()
    server.commit(resource(Type.CLUSTER, "a", "2"))
    assert await sotw.take() == {"a": "2"}
    async with SotwClient(server.address) as client:
        other = Conversation(client, said_in_sotw)
        await other.ask(Type.CLUSTER, "a")
        await other.take()
        assert other.last.version_info == sotw.last.version_info


async def test_version_info_after_a_refusal(server: Server, sotw: Sotw) -> None:
    """What was refused leaves no trace in it either."""
    server.commit(resource(Type.CLUSTER, "a"))
    await sotw.ask(Type.CLUSTER)
    await sotw.take()
    server.commit(resource(Type.CLUSTER, "a", "2"))
    await sotw.hear()
    await sotw.nack()
    server.commit(resource(Type.CLUSTER, "a", "3"))
    assert await sotw.take() == {"a": "3"}
    async with SotwClient(server.address) as client:
        other = Conversation(client, said_in_sotw)
        await other.ask(Type.CLUSTER)
        await other.take()
        assert other.last.version_info == sotw.last.version_info


async def test_a_late_peer_is_reported_and_not_waited_for(server: Server, talk: AnyConversation) -> None:
    """Once, with its type; other peers and other types go on."""
    await talk.ask(Type.CLUSTER)
    await talk.hear()
    await talk.quiet()
    with capture_logs() as logs:
        server.advance(16)

        async def reported() -> list[str]:
            late = [entry["type"] for entry in logs if entry["event"] == "no acknowledgement yet"]
            return [type_ for type_ in late if type_ == Type.CLUSTER]

        assert await eventually(reported, "a report") == [Type.CLUSTER]
        server.advance(16)
        await talk.quiet()
        assert await reported() == [Type.CLUSTER]
