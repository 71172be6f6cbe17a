"""The image in the store: it fits nothing but what it is of."""

import sqlite3
from pathlib import Path

import pytest

from xds.catalog.resource import Resource
from xds.revisions.record import Note
from xds.store.backup import backup, restore
from xds.store.image_rows import Key, Page
from xds.store.records import Entry, Write
from xds.store.schema import MIGRATIONS
from xds.store.sqlite import SqliteStore

EDGE = ("edge", "")
OLD = ("edge", "before-1.36")
CLUSTER = Resource("Cluster", "s_1", "v1", b"cluster")
ROUTES = Resource("Routes", "edge", "v1", b"routes", frozenset({"s_1", "s_2"}))
SOMETHING = Write(entry=Entry(Note("ann", 1.0), "apply", ("s",)))


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A store with two writes and their image."""
    store = SqliteStore(tmp_path / "db")
    store.commit(SOMETHING)
    store.commit(SOMETHING)
    store.begin_image("maker")
    store.write_image(Page({key(CLUSTER): CLUSTER, key(ROUTES): ROUTES}, 2))
    store.close()
    return tmp_path / "db"


def key(resource: Resource, whose: tuple[str, str] = EDGE) -> Key:
    """Of a resource."""
    return whose, resource.type, resource.name


def test_what_was_written_is_read(db: Path) -> None:
    """To the last cluster, by target."""
    store = SqliteStore(db)
    store.write_image(Page({key(ROUTES, OLD): ROUTES}, 2))
    assert store.image("maker") == {EDGE: [CLUSTER, ROUTES], OLD: [ROUTES]}
    store.close()


def test_what_changes_replaces_what_was(db: Path) -> None:
    """And what is gone is not there any more."""
    newer = Resource("Routes", "edge", "v2", b"newer")
    store = SqliteStore(db)
    store.write_image(Page({key(CLUSTER): None, key(newer): newer}, 2))
    assert store.image("maker") == {EDGE: [newer]}
    store.close()


def test_after_another_write_it_does_not_fit(db: Path) -> None:
    """Until it has what that brought."""
    store = SqliteStore(db)
    store.commit(SOMETHING)
    assert store.image("maker") is None
    store.write_image(Page({}, 3))
    assert store.image("maker") is not None
    store.close()


def test_one_by_another_maker_does_not_fit(db: Path) -> None:
    """Other gateways or other code would have made something else."""
    store = SqliteStore(db)
    assert store.image("another") is None
    store.begin_image("another")
    assert (store.image("another"), store.image("maker")) == (None, None)
    store.write_image(Page({}, 2))
    assert (store.image("another"), store.image("maker")) == ({}, None)
    store.close()


def test_half_an_image_does_not_fit(db: Path) -> None:
    """More pages follow."""
    store = SqliteStore(db)
    store.write_image(Page({key(CLUSTER): None}, None))
    assert store.image("maker") is None
    store.close()


def test_a_backup_leaves_it_out(db: Path, tmp_path: Path) -> None:
    """And a store that was restored has none: it could be of another life of the same store."""
    backup(db, tmp_path / "copy")
    with sqlite3.connect(tmp_path / "copy") as copy:
        assert copy.execute("SELECT COUNT(*) FROM image").fetchone() == (0,)
    copy.close()
    restore(tmp_path / "copy", db, force=True)
    store = SqliteStore(db)
    assert store.image("maker") is None
    assert store.load(0.0).position == 2
    store.close()


def test_a_store_from_before_can_be_backed_up_and_opened(tmp_path: Path) -> None:
    """It has no image, and nothing was counted yet."""
    old = sqlite3.connect(tmp_path / "db")
    old.executescript(f"BEGIN; {';'.join(MIGRATIONS[:4])}; PRAGMA user_version = 4; COMMIT")
    old.close()
    backup(tmp_path / "db", tmp_path / "copy")
    store = SqliteStore(tmp_path / "copy")
    assert (store.image("maker"), store.load(0.0).position) == (None, 0)
    store.close()
