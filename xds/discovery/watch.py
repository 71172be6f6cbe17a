"""One type on one stream: what the peer asked for, what it is owed, what it has not answered yet.

A watch keeps no copy of what its peer has. It keeps the *exceptions*: `owed` names the resources of
which the peer has something else than the catalog does (or may have), with what it has; everything
else the peer has exactly as the catalog does. A change of the catalog adds to `owed` what the peer
now lacks; sending takes it out again; a refusal puts it back. So an Envoy in sync costs nothing
but its interned subscription, and whatever comes between, the latest state is what is sent.

A peer that has nothing yet is sent what all such peers are: the catalog's batches, one after the other,
until something sets this peer apart.
"""

import itertools
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from xds.catalog.batches import Batch, Change, Owed, Push
from xds.catalog.catalog import Catalog
from xds.catalog.resource import Resource, fingerprint
from xds.catalog.types import WHOLE_AT_FIRST, WILDCARD_BY_DEFAULT
from xds.discovery.answer import Answer, Item, items_of
from xds.discovery.dialect import Dialect
from xds.discovery.rejections import Patience, Rejections
from xds.discovery.subscription import NOTHING, WILDCARD, Subscription


class Gates(Protocol):
    """Whether something may be sent now (`xds.discovery.order`)."""

    def may_go(self, type_: str, item: Item) -> bool: ...  # noqa: D102 (this item)
    def batch_may_go(self, type_: str, batch: Batch) -> bool | None: ...  # noqa: D102 (None: look at each)


MANY = 16
"""Names asked for at a time that are worth a batch."""


