"""One type on one stream: what the peer asked for, what it is owed, what it has not answered yet.

A watch keeps no copy of what its peer has. It keeps the *exceptions*: `owed` names the resources of
which the peer has something else than the catalog does (or may have), with what it has; everything
else the peer has exactly as the catalog does. A change of the catalog adds to `owed` what the peer
now lacks; sending takes it out again; a refusal puts it back. So an Envoy in sync costs nothing
but its interned subscription, and whatever comes between, the latest state is what is sent.
"""

import dataclasses
import functools
import itertools
import operator
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from xds.catalog.catalog import Catalog, Change
from xds.catalog.resource import Resource, fingerprint
from xds.catalog.types import WHOLE_AT_FIRST, WILDCARD_BY_DEFAULT
from xds.discovery.dialect import Dialect
from xds.discovery.rejections import Patience, Rejections
from xds.discovery.subscription import NOTHING, WILDCARD


@dataclasses.dataclass(frozen=True, slots=True)
class Item:
    """One resource of an answer: what the peer had, and what it is sent (None: removed)."""

    name: str
    before: Resource | None
    after: Resource | None
    asked: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """One message to the peer.

    Attributes:
        items: what is new to the peer.
        rest: in state-of-the-world answers that say it all: what the peer has and keeps.
        state: the fingerprint of all that the peer is to have then.

    Answers of one type follow each other only when acknowledged, except for the parts of one that
    was too large for a message.
    """

    type: str
    nonce: str
    items: tuple[Item, ...]
    rest: tuple[Resource, ...] = ()
    state: int = 0


MayGo = Callable[[Item], bool]
"""Whether an item may be sent now (`xds.discovery.order`)."""


