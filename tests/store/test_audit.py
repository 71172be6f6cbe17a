"""The audit, replies, leases and drains in the store; what was in force at an entry."""

import sqlite3
from pathlib import Path

import pytest

from xds.revisions import decide
from xds.revisions.record import Note, Revision
from xds.revisions.resources import ResourceSet
from xds.spec.deployment import Canary, Deployment, Version
from xds.spec.endpoints import Endpoint
from xds.store.records import Entry, Lease, Reply, Snapshot, Write
from xds.store.schema import MIGRATIONS
from xds.store.sqlite import SqliteStore

NOTE = Note("me", 1.5, "why")
DAY = 24 * 3600.0


def entry(*subjects: str, author: str = "me", at: float = 1.5) -> Entry:
    """An entry about some deployments."""
    return Entry(Note(author, at), "apply", subjects, "revision 1", "id")


def chain(name: str, count: int, limit: int = 100) -> list[Revision]:
    """A deployment's first revisions."""
    made: list[Revision] = []
    for weight in range(1, count + 1):
        canary = Canary(versions={"a": Version(weight=weight)})
        spec = Deployment(name=name, canary=canary, revision_history_limit=limit)
        revision = decide.apply(spec, made[-1] if made else None, {}, NOTE)
        assert revision is not None
        made.append(revision)
    return made


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    """A new store."""
    return SqliteStore(tmp_path / "db")


def test_entries_are_numbered_and_come_newest_first(store: SqliteStore) -> None:
    """A write returns its entry's number; pages go on below a number."""
    entries = [entry("s"), entry("t"), entry("s", "t")]
    assert [store.commit(Write(entry=each)) for each in entries] == [1, 2, 3]
    assert store.entries(limit=2) == [(3, entries[2]), (2, entries[1])]
    assert store.entries(limit=2, before=2) == [(1, entries[0])]
    assert store.load(since=0).snapshot == 3


def test_entries_are_chosen_by_subject_author_and_time(store: SqliteStore) -> None:
    """Each alone, and together."""
    store.commit(Write(entry=entry("s", author="ann", at=1)))
    store.commit(Write(entry=entry("s", "t", author="bob", at=2)))
    store.commit(Write(entry=entry("t", author="ann", at=3)))

    def numbers(subject: str = "", author: str = "", since: float = 0) -> list[int]:
        return [number for number, _ in store.entries(subject, author, since, limit=10)]

    assert numbers(subject="s") == [2, 1]
    assert numbers(author="ann") == [3, 1]
    assert numbers(since=2) == [3, 2]
    assert numbers("t", "ann", 2) == [3]


def test_a_write_without_an_entry_counts_to_the_one_before(store: SqliteStore) -> None:
    """The number is the newest entry's."""
    assert store.commit(Write(revisions=(chain("s", 1)[0],))) == 0
    store.commit(Write(entry=entry("s")))
    assert store.commit(Write(revisions=(chain("t", 1)[0],))) == 1


def test_snapshots_are_the_entries_that_brought_something(store: SqliteStore) -> None:
    """With what they brought; an entry about endpoints is none."""
    one, two = chain("s", 2)
    given = ResourceSet("edge", 1, "set", (), NOTE)
    store.commit(Write(revisions=(one, *chain("t", 1)), entry=entry("s", "t")))
    store.commit(Write(entry=entry("s:1")))
    store.commit(Write(revisions=(two,), resources=(given,), entry=entry("s", "edge")))
    newest = Snapshot(3, entry("s", "edge"), {"s": 2}, {"edge": 1})
    oldest = Snapshot(1, entry("s", "t"), {"s": 1, "t": 1}, {})
    assert store.snapshots(None, 10) == [newest, oldest]
    assert store.snapshots(3, 10) == [oldest]