class Watch:
    """The state of one type on one stream."""

    def __init__(self, type_: str, catalog: Catalog, dialect: Dialect, patience: Patience) -> None:
        self.type = type_
        self.subscription = NOTHING
        self.owed: dict[str, Resource | None] = {}
        self.unsure: set[str] = set()
        self.in_flight: dict[str, Answer] = {}
        self.rejections = Rejections(patience)
        self.last_nonce = ""
        self.legacy = False
        self._sent: Mapping[str, Item] = {}  # what is in flight, by name
        self._batches: list[tuple[Owed, int]] = []  # owed like this to many, and from where on
        self._state = 0
        self._settled = self._settling = 0
        self._dialect = dialect
        self._asked: set[str] = set()
        self._greeting_due = False
        self._guessing = False
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
        if self._dialect.tells_state:
            self._show(known, before)
        if self.subscription.wildcard and not before.wildcard and not self._is_left_over(known, has_more):
            self._owe_everything(known)
            self._greeting_due = not known
            self._guessing = has_more
        self._owe_asked([name for name in names if name != WILDCARD], known, before)

    def _show(self, known: Mapping[str, str], before: Subscription) -> None:
        """The peer says what it has."""
        if before is NOTHING and known == self._catalog.versions(self.type):
            self._state ^= self._catalog.fingerprint(self.type)
            return
        for name, version in known.items():
            if self.subscription.covers(name) and not before.covers(name):
                self._state ^= fingerprint(Resource(self.type, name, version))

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
        if self.subscription is before:
            return
        self._batches.clear()
        dropped = before.names - self.subscription.names
        if self.subscription.wildcard:
            self._owe_asked(sorted(dropped), {}, before)
            return
        if before.wildcard:
            dropped |= self._catalog.all(self.type).keys() | self.owed.keys()
        for name in dropped - self.subscription.names:
            self._forget(name)

    def _owe_everything(self, known: Mapping[str, str]) -> None:
        named = self.subscription.names
        if not (known or named or self.owed):
            self.owed = dict.fromkeys(self._catalog.all(self.type))
            self._batches.append((self._catalog.batches(self.type, None, self._most(first=True)), 0))
            return
        for name in self._catalog.differing(self.type, known) - named:
            self.owed[name] = self._known(name, known)

    def _owe_asked(self, names: Collection[str], known: Mapping[str, str], before: Subscription) -> None:
        if len(names) >= MANY and not known and not before.wildcard:
            new = frozenset(names).difference(before.names, self.owed)
            names = [name for name in names if name not in new]
            self.owed |= dict.fromkeys(new)
            self.unsure |= new
            self._asked |= new
            self._batches.append((self._catalog.batches(self.type, new, self._dialect.max_answer), 0))
        differing = self._catalog.differing(self.type, known) if known else set()
        for name in names:
            if name not in known:
                held = self._catalog.get(self.type, name) if before.covers(name) else None
                self.owed.setdefault(name, held)
                self.unsure.add(name)
                self._asked.add(name)
            elif name in differing or name in self.owed:
                self.owed[name] = self._known(name, known)

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

    def notice(self, push: Push) -> Sequence[Change]:
        """The catalog changed; returns what of it is of this watch's subscription."""
        mine = push.changes
        if not self.subscription.wildcard:
            mine = [change for change in mine if change.name in self.subscription.names]
        is_like_others = not self.owed and not self.rejections.parked and len(mine) == len(push.changes)
        if is_like_others and len(push) <= self._dialect.parts:
            self._batches.append((push, 0))
        for change in mine:
            self.owed.setdefault(change.name, change.before)
        return mine

    def retarget(self, catalog: Catalog) -> None:
        """From now on the peer is to have another catalog: the one full comparison there is."""
        before, self._catalog = self._catalog, catalog
        self._batches.clear()
        for name in {**before.all(self.type), **catalog.all(self.type), **self.owed}:
            held = self.owed[name] if name in self.owed else before.get(self.type, name)
            differs = name in self.unsure or not _same(held, catalog.get(self.type, name))
            if differs and self.subscription.covers(name):
                self.owed[name] = held

    # What goes out.

    @property
    def restless(self) -> bool:
        """Whether there may be something to say, now or later."""
        return bool(self.owed) or self._greeting_due

    @property
    def is_open(self) -> bool:
        """Whether the peer may have something else than the catalog."""
        return self.restless or bool(self.in_flight)

    def next_answer(self, gates: Gates) -> Answer | None:
        """The next message to send, or None while there is nothing to say, or an answer is awaited."""
        if self.in_flight:
            return None
        batch = self._next_batch(gates)
        if batch is not None:
            items, by_name = items_of(batch)
            self._take_batch(batch)
        elif self._batches:
            return None
        else:
            items = self._take(gates)
            by_name = {item.name: item for item in items}
        if not self.owed:
            self._owe_nothing()
        if not items and not (self._greeting_due and self._owes_only_what_was_refused()):
            return None
        self._greeting_due = False
        rest = tuple(self._kept(by_name)) if self.type in self._dialect.whole else ()
        answer = Answer(self.type, self._next_nonce(), items, rest, self._state, batch)
        self.in_flight[answer.nonce] = answer
        self._sent = by_name
        self._settling = self._catalog.push if self._owes_only_what_was_refused() else 0
        return answer

    def _owe_nothing(self) -> None:
        """Give back the room that was needed for what was owed: a set that is emptied keeps it."""
        self.owed = {}
        self.unsure = set()
        self._asked = set()

    def _kept(self, sent: Mapping[str, Item]) -> Iterator[Resource]:
        """What the peer has and is to keep, besides what it is sent now."""
        for name, current in self._catalog.all(self.type).items():
            if name not in sent and name not in self.owed and self.subscription.covers(name):
                yield current
        yield from (held for held in self.owed.values() if held and held.body)

    def _next_batch(self, gates: Gates) -> Batch | None:
        """The next of the batches that this peer is owed; None where there is none, or it may not go yet."""
        while self._batches and self._batches[0][1] == len(self._batches[0][0]):
            self._batches.pop(0)
        if not self._batches:
            return None
        batches, number = self._batches[0]
        batch = batches.batch(number)
        goes = None if batch is None else gates.batch_may_go(self.type, batch)
        if goes is None:
            self._batches.clear()
        return batch if goes else None

    def _take_batch(self, batch: Batch) -> None:
        batches, number = self._batches.pop(0)
        if number + 1 < len(batches):
            self._batches.insert(0, (batches, number + 1))
        for name in batch.resources:
            self.owed.pop(name, None)
        if self.unsure:
            self.unsure.difference_update(batch.resources)
            self._asked.difference_update(batch.resources)
        self._state ^= batch.fingerprint

    def _take(self, gates: Gates) -> tuple[Item, ...]:
        """Items that may go now, up to the size of a message."""
        limit = self._most(first=self._greeting_due)
        for names in self.rejections.batches(self.owed):
            taken = _message_full((item for item in self._due(names) if gates.may_go(self.type, item)), limit)
            for item in taken:
                self._settle(item.name)
                self._note(item)
            if taken:
                return taken
        return ()

    def _most(self, *, first: bool) -> int:
        """Bytes of resources in the first message to a peer that has nothing, or in a later one."""
        return sys.maxsize if first and self.type in WHOLE_AT_FIRST else self._dialect.max_answer

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

    def _note(self, item: Item) -> None:
        """Sending an item changes what the peer has; so does taking that back."""
        if self._dialect.tells_state:
            for resource in filter(None, (item.before, item.after)):
                self._state ^= fingerprint(resource)

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
        if self._settling:
            self._settled = self._settling
        self._greeting_due = self._guessing = False
        if self.owed:
            self._settle_what_changed_back(answer.items)
        return answer.items

    def _settle_what_changed_back(self, items: Iterable[Item]) -> None:
        """What the peer has just taken may be what it is to have by now, though it changed meanwhile."""
        for name in (item.name for item in items):
            current = self._catalog.get(self.type, name)
            if name in self.owed and name not in self.unsure and _same(self.owed[name], current):
                self._settle(name)

    def refused(self, nonce: str, text: str) -> tuple[Item, ...]:
        """The peer refused an answer: what it has of those resources is uncertain now."""
        answer = self._landed(nonce)
        if answer is None:
            return ()
        self._settling = 0
        self._batches.clear()
        mine = [item for item in answer.items if self.subscription.covers(item.name)]
        for item in mine:
            self.owed[item.name] = item.before
            self.unsure.add(item.name)
            self._note(item)
        self.rejections.refused([(item.name, item.after) for item in mine], text)
        if self.type in self._dialect.whole and self._guessing:
            # It may have more, from an earlier stream, and absence says "gone" only in an answer it takes.
            self._greeting_due = bool(answer.items)
        return answer.items

    def _landed(self, nonce: str) -> Answer | None:
        answer = self.in_flight.pop(nonce, None)
        if answer is not None:
            self._sent = {}
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
        if not self.owed and not self._sent:  # nearly always, of nearly every peer
            return iter(())
        unsettled = len(self.owed) + len(self._sent)
        among = names if len(names) <= unsettled else itertools.chain(self.owed, self._sent)
        return (name for name in among if name in names and not self.acknowledged(name))

    def held(self, name: str) -> Resource | None:
        """What the peer acknowledged last of a resource it asked for."""
        sent = self._sent.get(name)
        if sent is not None:
            return sent.before
        return self.owed[name] if name in self.owed else self._catalog.get(self.type, name)

    def is_in_flight(self, name: str) -> bool:
        """Whether the peer was sent this resource, or that it is gone, and did not answer yet."""
        return name in self._sent

    def acknowledged(self, name: str) -> bool:
        """Whether the peer acknowledged some version of this resource."""
        sent = self._sent.get(name)
        if sent is not None:
            return sent.before is not None and sent.after is not None
        return self.owed[name] is not None if name in self.owed else True


def _same(one: Resource | None, other: Resource | None) -> bool:
    return one is other or (one is not None and other is not None and one.version == other.version)


def _message_full(items: Iterable[Item], limit: int) -> tuple[Item, ...]:
    """As many items as fit into a message, one at least."""
    taken: list[Item] = []
    size = 0
    for item in items:
        size += len(item.after.body) if item.after else len(item.name)
        if taken and size > limit:
            break
        taken.append(item)
    return tuple(taken)
