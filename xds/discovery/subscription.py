"""What a peer asked for of one type: everything, names, or both.

Values are immutable and interned, so that ten thousand Envoys with the same wishes share one set
of names, and a change is matched against each *distinct* subscription once.
"""

import dataclasses
import weakref
from collections.abc import Iterable

WILDCARD = "*"


@dataclasses.dataclass(frozen=True, slots=True, weakref_slot=True)
class Subscription:
    """The names asked for; `wildcard` means: and everything else there is."""

    wildcard: bool = False
    names: frozenset[str] = frozenset()

    def covers(self, name: str) -> bool:
        """Whether the peer wants to hear of this name."""
        return self.wildcard or name in self.names

    def with_names(self, names: Iterable[str]) -> "Subscription":
        """And these (`*` among them asks for everything)."""
        added = frozenset(names)
        return interned(self.wildcard or WILDCARD in added, self.names | (added - {WILDCARD}))

    def without_names(self, names: Iterable[str]) -> "Subscription":
        """But not these (`*` among them ends the wildcard)."""
        dropped = frozenset(names)
        return interned(self.wildcard and WILDCARD not in dropped, self.names - dropped)


_INTERNED: "weakref.WeakValueDictionary[tuple[bool, frozenset[str]], Subscription]" = (
    weakref.WeakValueDictionary()
)


def interned(wildcard: bool, names: frozenset[str]) -> Subscription:  # noqa: FBT001 (it is the value itself)
    """The one subscription object of these wishes."""
    key = (wildcard, names)
    found = _INTERNED.get(key)
    if found is None:
        found = Subscription(wildcard, names)
        _INTERNED[key] = found
    return found


NOTHING = interned(wildcard=False, names=frozenset())
EVERYTHING = interned(wildcard=True, names=frozenset())
