"""Sets of Envoy resources in the store: numbered, whole, the newest at the start."""

import sqlite3
from pathlib import Path

import pytest

from xds.errors import StoreError
from xds.revisions.record import Note
from xds.revisions.resources import ResourceSet
from xds.store.records import Write
from xds.store.schema import MIGRATIONS
from xds.store.sqlite import SqliteStore


def given(number: int, gateway: str = "edge") -> ResourceSet:
    """A set with one resource, which says its number."""
    return ResourceSet(
        gateway, number, "set", ({"@type": "t", "name": str(number), "x": None},), Note("me", 1.5)
    )


def test_what_was_committed_comes_back(tmp_path: Path) -> None:
    """The newest of each gateway at the start, all of them as history."""
    store = SqliteStore(tmp_path / "db")
    sets = (given(1), given(2), given(1, "other"))
    store.commit(Write(resources=sets))
    store.close()
    store = SqliteStore(tmp_path / "db")
    assert store.load(since=0).resources == {"edge": sets[1], "other": sets[2]}
    assert store.resource_history("edge") == sets[:2]


def test_a_number_is_given_once(tmp_path: Path) -> None:
    """Two writers can't both make the same set."""
    store = SqliteStore(tmp_path / "db")
    store.commit(Write(resources=(given(1),)))
    with pytest.raises(StoreError, match="can't write the store"):
        store.commit(Write(resources=(given(1),)))


def test_a_store_of_before_is_brought_up_to_date(tmp_path: Path) -> None:
    """Its revisions stay, and resources can be given."""
    db = sqlite3.connect(tmp_path / "db")
    db.executescript(f"BEGIN; {MIGRATIONS[0]}; PRAGMA user_version = 1; COMMIT")
    db.execute("INSERT INTO builds VALUES ('s', 's:1', '1')")
    db.commit()
    db.close()
    store = SqliteStore(tmp_path / "db")
    store.commit(Write(resources=(given(1),)))
    assert store.load(since=0).builds == {"s": {"s:1": "1"}}
