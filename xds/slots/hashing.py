"""Which slot a key falls into: exactly Envoy's arithmetic (facts: "Sticky splits")."""

import xxhash

from xds.slots.table import SLOTS


def slot_of(key: str | bytes) -> int:
    """The slot (0-9,999) of a header's value, a raw query parameter's or a cookie's."""
    raw = key.encode() if isinstance(key, str) else key
    return xxhash.xxh64_intdigest(raw, seed=0) % SLOTS
