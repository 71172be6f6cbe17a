"""What mypy --strict knows of the verbs: every line here is checked by `make check`, none needs to run."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, assert_type

from xds.client import AsyncClient, Client
from xds.stubs import canary_admin_v1_pb2 as pb


def threads(client: Client) -> None:
    """Answers are typed, and arguments are checked."""
    assert_type(client.set_weights("x", {"a": 20}, wait=True), pb.Change)
    assert_type(client.apply("x.yaml", {"name": "x"}, strict=True, comment="why"), pb.ApplyResponse)
    assert_type(client.list(), Iterator[pb.Deployment])
    assert_type(client.wait("x"), pb.Confirmation)
    client.get()  # type: ignore[call-arg]  # it needs a name
    client.abort("x", wiat=True)  # type: ignore[call-arg]  # a slip of the pen
    client.set_weights("x", {"a": "20"})  # type: ignore[dict-item]  # no number


async def asyncio(client: AsyncClient) -> None:
    """As for threads, to be awaited."""
    assert_type(await client.promote("x", "a", wait=5), pb.Change)
    assert_type([deployment async for deployment in client.list()], list[pb.Deployment])
    async for event in client.watch("x"):
        assert_type(event, pb.WatchResponse)
    await client.rollback("x", to_revision="3")  # type: ignore[arg-type]  # no number


def test_this_is_checked() -> None:
    """Were the ignores not needed, mypy would say so."""
    assert not TYPE_CHECKING
    assert callable(threads)
    assert callable(asyncio)
