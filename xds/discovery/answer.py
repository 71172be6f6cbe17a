"""What is said to a peer: messages, and the resources in them."""

import dataclasses
from collections.abc import Callable, Mapping
from weakref import WeakKeyDictionary

from xds.catalog.batches import Batch
from xds.catalog.resource import Resource

_NONCES = 2
"""Of one batch that are remembered: peers that are sent the same nearly always have the same."""


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
        batch: what the items are made of, where other peers are sent the same.

    Answers of one type follow each other only when acknowledged, also the parts of what is too large for a
    message: an Envoy that is sent all of its clusters at once comes to their endpoints last, and has given up
    waiting for them by then.
    """

    type: str
    nonce: str
    items: tuple[Item, ...]
    rest: tuple[Resource, ...] = ()
    state: int = 0
    batch: Batch | None = None


_ITEMS: WeakKeyDictionary[Batch, tuple[tuple[Item, ...], Mapping[str, Item]]] = WeakKeyDictionary()


def items_of(batch: Batch) -> tuple[tuple[Item, ...], Mapping[str, Item]]:
    """A batch as items, once for all peers that are sent it; and the same by name."""
    made = _ITEMS.get(batch)
    if made is None:
        by_name = {
            name: Item(name, batch.had.get(name), resource, batch.asked)
            for name, resource in batch.resources.items()
        }
        made = _ITEMS[batch] = tuple(by_name.values()), by_name
    return made


def encoded_once(batch: Batch, key: str, encode: Callable[[], bytes]) -> bytes:
    """The one message that all peers are sent for a batch; `key` tells it from those with other nonces."""
    made = batch.encoded.get(key)
    if made is None:
        if len(batch.encoded) >= _NONCES:
            batch.encoded.clear()
        made = batch.encoded[key] = encode()
    return made
