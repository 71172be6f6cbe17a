"""One peer's talk with the server, in words that both dialects share."""

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from tests.conformance.server import FENCE
from xds.stubs.envoy_service_discovery_v3_pb2 import DeltaDiscoveryResponse, DiscoveryResponse

Said = dict[str, str | None]
"""What an answer said: version by name, None for one that is gone."""


class Response(Protocol):
    """What answers of both dialects have."""

    @property
    def type_url(self) -> str: ...
    @property
    def nonce(self) -> str: ...


R = TypeVar("R", bound=Response)


class Client(Protocol[R]):
    """What `DeltaClient` and `SotwClient` have in common."""

    async def subscribe(self, type_url: str, *names: str) -> None: ...
    async def unsubscribe(self, type_url: str, *names: str) -> None: ...
    async def ack(self, response: R) -> None: ...
    async def nack(self, response: R, text: str = ...) -> None: ...
    async def receive(self, seconds: float = ...) -> R: ...


class Conversation(Generic[R]):
    """Asks and hears; nothing is acknowledged unasked."""

    def __init__(self, client: Client[R], read: Callable[[R], Said]) -> None:
        self.client = client
        self._read = read
        self._fences = 0

    async def ask(self, type_: str, *names: str) -> None:
        """Subscribe."""
        await self.client.subscribe(type_, *names)

    async def drop(self, type_: str, *names: str) -> None:
        """Unsubscribe."""
        await self.client.unsubscribe(type_, *names)

    async def hear(self, type_: str | None = None) -> Said:
        """What the server says next, left unanswered (and of this type)."""
        self.last = await self.client.receive()
        assert type_ in (None, self.last.type_url)
        return self._read(self.last)

    async def ack(self, response: R | None = None) -> None:
        """Acknowledge an answer, the last one by default."""
        await self.client.ack(response or self.last)

    async def nack(self, text: str = "no") -> None:
        """Refuse the last answer."""
        await self.client.nack(self.last, text)

    async def take(self, type_: str | None = None) -> Said:
        """What the server says next, acknowledged."""
        said = await self.hear(type_)
        await self.ack()
        return said

    async def quiet(self) -> None:
        """The server has nothing to say.

        No waiting: something of a type that comes after all others is asked for. What the server
        had to say would come first.
        """
        name, self._fences = f"fence-{self._fences}", self._fences + 1
        await self.client.subscribe(FENCE, name)
        response = await self.client.receive()
        assert (response.type_url, self._read(response)) == (FENCE, {name: "1"})
        await self.client.ack(response)


AnyConversation = Conversation[Any]


def said_in_delta(response: DeltaDiscoveryResponse) -> Said:
    """What an incremental answer said."""
    said: Said = {}
    for resource in response.resources:
        assert resource.name not in said, "the same name twice"
        assert resource.resource.type_url == response.type_url
        said[resource.name] = resource.version
    return said | dict.fromkeys(response.removed_resources)


def said_in_sotw(response: DiscoveryResponse) -> Said:
    """What a state-of-the-world answer said."""
    said: Said = {}
    for resource in response.resources:
        name, _, version = resource.value.partition(b"=")
        assert name.decode() not in said, "the same name twice"
        assert resource.type_url == response.type_url
        said[name.decode()] = version.decode().rstrip(".")
    return said
