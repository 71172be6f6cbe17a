"""Salts: the arithmetic of keys, and deployments whose canaries have nothing to do with each other."""

import itertools
import random
import statistics

import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from xds.slots.hashing import offset_of, slot_of, slot_of_header, slot_of_query
from xds.slots.table import SLOTS, Segment, SlotTable

tables = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 4000)), min_size=1, max_size=6).map(
    lambda segments: _filled([Segment(owner, size) for owner, size in segments])
)
USERS = [f"user-{number}".encode() for number in range(2000)]
SALTS = [f"service-{number}" for number in range(100)]
CANARY = SLOTS // 10


def _filled(segments: list[Segment]) -> SlotTable:
    """The segments up to 10,000 slots, the rest `main`'s."""
    sizes = list(itertools.accumulate((each.size for each in segments), initial=0))
    cut = [
        Segment(each.owner, min(each.size, SLOTS - begin))
        for each, begin in zip(segments, sizes, strict=False)
        if begin < SLOTS
    ]
    return SlotTable.of([*cut, Segment("main", max(0, SLOTS - sizes[-1]))])


def test_a_salted_header_is_hashed_behind_its_salt() -> None:
    """`salt:value`, whitespace around the value trimmed."""
    expected = xxhash.xxh64_intdigest(b"chat:user1") % SLOTS
    assert slot_of_header([b" user1\t"], "chat") == expected


def test_several_values_are_sorted_and_chained() -> None:
    """Each seeded with the hash before it, each behind the salt."""
    first = xxhash.xxh64_intdigest(b"s:a")
    assert slot_of_header([b"b", b"a"], "s") == xxhash.xxh64_intdigest(b"s:b", seed=first) % SLOTS


def test_without_a_salt_the_value_alone_is_hashed() -> None:
    """As Envoy does by itself."""
    assert slot_of_header([b"user1"]) == slot_of("user1") == slot_of_query(b"u=user1", b"u")


@pytest.mark.parametrize("values", [[], [b""], [b" ", b"\t"]], ids=["missing", "empty", "blank"])
def test_empty_headers_are_no_key(values: list[bytes]) -> None:
    """They have no slot."""
    assert slot_of_header(values, "s") is None


def test_an_empty_value_beside_another_counts() -> None:
    """One value makes a key; the empty one is hashed with it."""
    assert (
        slot_of_header([b"", b"a"]) == xxhash.xxh64_intdigest(b"a", seed=xxhash.xxh64_intdigest(b"")) % SLOTS
    )


@pytest.mark.parametrize("query", [b"", b"u", b"u=", b"u=&u=a", b"U=a", b"x=u=a", b"%75=a"])
def test_an_empty_parameter_is_no_key(query: bytes) -> None:
    """Nor is a missing one, or one of another name."""
    assert slot_of_query(query, b"u") is None


@pytest.mark.parametrize("value", [b"a%20b", b"a+b", b"a=b", b"a;b", b"%zz"])
def test_a_parameter_is_taken_as_it_stands(value: bytes) -> None:
    """Nothing is decoded, and of several the first counts."""
    assert slot_of_query(b"x=1&u=" + value + b"&u=z", b"u") == slot_of(value)


@given(tables, st.integers(0, SLOTS - 1), st.integers(0, SLOTS - 1))
def test_turning_is_undone_by_the_offset(table: SlotTable, offset: int, slot: int) -> None:
    """Slot x of the turned table is slot x + offset of the table."""
    assert table.turned(offset).owner(slot) == table.owner((slot + offset) % SLOTS)


def _taken(table: SlotTable, slots: int) -> frozenset[int]:
    after = table.with_share("new", slots)
    return frozenset(slot for slot in range(SLOTS) if after.owner(slot) == "new")


@given(tables, st.integers(0, SLOTS))
def test_a_share_is_taken_evenly(table: SlotTable, slots: int) -> None:
    """Exactly so many slots, of each segment the same part to within a percent of all; the others stay."""
    after = table.with_share("new", slots)
    assert after.shares().get("new", 0) == slots
    for owner, size in table.shares().items():
        pieces = sum(segment.owner == owner for segment in table)
        assert abs(size * (SLOTS - slots) / SLOTS - after.shares().get(owner, 0)) <= 100 * pieces
    assert all(
        after.owner(slot) in ("new", table.owner(slot)) for slot in random.Random(1).sample(range(SLOTS), 50)
    )


@settings(max_examples=10)
@given(tables, tables, st.integers(0, SLOTS), st.integers(0, SLOTS))
def test_the_same_are_taken_whatever_the_table(
    table: SlotTable, other: SlotTable, slots: int, more: int
) -> None:
    """A change of weights takes nobody else; a greater share keeps those who were taken."""
    assert _taken(table, slots) == _taken(other, slots)
    assert _taken(table, min(slots, more)) <= _taken(table, max(slots, more))


def _canaries(user: bytes, kind: str) -> int:
    """In how many of the 100 deployments a user is in the canary of 10 %."""
    slots = [
        slot_of_header([user], salt) if kind == "header" else slot_of_query(b"u=" + user, b"u", salt)
        for salt in SALTS
    ]
    return sum(slot is not None and slot < CANARY for slot in slots)


@pytest.mark.parametrize("kind", ["header", "query"])
def test_a_hundred_canaries_fall_on_everyone_alike(kind: str) -> None:
    """2,000 users are in 10 of 100 canaries of 10 % on average, spread as independence has it: sigma 3."""
    counts = [_canaries(user, kind) for user in USERS]
    assert abs(statistics.mean(counts) - 10) < 1
    assert 2 < statistics.pstdev(counts) < 4
    assert max(counts) < 30


@pytest.mark.parametrize("kind", ["header", "query"])
def test_two_canaries_share_a_tenth_of_their_users(kind: str) -> None:
    """Over all pairs of 100 deployments, 1 % of the users are in both canaries of 10 %."""
    counts = [_canaries(user, kind) for user in USERS]
    both = sum(count * (count - 1) for count in counts) / (len(SALTS) * (len(SALTS) - 1) * len(USERS))
    assert abs(both - 0.01) < 0.0015


def test_without_salts_the_same_users_are_in_every_canary() -> None:
    """What the salts are for."""
    counts = {sum(slot_of(user) < CANARY for _ in SALTS) for user in USERS}
    assert counts == {0, 100}


def test_no_salt_is_no_offset() -> None:
    """And offsets of different salts differ."""
    assert offset_of("") == 0
    assert len({offset_of(salt) for salt in SALTS}) > 90
