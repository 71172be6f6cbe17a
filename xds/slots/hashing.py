"""Which slot a key falls into: exactly Envoy's arithmetic (facts: "Sticky splits").

Envoy takes `xxh64(key) % 10,000`. A salt makes deployments independent of each other, so that the
same people are not in every canary: a header's value is hashed behind it (`salt:value`); a query
parameter can't be, so the table is turned by an offset instead.

Keys are bytes as they are sent: nothing is decoded, neither UTF-8 nor `%20`.
"""

from collections.abc import Iterable

import xxhash

from xds.slots.table import SLOTS

_BLANK = b" \t"


def slot_of(key: str | bytes) -> int:
    """The slot (0-9,999) of a key without a salt."""
    raw = key.encode() if isinstance(key, str) else key
    return xxhash.xxh64_intdigest(raw, seed=0) % SLOTS


def slot_of_header(values: Iterable[bytes], salt: str = "") -> int | None:
    """The slot of a header's values, one for each line; None where all are empty: there is no key.

    Several are sorted and hashed in a chain, so their order makes no difference.
    """
    trimmed = sorted(value.strip(_BLANK) for value in values)
    if not any(trimmed):
        return None
    before = f"{salt}:".encode() if salt else b""
    digest = 0
    for value in trimmed:
        digest = xxhash.xxh64_intdigest(before + value, seed=digest)
    return digest % SLOTS


def slot_of_query(query: bytes, name: bytes, salt: str = "") -> int | None:
    """The slot of a query parameter; None where it is missing or empty: there is no key.

    Args:
        query: what stands behind the `?`, as it was sent.
        name: the parameter's; case matters, and of several the first counts.
        salt: the deployment's.
    """
    value = _first(query, name)
    return (slot_of(value) + offset_of(salt)) % SLOTS if value else None


def offset_of(salt: str) -> int:
    """By how many slots a query parameter's keys are turned; 0 without a salt.

    Envoy is given the table turned (`SlotTable.turned`), so the key at its slot `x` owns slot
    `x + offset` of the deployment's own table.
    """
    return slot_of(salt) if salt else 0


def _first(query: bytes, name: bytes) -> bytes:
    """The value of the first parameter of this name; nothing where there is none."""
    for parameter in query.split(b"&"):
        key, _, value = parameter.partition(b"=")
        if key == name:
            return value
    return b""
