"""One aggregated stream: its watches, and what to send next.

The adapter feeds decoded requests and, whenever there may be something to say, asks for the next
answer until there is none. There is no queue of answers: each is made of the latest state at the
moment it can be written, so a slow peer costs no memory.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator

from xds.catalog.batches import Push
from xds.catalog.catalog import Catalog
from xds.catalog.types import ROUTING, Type
from xds.discovery.answer import Answer, Item
from xds.discovery.dialect import DELTA, Dialect
from xds.discovery.order import Clock, Order
from xds.discovery.rejections import Patience, Rejection
from xds.discovery.request import MOST_NAMES, MOST_TYPES, Node, Request, TooMuch
from xds.discovery.watch import Watch

_ORDER = {type_.value: rank for rank, type_ in enumerate(Type)}


@dataclasses.dataclass(slots=True)
class Counters:
    """What a stream has seen so far."""

    answers: int = 0
    acknowledgements: int = 0
    refusals: int = 0
    stale: int = 0

    def __add__(self, other: "Counters") -> "Counters":
        return Counters(
            self.answers + other.answers,
            self.acknowledgements + other.acknowledgements,
            self.refusals + other.refusals,
            self.stale + other.stale,
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Peer:
    """Where a stream comes from, and since when (seconds since the epoch; 0.0: nobody knows)."""

    address: str = ""
    connected_at: float = 0.0


ACK_DEADLINE = 15.0
"""Seconds after which a peer that has not answered is reported. Nothing else: it is not waited for."""


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """What a peer said to an answer (`error` is None: it took it), after how many seconds."""

    type: str
    items: tuple[Item, ...]
    error: str | None
    seconds: float = 0.0


class Stream:
    """The protocol state of one peer on one stream.

    Args:
        catalog: what the peer is to have.
        node: who it is.
        dialect: how it speaks.
        clock: seconds from some fixed moment on.
        aggregated: whether the stream carries all types, in order; else it carries one.
    """

    def __init__(
        self,
        catalog: Catalog,
        node: Node,
        dialect: Dialect = DELTA,
        clock: Clock = lambda: 0.0,
        *,
        aggregated: bool = True,
    ) -> None:
        self.node = node
        self.peer = Peer()
        self.stirs: Callable[[Stream], object] = lambda _: None
        """Told whenever the stream may have come into sync, or left it."""
        self.dialect = dialect
        self.counters = Counters()
        self.watches: dict[str, Watch] = {}
        self.catalog = catalog
        self._open: list[Watch] = []
        """Those that stirred; nearly always, of nearly every peer, none of them is open any more."""
        self._patience = Patience()
        self._clock = clock
        self._awaited_since: dict[str, float] = {}
        self._reported: set[str] = set()
        self._order = Order(
            catalog, self.watches, clock, aggregated=aggregated, envoy=node.version is not None
        )

    def receive(self, request: Request) -> Verdict | None:
        """Take in one request: what it acknowledges or refuses, then what it asks for.

        Returns:
            What the peer said to an answer of ours, if it said something.

        Raises:
            TooMuch: the stream is to be ended.
        """
        watch = self.watches.get(request.type)
        first = watch is None
        if watch is None:
            watch = self._begin(request.type)
        verdict = self._answered(watch, request) if request.nonce else None
        if request.subscribe or (first and not request.unsubscribe):
            watch.subscribe(request.subscribe, request.known, has_more=request.has_more)
        if request.unsubscribe:
            watch.unsubscribe(request.unsubscribe)
        if first or request.subscribe or request.unsubscribe:
            self._stay_within_bounds()
            self._order.review()
        self._stir(watch)
        self.stirs(self)
        return verdict

    def retarget(self, catalog: Catalog) -> None:
        """From now on the peer is to have another catalog."""
        for watch in self.watches.values():
            watch.retarget(catalog)
            self._stir(watch)
        self._order.retarget(catalog)
        self.catalog = catalog
        self.stirs(self)

    def notice(self, pushes: Iterable[Push]) -> bool:
        """The catalog changed; returns whether any of it concerns this stream."""
        concerned = False
        for push in pushes:
            watch = self.watches.get(push.type)
            if watch is not None and (changes := watch.notice(push)):
                self._order.notice(changes)
                self._stir(watch)
                concerned = True
        if concerned:
            self.stirs(self)
        return concerned

    @property
    def restless(self) -> bool:
        """Whether there may be something to say, now or later."""
        return any(watch.restless for watch in self._open_watches())

    def next_answer(self) -> Answer | None:
        """The next message to send; None while there is nothing to say or an answer is awaited."""
        restless = [watch for watch in self._open_watches() if watch.restless]
        if not restless:
            return None
        self._order.look()
        owed = -1
        while owed != (owed := sum([len(watch.owed) for watch in restless])):
            # What a pass over the types settles without a word may open a gate for the next.
            for watch in restless:
                answer = watch.next_answer(self._order)
                if answer is not None:
                    self.counters.answers += 1
                    self._awaited_since.setdefault(answer.type, self._clock())
                    return answer
        self.stirs(self)  # what was settled without a word may have been all there was
        return None

    def stale(self) -> None:
        """A request that answers nothing this stream is waiting for."""
        self.counters.stale += 1

    def next_deadline(self) -> float | None:
        """When to look again though nothing new comes in: a grace ends, an acknowledgement is overdue."""
        awaited = (
            at + ACK_DEADLINE for type_, at in self._awaited_since.items() if type_ not in self._reported
        )
        release = self._order.next_release() if self.restless else None
        return min(awaited if release is None else (release, *awaited), default=None)

    def overdue(self) -> list[str]:
        """The types whose acknowledgement is overdue, each reported once."""
        if not self._awaited_since:
            return []
        now = self._clock()
        late = [
            type_
            for type_, at in self._awaited_since.items()
            if type_ not in self._reported and now >= at + ACK_DEADLINE
        ]
        self._reported.update(late)
        return late

    @property
    def is_awaited(self) -> bool:
        """Whether the peer has an answer that it did not acknowledge yet; may be asked in any thread."""
        return bool(self._awaited_since)

    @property
    def in_sync(self) -> bool:
        """Whether the peer acknowledged all it asked for and is to have (what it refuses aside)."""
        return all(watch.in_sync for watch in self._open_watches())

    @property
    def settled(self) -> int:
        """The last push that the peer has answered in all that it asked for (refused or not)."""
        return min((watch.settled for watch in self._open_watches()), default=self.catalog.push)

    def rejections(self) -> Iterator[tuple[str, Rejection]]:
        """What the peer refuses now, by type."""
        for type_, watch in self.watches.items() if self.counters.refusals else ():
            for rejection in watch.rejections.parked.values():
                yield type_, rejection

    def _stir(self, watch: Watch) -> None:
        """The peer may have something else than the catalog of what it watches."""
        if watch not in self._open:
            self._open.append(watch)
            self._open.sort(key=_rank)

    def _open_watches(self) -> list[Watch]:
        """Those of which the peer may have something else than the catalog, in the order of answering."""
        if self._open:
            self._open = [watch for watch in self._open if watch.is_open]
        return self._open

    def _stay_within_bounds(self) -> None:
        if len(self.watches) > MOST_TYPES:
            raise TooMuch(f"more than {MOST_TYPES} types on one stream")
        if sum(watch.asked_for for watch in self.watches.values()) > MOST_NAMES:
            raise TooMuch(f"more than {MOST_NAMES} names on one stream")

    def _begin(self, type_: str) -> Watch:
        self.watches[type_] = watch = Watch(type_, self.catalog, self.dialect, self._patience)
        for known in sorted(self.watches.values(), key=_rank):
            self.watches[known.type] = self.watches.pop(known.type)
        return watch

    def _answered(self, watch: Watch, request: Request) -> Verdict | None:
        if request.nonce not in watch.in_flight:
            self.stale()
            return None
        if request.error is None:
            self.counters.acknowledgements += 1
            items = watch.accepted(request.nonce)
            if watch.type == Type.CLUSTER:
                self._order.moved()
            self._retry_routes_of(watch.type, items)
        else:
            self.counters.refusals += 1
            items = watch.refused(request.nonce, request.error)
        now = self._clock()
        seconds = now - self._awaited_since.get(watch.type, now)
        self._awaited_since.pop(watch.type, None)
        self._reported.discard(watch.type)
        return Verdict(watch.type, items, request.error, seconds)

    def _retry_routes_of(self, type_: str, accepted: Iterable[Item]) -> None:
        """A route refused for want of a cluster may be fine now that the cluster was accepted."""
        if type_ != Type.CLUSTER:
            return
        routing = (self.watches[url] for url in ROUTING & self.watches.keys())
        refused = [watch for watch in routing if watch.rejections.parked]
        if not refused:
            return
        new = {item.name for item in accepted if item.before is None and item.after is not None}
        for watch in refused:
            for name in list(watch.rejections.parked):
                resource = self.catalog.get(watch.type, name)
                if resource is not None and resource.clusters & new:
                    watch.rejections.retry([name])


def _rank(watch: Watch) -> int:
    """When its type is answered."""
    return _ORDER.get(watch.type, len(_ORDER))
