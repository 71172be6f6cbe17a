"""Plain calls to a stream, in words: a hub, a stream, and what was said."""

from collections.abc import Iterable

from xds.catalog.resource import Resource
from xds.catalog.types import Type
from xds.discovery.answer import Answer
from xds.discovery.hub import Hub
from xds.discovery.request import Node, Request

Said = dict[str, str | None]
"""What an answer said: version by name, None for a removal."""


def cluster(name: str, version: str = "1") -> Resource:
    """A cluster."""
    return Resource(Type.CLUSTER, name, version, f"{name}{version}".encode())


def route(name: str, *clusters: str, version: str = "1") -> Resource:
    """A route configuration that names clusters."""
    return Resource(Type.ROUTE, name, version, f"{name}{version}".encode(), frozenset(clusters))


class Talk:
    """One peer's talk with a server whose catalog has some resources."""

    def __init__(self, *resources: Resource, node: Node = Node()) -> None:  # noqa: B008 (it is frozen)
        self.hub = Hub(["g"])
        self.hub.commit("g", resources)
        self.stream = self.hub.open("g", node)
        self.last: Answer | None = None

    def commit(self, *put: Resource, gone: Iterable[tuple[str, str]] = ()) -> None:
        """Change the catalog."""
        self.hub.commit("g", put, gone)

    def ask(self, type_: str, *names: str, known: Said | None = None) -> None:
        """Subscribe."""
        versions = {name: version or "" for name, version in (known or {}).items()}
        self.stream.receive(Request(type_, subscribe=names, known=versions))

    def drop(self, type_: str, *names: str) -> None:
        """Unsubscribe."""
        self.stream.receive(Request(type_, unsubscribe=names))

    def hear(self) -> Said | None:
        """What the server says next, left unanswered; None when it says nothing."""
        self.last = self.stream.next_answer()
        if self.last is None:
            return None
        return {item.name: item.after.version if item.after else None for item in self.last.items}

    def ack(self, answer: Answer | None = None) -> None:
        """Acknowledge an answer, the last one heard by default."""
        answer = answer or self.last
        assert answer is not None
        self.stream.receive(Request(answer.type, nonce=answer.nonce))

    def nack(self, text: str = "no") -> None:
        """Refuse the last answer heard."""
        assert self.last is not None
        self.stream.receive(Request(self.last.type, nonce=self.last.nonce, error=text))

    def take(self) -> Said | None:
        """What the server says next, acknowledged."""
        said = self.hear()
        if said is not None:
            self.ack()
        return said