def test_what_was_in_force_at_an_entry_is_known(store: SqliteStore) -> None:
    """Even where the revision is pruned since; what came before the audit was in force at 0."""
    revisions = chain("s", 4, limit=2)
    store.commit(Write(revisions=(revisions[0],)))
    for revision in revisions[1:]:
        store.commit(Write(revisions=(revision,), entry=entry("s")))
    store.commit(Write(resources=(ResourceSet("edge", 1, "set", (), NOTE),), entry=entry("edge")))
    assert [store.at_snapshot(number) for number in (0, 1, 3, 4)] == [
        ({"s": 1}, {}),
        ({"s": 2}, {}),
        ({"s": 4}, {}),
        ({"s": 4}, {"edge": 1}),
    ]
    assert store.revision("s", 2) is None


def test_revisions_beyond_the_limit_are_forgotten(store: SqliteStore) -> None:
    """Of that deployment alone, in the same transaction; one at a time or all at once."""
    others = chain("t", 3)
    store.commit(Write(revisions=tuple(others)))
    revisions = chain("s", 5, limit=2)
    store.commit(Write(revisions=tuple(revisions)))
    assert store.history("s") == tuple(revisions[-2:])
    assert store.history("t") == tuple(others)


def test_a_single_revision_is_found_by_its_number(store: SqliteStore) -> None:
    """And a page of them below a number, newest first."""
    revisions = chain("s", 4)
    store.commit(Write(revisions=tuple(revisions)))
    assert store.revision("s", 3) == revisions[2]
    assert store.revision("s", 5) is None
    assert store.revisions("s", None, 2) == [revisions[3], revisions[2]]
    assert store.revisions("s", 3, 5) == [revisions[1], revisions[0]]


def test_leases_and_drains_come_and_go(store: SqliteStore) -> None:
    """A lease that is renewed is replaced; None and False take away."""
    place, other = ("s:1", "10.0.0.1:80"), ("s:1", "")
    lease = Lease(Endpoint(address="10.0.0.1", port=80, weight=3), ttl=30)
    store.commit(Write(leases={place: Lease(lease.endpoint, 5)}, drains={other: True, place: True}))
    store.commit(Write(leases={place: lease}, drains={place: False, other: True}))
    memory = store.load(since=0)
    assert (memory.leases, memory.drains) == ({place: lease}, frozenset({other}))
    store.commit(Write(leases={place: None}, drains={other: False}))
    memory = store.load(since=0)
    assert (memory.leases, memory.drains) == ({}, frozenset())


def test_a_reply_is_kept_for_a_day(store: SqliteStore) -> None:
    """It goes with the first reply that is more than a day younger."""
    first = Reply("one", "digest", at=0, revisions={"s": (3, True)})
    store.commit(Write(reply=first))
    store.commit(Write(reply=Reply("two", "digest", at=DAY)))
    assert store.reply("one") == first
    store.commit(Write(reply=Reply("three", "digest", at=DAY + 1)))
    assert store.reply("one") is None
    assert store.reply("two") is not None


def test_a_store_of_before_keeps_what_it_has(tmp_path: Path) -> None:
    """Endpoints of applied files are "apply"'s; a limit that was no number is the default."""
    db = sqlite3.connect(tmp_path / "db")
    db.executescript(f"BEGIN; {MIGRATIONS[0]}; {MIGRATIONS[1]}; PRAGMA user_version = 2; COMMIT")
    db.execute("""INSERT INTO endpoints VALUES ('api', 's:1', '[{"address": "10.0.0.1", "port": 80}]')""")
    for name, said in (("s", '"many"'), ("t", "7")):
        db.execute(
            "INSERT INTO revisions VALUES (?, 1, 'apply', ?, '{}', '{}', ?, 'me', 1, '', NULL)",
            (name, f'{{"name": "{name}", "revision_history_limit": {said}}}', '[["m", 10000]]'),
        )
    db.commit()
    db.close()
    store = SqliteStore(tmp_path / "db")
    memory = store.load(since=0)
    assert memory.endpoints == {("apply", "s:1"): (Endpoint(address="10.0.0.1", port=80),)}
    limits = {name: recent[-1].spec.revision_history_limit for name, recent in memory.recent.items()}
    assert limits == {"s": 100, "t": 7}
    assert store.at_snapshot(0) == ({"s": 1, "t": 1}, {})
