"""The store: what goes in comes out, whole or not at all."""

import dataclasses
import os
import sqlite3
from pathlib import Path

import pytest

from xds.errors import StoreError
from xds.revisions import decide
from xds.revisions.record import Note, Revision
from xds.spec.deployment import Canary, Deployment, Version
from xds.spec.endpoints import Endpoint
from xds.store.records import Write
from xds.store.sqlite import SqliteStore


def first(name: str = "s", at: float = 100.0) -> Revision:
    """A deployment's first revision."""
    versions = {"a": Version(bento="s:2", weight=12.34)}
    spec = Deployment(name=name, bento="s:1", canary=Canary(versions=versions))
    revision = decide.apply(spec, None, {}, Note("me", at, "why"))
    assert revision is not None
    return revision


def next_of(revision: Revision, at: float) -> Revision:
    """The same deployment, aborted."""
    return dataclasses.replace(revision, number=revision.number + 1, note=Note("me", at))


def test_what_was_committed_comes_back(tmp_path: Path) -> None:
    """Revisions, builds, endpoints and what was applied, over a new connection."""
    revision = first()
    endpoints = {("f.yaml", "s:1"): (Endpoint(address="10.0.0.1", port=80, weight=3, zone="z"),)}
    store = SqliteStore(tmp_path / "db")
    store.commit(Write((revision,), endpoints, {("f.yaml", "s"): "digest"}))
    store.close()
    memory = SqliteStore(tmp_path / "db").load(since=0)
    assert memory.recent == {"s": (revision,)}
    assert memory.builds == {"s": {"s:1": "1", "s:2": "2"}}
    assert memory.endpoints == endpoints
    assert memory.applied == {("f.yaml", "s"): "digest"}


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    """The second revision has a number that exists: the first, new one is not there either."""
    store = SqliteStore(tmp_path / "db")
    store.commit(Write((first(),)))
    with pytest.raises(StoreError, match="can't write the store"):
        store.commit(Write((first("new"), first())))
    assert store.history("new") == ()


def test_a_start_loads_what_is_in_force_and_what_still_retires(tmp_path: Path) -> None:
    """Revisions replaced before `since` stay on disk."""
    store = SqliteStore(tmp_path / "db")
    one = first(at=100)
    two = next_of(one, at=200)
    three = next_of(two, at=300)
    store.commit(Write((one, two, three)))
    assert store.load(since=250).recent == {"s": (two, three)}
    assert store.load(since=300).recent == {"s": (three,)}
    assert store.history("s") == (one, two, three)


def test_a_store_of_a_newer_canary_is_refused(tmp_path: Path) -> None:
    """Rather than misread."""
    with sqlite3.connect(tmp_path / "db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="written by a newer Canary"):
        SqliteStore(tmp_path / "db")


def test_a_store_in_use_is_refused(tmp_path: Path) -> None:
    """With the file and the pid of who has it; a link leads to the same store."""
    store = SqliteStore(tmp_path / "db")
    (tmp_path / "link").symlink_to(tmp_path / "db")
    for path in ("db", "link"):
        with pytest.raises(StoreError, match=rf"{path} is in use by another server \(pid {os.getpid()}\)"):
            SqliteStore(tmp_path / path)
    store.close()


def test_a_store_that_was_closed_can_be_opened(tmp_path: Path) -> None:
    """The lock goes with it."""
    SqliteStore(tmp_path / "db").close()
    SqliteStore(tmp_path / "db").close()


def test_a_store_that_did_not_open_is_not_in_use(tmp_path: Path) -> None:
    """A second try says the same as the first, not that the first one has it."""
    (tmp_path / "db").write_text("this is no database, and long enough to be taken for none")
    for _ in range(2):
        with pytest.raises(StoreError, match=r"can't open the store .*not a database"):
            SqliteStore(tmp_path / "db")


def test_a_number_that_is_taken_is_said_without_sql(tmp_path: Path) -> None:
    """Somebody else wrote it, which is what there is to know."""
    store = SqliteStore(tmp_path / "db")
    store.commit(Write((first(),)))
    with pytest.raises(StoreError, match="something else writes to it") as caught:
        store.commit(Write((first(),)))
    assert "UNIQUE" not in str(caught.value)
    store.close()


def test_a_path_that_cannot_be_opened_is_said_so(tmp_path: Path) -> None:
    """With the path, and what to check."""
    with pytest.raises(StoreError, match=r"can't open the store .*no/such/db.*check the path"):
        SqliteStore(tmp_path / "no" / "such" / "db")
