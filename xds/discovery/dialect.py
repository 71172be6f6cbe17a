"""In what the two dialects of xDS differ, as far as the state machines are concerned."""

import dataclasses
import sys

from xds.catalog.batches import MOST
from xds.catalog.types import Type


@dataclasses.dataclass(frozen=True, slots=True)
class Dialect:
    """One of the two.

    Attributes:
        name: for people.
        tells_removals: whether an answer can say that a resource is gone. Where it can't, a peer
            learns it from the resource's absence, or not at all.
        whole: the types whose answers always hold everything, so that absence says: gone.
        max_answer: bytes of resources in one message.
        parts: in how many messages, one after the other, a push may be sent.
        tells_state: whether an answer carries the fingerprint of all that its peer is to have then.
    """

    name: str
    tells_removals: bool
    whole: frozenset[str]
    max_answer: int
    parts: int
    tells_state: bool


DELTA = Dialect(
    "delta", tells_removals=True, whole=frozenset(), max_answer=MOST, parts=sys.maxsize, tells_state=False
)
"""Incremental. Answers are split well below the 4 MB that gRPC allows by default."""

STATE_OF_THE_WORLD = Dialect(
    "state-of-the-world",
    tells_removals=False,
    whole=frozenset({Type.CLUSTER, Type.LISTENER, Type.SCOPED_ROUTE}),
    max_answer=sys.maxsize,
    parts=1,
    tells_state=True,
)
"""Full answers for clusters, listeners and scopes, what is new for the other types. Answers are never split:
acknowledging one part would look like refusing to have seen the next."""