class Watch:
    """The state of one type on one stream."""

    def __init__(self, type_: str, catalog: Catalog, dialect: Dialect, patience: Patience) -> None:
        self.type = type_
        self.subscription = NOTHING
        self.owed: dict[str, Resource | None] = {}
        self.unsure: set[str] = set()
        self.in_flight: dict[str, Answer] = {}
        self._sent: dict[str, Item] = {}  # what is in flight, by name
        self.rejections = Rejections(patience)
        self.last_nonce = ""
        self.legacy = False
        self._state = 0
        self._settled = self._settling = 0
        self._dialect = dialect
        self._asked: set[str] = set()
        self._greeting_due = False
        self._guessing = False
        self._unfinished = False
        self._greeted = False
        self._catalog = catalog
        self._nonce = (-1, 0)

    # What the peer asks for.

    def subscribe(self, names: Iterable[str], known: Mapping[str, str], *, has_more: bool = False) -> None:
        """Names (or `*`) are asked for; `known` has the versions the peer says it has, unless it has more.

        A name asked for is answered, though the peer may have it already, unless it proved that.
        """
        names = list(names)
        if names:
            self.legacy = False
        elif not self._greeted and self.type in WILDCARD_BY_DEFAULT:
            self.legacy, names = True, [WILDCARD]
        self._greeted = True
        before = self.subscription
        self.subscription = before.with_names(names)
        for name, version in known.items():
            if self.subscription.covers(name) and not before.covers(name):
                self._state ^= fingerprint(Resource(self.type, name, version))
        if self.subscription.wildcard and not before.wildcard and not self._is_left_over(known, has_more):
            self._owe_everything(known)
            self._greeting_due = not known
            self._guessing = has_more
        for name in names:
            if name != WILDCARD:
                self._owe_asked(name, known, had=before.covers(name))

    def _is_left_over(self, known: Mapping[str, str], has_more: bool) -> bool:  # noqa: FBT001
        """Whether what the peer has is from another mode of its gateway.

        It still serves the connections it drains with that, and drops it by itself.
        """
        is_foreign = self.type in self._catalog.foreign and not self._catalog.all(self.type)
        return is_foreign and (bool(known) or has_more)

    def unsubscribe(self, names: Iterable[str]) -> None:
        """Names (or `*`) are of no more interest; one that the wildcard still covers is answered."""
        before = self.subscription
        self.subscription = before.without_names(names)
        dropped = before.names - self.subscription.names
        if self.subscription.wildcard:
            for name in sorted(dropped):
                self._owe_asked(name, {}, had=True)
            return
        if before.wildcard:
            dropped |= self._catalog.all(self.type).keys() | self.owed.keys()
        for name in dropped - self.subscription.names:
            self._forget(name)

    def _owe_everything(self, known: Mapping[str, str]) -> None:
        for name in {**self._catalog.all(self.type), **known}:
            if name not in self.subscription.names:
                self.owed[name] = self._known(name, known)

    def _owe_asked(self, name: str, known: Mapping[str, str], *, had: bool) -> None:
        if name in known:
            self.owed[name] = self._known(name, known)
        else:
            self.owed.setdefault(name, self._catalog.get(self.type, name) if had else None)
            self.unsure.add(name)
            self._asked.add(name)

    def _known(self, name: str, known: Mapping[str, str]) -> Resource | None:
        if name not in known:
            return None
        current = self._catalog.get(self.type, name)
        stated = Resource(self.type, name, known[name])
        return current if _same(current, stated) else stated

    def _forget(self, name: str) -> None:
        held = self.owed[name] if name in self.owed else self._catalog.get(self.type, name)
        self._state ^= fingerprint(held) if held else 0
        self._settle(name)
        self.rejections.retry([name])

    # What changes.

    def notice(self, change: Change) -> None:
        """The catalog changed a resource this watch's subscription covers."""
        self.owed.setdefault(change.name, change.before)

    def retarget(self, catalog: Catalog) -> None:
        """From now on the peer is to have another catalog: the one full comparison there is."""
        before, self._catalog = self._catalog, catalog
        for name in {**before.all(self.type), **catalog.all(self.type), **self.owed}:
            held = self.owed[name] if name in self.owed else before.get(self.type, name)
            differs = name in self.unsure or not _same(held, catalog.get(self.type, name))
            if differs and self.subscription.covers(name):
                self.owed[name] = held

    # What goes out.

    def next_answer(self, may_go: MayGo) -> Answer | None:
        """The next message to send, or None while there is nothing to say, or an answer is awaited."""
        if self.in_flight and not self._unfinished:
            return None
        items, self._unfinished = self._take(may_go)
        if not items and not (self._greeting_due and self._owes_only_what_was_refused()):
            return None
        self._greeting_due = False
        rest = tuple(self._kept(items)) if self.type in self._dialect.whole else ()
        answer = Answer(self.type, self._next_nonce(), tuple(items), rest, self._state)
        self.in_flight[answer.nonce] = answer
        self._sent |= {item.name: item for item in items}
        self._settling = self._catalog.push if self._owes_only_what_was_refused() else 0
        return answer

    def _kept(self, items: Iterable[Item]) -> Iterator[Resource]:
        """What the peer has and is to keep, besides what it is sent now."""
        sent = {item.name for item in items}
        for name, current in self._catalog.all(self.type).items():
            if self.subscription.covers(name) and name not in sent and name not in self.owed:
                yield current
        yield from (held for held in self.owed.values() if held and held.body)

    def _take(self, may_go: MayGo) -> tuple[list[Item], bool]:
        """Items that may go now, up to the size of a message; and whether there are more of them."""
        whole = self._greeting_due and self.type in WHOLE_AT_FIRST
        limit = sys.maxsize if whole else self._dialect.max_answer
        for names in self.rejections.batches(self.owed):
            ready = (item for item in self._due(names) if item.name not in self._sent and may_go(item))
            taken, more = _message_full(ready, limit)
            if taken:
                for item in taken:
                    self._settle(item.name)
                    self._state ^= _difference(item)
                return taken, more
        return [], False

    def _due(self, names: Iterable[str]) -> Iterator[Item]:
        for name in names:
            after = self._catalog.get(self.type, name)
            before = self.owed[name]
            if (name not in self.unsure and _same(before, after)) or self._unsayable(name, after):
                self._settle(name)
            elif not self.rejections.holds_back(name, after):
                yield Item(name, before, after, name in self._asked)

    def _unsayable(self, name: str, after: Resource | None) -> bool:
        """Whether the dialect has no way to say that a resource of this type is gone."""
        says_so = self._dialect.tells_removals or self.type in self._dialect.whole
        return after is None and not says_so and name not in self._asked

    def _settle(self, name: str) -> None:
        self.owed.pop(name, None)
        self.unsure.discard(name)
        self._asked.discard(name)

    def _next_nonce(self) -> str:
        """Unique on this stream, and equal on all streams that are sent the same (shared bytes)."""
        position, part = self._nonce
        newer = self._catalog.position > position  # after a retarget it may be older
        self._nonce = (self._catalog.position, 0) if newer else (position, part + 1)
        self.last_nonce = f"{self._nonce[0]}.{self._nonce[1]}"
        return self.last_nonce

    # What the peer says to it.

    def accepted(self, nonce: str) -> tuple[Item, ...]:
        """The peer acknowledged an answer; an unknown nonce says nothing."""
        answer = self._landed(nonce)
        if answer is None:
            return ()
        self.rejections.accepted(item.name for item in answer.items)
        if self._settling and not self.in_flight:
            self._settled = self._settling
        self._greeting_due = self._guessing = False
        return answer.items

    def refused(self, nonce: str, text: str) -> tuple[Item, ...]:
        """The peer refused an answer: what it has of those resources is uncertain now."""
        answer = self._landed(nonce)
        if answer is None:
            return ()
        self._settling = 0
        mine = [item for item in answer.items if self.subscription.covers(item.name)]
        for item in mine:
            self.owed[item.name] = item.before
            self.unsure.add(item.name)
            self._state ^= _difference(item)
        self.rejections.refused([(item.name, item.after) for item in mine], text)
        if self.type in self._dialect.whole and self._guessing:
            # It may have more, from an earlier stream, and absence says "gone" only in an answer it takes.
            self._greeting_due = bool(answer.items)
        return answer.items

    def _landed(self, nonce: str) -> Answer | None:
        answer = self.in_flight.pop(nonce, None)
        for item in answer.items if answer else ():
            del self._sent[item.name]
        return answer

    # How it stands.

    @property
    def is_new(self) -> bool:
        """Whether the peer asks for everything, shows nothing, and was told nothing yet."""
        return self._greeting_due

    @property
    def asked_for(self) -> int:
        """How many names there are to remember because of the peer, subscribed or only brought up."""
        return max(len(self.subscription.names), len(self.owed) - len(self._catalog.all(self.type)))

    @property
    def in_sync(self) -> bool:
        """Whether the peer acknowledged all that it is to have (what it refuses aside)."""
        return not self.in_flight and self._owes_only_what_was_refused()

    @property
    def settled(self) -> int:
        """The last push all of which the peer has answered, however much has come since."""
        return self._catalog.push if self.in_sync else self._settled

    def unsettled(self) -> frozenset[str]:
        """The names of which the peer may have something else than it is to have."""
        return frozenset(self.owed).union(self._sent)

    def _owes_only_what_was_refused(self) -> bool:
        if not self.owed:  # nearly always, of nearly every peer
            return True
        held_back = self.rejections.holds_back
        return all(held_back(name, self._catalog.get(self.type, name)) for name in self.owed)

    def unacknowledged_of(self, names: Collection[str]) -> Iterator[str]:
        """Those of the names of which the peer acknowledged no version; costs the fewer of both sides."""
        unsettled = len(self.owed) + len(self._sent)
        among = names if len(names) <= unsettled else itertools.chain(self.owed, self._sent)
        return (name for name in among if name in names and not self.acknowledged(name))

    def held(self, name: str) -> Resource | None:
        """What the peer acknowledged last of a resource it asked for."""
        if name in self._sent:
            return self._sent[name].before
        return self.owed[name] if name in self.owed else self._catalog.get(self.type, name)

    def acknowledged(self, name: str) -> bool:
        """Whether the peer acknowledged some version of this resource."""
        sent = self._sent.get(name)
        if sent is not None:
            return sent.before is not None and sent.after is not None
        return self.owed[name] is not None if name in self.owed else True


def _same(one: Resource | None, other: Resource | None) -> bool:
    return one is other or (one is not None and other is not None and one.version == other.version)


def _difference(item: Item) -> int:
    """What sending an item changes in the fingerprint of what the peer has."""
    return functools.reduce(operator.xor, (fingerprint(r) for r in (item.before, item.after) if r), 0)


def _message_full(items: Iterable[Item], limit: int) -> tuple[list[Item], bool]:
    """As many items as fit into a message (one at least), and whether there are more."""
    taken: list[Item] = []
    size = 0
    for item in items:
        size += len(item.after.body) if item.after else len(item.name)
        if taken and size > limit:
            return taken, True
        taken.append(item)
    return taken, False
