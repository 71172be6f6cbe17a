"""Backups: one moment of a store, whole, taken while it is written to; and the way back."""

import sqlite3
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from xds.cli.main import canary
from xds.errors import StoreError
from xds.revisions import decide
from xds.revisions.record import Note, Revision
from xds.spec.deployment import Deployment
from xds.store.backup import Contents, backup, restore
from xds.store.records import Write
from xds.store.sqlite import SqliteStore

NOTE = Note("me", 1.0)


def first(name: str) -> Revision:
    """A deployment's first revision."""
    revision = decide.apply(Deployment(name=name), None, {}, NOTE)
    assert revision is not None
    return revision


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A store with a deployment."""
    store = SqliteStore(tmp_path / "db")
    store.commit(Write((first("s"),)))
    store.close()
    return tmp_path / "db"


def deployments(path: Path) -> list[str]:
    """Those in a store."""
    store = SqliteStore(path)
    try:
        return sorted(store.load(since=0).recent)
    finally:
        store.close()


def test_what_was_backed_up_comes_back(db: Path, tmp_path: Path) -> None:
    """While a server has the store; what came later isn't there. The copy is one file."""
    store = SqliteStore(db)
    assert backup(db, tmp_path / "copy") == Contents(deployments=1, revisions=1)
    store.commit(Write((first("t"),)))
    store.close()
    assert [path.name for path in tmp_path.glob("*copy*")] == ["copy"]
    assert restore(tmp_path / "copy", tmp_path / "other") == Contents(1, 1)
    assert deployments(tmp_path / "other") == ["s"]


def test_a_store_in_use_is_never_replaced(db: Path, tmp_path: Path) -> None:
    """Neither by its own copy, nor by another's, whatever is forced; its server goes on writing to it."""
    backup(db, tmp_path / "copy")
    store = SqliteStore(db)
    with pytest.raises(StoreError, match="is the store itself; name another file"):
        backup(db, db, force=True)
    with pytest.raises(StoreError, match="in use by another server"):
        backup(tmp_path / "copy", db, force=True)
    store.commit(Write((first("t"),)))
    store.close()
    assert deployments(db) == ["s", "t"]


def test_a_backup_during_writes_is_one_moment(db: Path, tmp_path: Path) -> None:
    """Two deployments are made in each write: never one without the other. No write fails."""
    enough = threading.Event()

    def write() -> None:
        store = SqliteStore(db)
        number = 0
        while not enough.is_set():
            store.commit(Write((first(f"a{number}"), first(f"b{number}"))))
            number += 1
        store.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(10):
            backup(db, tmp_path / f"copy{number}")
    finally:
        enough.set()
        writer.join()
    for number in range(10):
        found = deployments(tmp_path / f"copy{number}")
        assert [name[1:] for name in found if name[0] == "a"] == [
            name[1:] for name in found if name[0] == "b"
        ]


def test_nothing_is_replaced_unasked(db: Path, tmp_path: Path) -> None:
    """Neither a file by a backup, nor a store by a restore; both can be forced."""
    backup(db, tmp_path / "copy")
    with pytest.raises(StoreError, match=r"copy is there already; name another file, or .* --force"):
        backup(db, tmp_path / "copy")
    with pytest.raises(StoreError, match=r"db is there already; name another store, or .* --force"):
        restore(tmp_path / "copy", db)
    backup(db, tmp_path / "copy", force=True)
    restore(tmp_path / "copy", db, force=True)
    assert deployments(db) == ["s"]


def test_a_restored_store_has_nothing_of_the_log_before_it(db: Path, tmp_path: Path) -> None:
    """The write-ahead log of a server that was killed is not played into the copy."""
    backup(db, tmp_path / "copy")
    dead = sqlite3.connect(db)
    dead.execute("DELETE FROM revisions")
    dead.commit()
    log = (tmp_path / "db-wal").read_bytes()
    dead.close()
    (tmp_path / "db-wal").write_bytes(log)
    restore(tmp_path / "copy", db, force=True)
    assert deployments(db) == ["s"]


def test_a_store_in_use_is_not_replaced(db: Path, tmp_path: Path) -> None:
    """Not even by force."""
    backup(db, tmp_path / "copy")
    store = SqliteStore(db)
    with pytest.raises(StoreError, match="db is in use by another server"):
        restore(tmp_path / "copy", db, force=True)
    store.close()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("CREATE TABLE t (x)", "is no store of Canary's"),
        ("CREATE TABLE revisions (x); PRAGMA user_version = 99", "was written by a newer Canary"),
    ],
)
def test_what_is_no_store_of_ours_is_refused(tmp_path: Path, script: str, message: str) -> None:
    """Whichever way; nothing is made."""
    other = sqlite3.connect(tmp_path / "other")
    other.executescript(script)
    other.close()
    with pytest.raises(StoreError, match=message):
        backup(tmp_path / "other", tmp_path / "copy")
    with pytest.raises(StoreError, match=message):
        restore(tmp_path / "other", tmp_path / "db")
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_a_store_that_is_damaged_is_not_backed_up(db: Path, tmp_path: Path) -> None:
    """And leaves no file that looks like a backup."""
    with db.open("r+b") as file:
        file.seek(4096 + 8)
        file.write(b"\xff" * 200)
    with pytest.raises(StoreError, match=r"damaged|malformed"):
        backup(db, tmp_path / "copy")
    assert not list(tmp_path.glob("*copy*"))


def test_a_store_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """Rather than made."""
    with pytest.raises(StoreError, match="there is no store"):
        backup(tmp_path / "none", tmp_path / "copy")
    assert not list(tmp_path.iterdir())


def test_the_commands_say_what_they_did(db: Path, tmp_path: Path) -> None:
    """In a line each; what is refused exits with 1."""
    run = CliRunner()
    copy, other = str(tmp_path / "copy"), str(tmp_path / "other")
    done = run.invoke(canary, ["backup", "--store", str(db), "-o", copy])
    assert (done.exit_code, done.stdout) == (0, f"{db} backed up to {copy}: 1 deployment, 1 revision\n")
    done = run.invoke(canary, ["restore", copy, "--store", other])
    assert (done.exit_code, done.stdout) == (0, f"{copy} restored to {other}: 1 deployment, 1 revision\n")
    done = run.invoke(canary, ["restore", copy, "--store", other])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "is there already" in done.stderr
