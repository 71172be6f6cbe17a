"""A peer on a plain `Stream`: keeps what it was sent, and checks what must always hold.

It behaves like Envoy where that matters to the server: a refused answer may still have been applied
in part, and the routes it holds are what a cluster's removal must wait for.
"""

import dataclasses
import random
from collections.abc import Callable

from xds.catalog.catalog import Catalog
from xds.catalog.resource import Resource
from xds.catalog.types import ROUTING, Type
from xds.discovery import sotw
from xds.discovery.answer import Answer
from xds.discovery.dialect import DELTA, Dialect
from xds.discovery.request import Node, Request
from xds.discovery.stream import Stream

Dislikes = Callable[[Resource], bool]


@dataclasses.dataclass
class Peer:
    """One Envoy, as the protocol sees it."""

    catalog: Catalog
    dislikes: Dislikes = lambda _: False
    dialect: Dialect = DELTA
    chance: random.Random = dataclasses.field(default_factory=lambda: random.Random(0))

    def __post_init__(self) -> None:
        self.stream = Stream(self.catalog, Node(), self.dialect)
        self.applied_state: dict[str, str] = {}
        self.last_nonce: dict[str, str] = {}
        self.held: dict[str, dict[str, Resource]] = {}
        self.subscribed: dict[str, set[str]] = {}
        self.asked: set[tuple[str, str]] = set()
        self.unanswered: list[Answer] = []
        self.answers: list[Answer] = []
        self.sent_before: set[tuple[str, str, str]] = set()

    def connect(self, stream: Stream | None = None) -> None:
        """Begin a new stream, proving what is held from the last one."""
        self.stream = stream or Stream(self.catalog, Node(), self.dialect)
        self.unanswered, self.asked, self.sent_before = [], set(), set()
        self.last_nonce = {}
        self._ask(Type.CLUSTER, (), known=True)
        self._ask(Type.LISTENER, (), known=True)
        for type_, names in self.subscribed.items():
            self._ask(type_, tuple(sorted(names)), known=True)

    def subscribe(self, type_: str, name: str) -> None:
        """Ask for one more name."""
        self.subscribed.setdefault(type_, set()).add(name)
        self._ask(type_, (name,))

    def unsubscribe(self, type_: str, name: str) -> None:
        """Ask for one name less."""
        self.subscribed[type_].discard(name)
        self.held.get(type_, {}).pop(name, None)
        self._say(type_, Request(type_, unsubscribe=(name,)))

    def listen(self) -> bool:
        """Take one answer off the wire, if there is one; it waits for `reply`."""
        answer = self.stream.next_answer()
        if answer is None:
            return False
        self._check(answer)
        self.answers.append(answer)
        self.unanswered.append(answer)
        return True

    def reply(self) -> None:
        """Acknowledge, or refuse, the oldest unanswered answer."""
        answer = self.unanswered.pop(0)
        bad = [item for item in answer.items if item.after is not None and self.dislikes(item.after)]
        if not bad and answer.type in self.dialect.whole:
            self.held[answer.type] = {resource.name: resource for resource in answer.rest}
        for item in answer.items:
            if not self._wants(answer.type, item.name):
                continue
            if item.after is None:
                self._held(answer.type).pop(item.name, None)
            elif not bad or (item not in bad and self.chance.random() < 0.5):
                self._held(answer.type)[item.name] = item.after
        for item in answer.items if bad else ():
            self.sent_before.discard((answer.type, item.name, item.after.version if item.after else ""))
        self.last_nonce[answer.type] = answer.nonce
        if not bad:
            self.applied_state[answer.type] = sotw.version_info(answer.state)
        self._say(answer.type, Request(answer.type, nonce=answer.nonce, error="bad" if bad else None))

    def settle(self) -> None:
        """Answer everything until the server has no more to say."""
        for _ in range(1000):
            if not self.listen():
                if not self.unanswered:
                    return
                self.reply()
        raise AssertionError("the server never stops talking")

    def _ask(self, type_: str, names: tuple[str, ...], *, known: bool = False) -> None:
        held = self.held.get(type_, {}) if known else {}
        self.asked |= {(type_, name) for name in names if name not in held}
        for name in names if not known else ():
            self.sent_before = {sent for sent in self.sent_before if sent[:2] != (type_, name)}
        versions = {name: resource.version for name, resource in held.items()}
        self._say(type_, Request(type_, subscribe=names, known=versions))

    def _say(self, type_: str, request: Request) -> None:
        """Send a request, in the stream's own dialect."""
        if self.dialect.tells_removals:
            self.stream.receive(request)
            return
        whole = sotw.StateRequest(
            type_,
            names=tuple(sorted(self.subscribed.get(type_, ()))),
            version=self.applied_state.get(type_, ""),
            nonce=self.last_nonce.get(type_, ""),
            error=request.error,
        )
        sotw.receive(self.stream, whole)

    def _check(self, answer: Answer) -> None:
        names = [item.name for item in answer.items]
        assert len(names) == len(set(names)), "the same name twice in one answer"
        for item in answer.items:
            version = item.after.version if item.after else ""
            if item.after is not None and answer.type not in self.dialect.whole:
                sent = (answer.type, item.name, version)
                assert sent not in self.sent_before, f"sent again: {sent}"
            self.sent_before = {sent for sent in self.sent_before if sent[:2] != (answer.type, item.name)}
            self.sent_before.add((answer.type, item.name, version))
            newly_asked = (answer.type, item.name) in self.asked
            if answer.type in ROUTING and item.after is not None and not newly_asked:
                ours = {name for name in item.after.clusters if self.catalog.get(Type.CLUSTER, name)}
                missing = ours - self._held(Type.CLUSTER).keys()
                assert not missing, f"{item.name} names clusters that were not acknowledged: {missing}"
            gone = answer.type == Type.CLUSTER and item.after is None
            if gone and item.name in self._held(Type.CLUSTER):
                routes = [r for t in ROUTING for r in self._held(t).values() if item.name in r.clusters]
                assert not routes, f"{item.name} is removed, but {routes} name it"
            self.asked.discard((answer.type, item.name))

    def _held(self, type_: str) -> dict[str, Resource]:
        return self.held.setdefault(type_, {})

    def _wants(self, type_: str, name: str) -> bool:
        return type_ in (Type.CLUSTER, Type.LISTENER) or name in self.subscribed.get(type_, ())
