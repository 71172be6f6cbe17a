"""Copies of a store: made while its server runs, and put in its place again.

SQLite copies one moment of the store and blocks no writer. The copy is checked and on the disk before it
gets its name, so a file under that name is always whole.
"""

import contextlib
import dataclasses
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from xds.errors import StoreError
from xds.store.database import check_version
from xds.store.image_rows import drop_image
from xds.store.lock import Lock


@dataclasses.dataclass(frozen=True)
class Contents:
    """What is in a copy: how many deployments there ever were, and how many revisions are kept."""

    deployments: int
    revisions: int


def backup(store: Path, out: Path, *, force: bool = False) -> Contents:
    """Copy a store to a file, whether its server runs or not.

    Args:
        store: the database.
        out: the file to make.
        force: replace `out` if it is there.

    Raises:
        StoreError: there is no such store, it is broken, or the file can't be written; or it is there;
            or it is a store that is in use, this one among them.
    """
    _refuse_existing(out, "name another file", force=force)
    if out.exists() and store.exists() and out.samefile(store):
        raise StoreError(f"{out} is the store itself; name another file for its copy")
    with _explained(f"back {store} up to {out}"):
        if not Path(f"{out.resolve()}.lock").exists():  # no server ever had a store there
            return _copy(store, out, force=force)
        return _copy_locked(store, out, force=force)


def restore(file: Path, store: Path, *, force: bool = False) -> Contents:
    """Put a copy in a store's place.

    Args:
        file: what `backup` made.
        store: the database to be.
        force: replace `store` if it is there; what it has is lost.

    Raises:
        StoreError: a server uses the store, it is there, or the file is none of ours or a newer Canary's.
    """
    _refuse_existing(store, "name another store", force=force)
    with _explained(f"restore {file} to {store}"):
        _open(file).close()  # nothing is made, not even a lock, for what is no store
        return _copy_locked(file, store, force=force)


def _copy_locked(source: Path, out: Path, *, force: bool) -> Contents:
    """Copy to where no server has a store open, and none opens one meanwhile."""
    lock = Lock(out)
    try:
        return _copy(source, out, force=force)
    finally:
        lock.release()


def _copy(source: Path, out: Path, *, force: bool) -> Contents:
    """Copy, check, write through to the disk, and only then give it its name."""
    unfinished = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with (
            contextlib.closing(_open(source)) as there,
            contextlib.closing(sqlite3.connect(unfinished, isolation_level=None)) as here,
        ):
            there.backup(here)
            here.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
            contents = _checked(here, source)
            _leave_image_out(here)
        _write_through(unfinished)
        for log in ("-wal", "-shm"):  # of what stood here before: it would be played into the copy
            Path(f"{out}{log}").unlink(missing_ok=True)
        if force:
            unfinished.replace(out)
        else:
            os.link(unfinished, out)  # unlike a rename, it never replaces
    finally:
        unfinished.unlink(missing_ok=True)
    _write_through(out.parent)
    return contents


def _open(path: Path) -> sqlite3.Connection:
    """A store to read from, without its server noticing."""
    if not path.is_file():
        raise StoreError(f"there is no store {path}; give the path of the database")
    with contextlib.ExitStack() as undo:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        undo.callback(db.close)
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if not version or not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'revisions'").fetchall():
            raise StoreError(f"{path} is no store of Canary's; give the path of one, or of a backup")
        check_version(path, version)
        undo.pop_all()
    return db


def _checked(db: sqlite3.Connection, source: Path) -> Contents:
    found = db.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        raise StoreError(f"{source} is damaged: {found}; restore an earlier backup")
    return Contents(*db.execute("SELECT COUNT(DISTINCT deployment), COUNT(*) FROM revisions").fetchone())


def _leave_image_out(db: sqlite3.Connection) -> None:
    """What was published is made again of what was committed; it may be most of the file."""
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'image'").fetchone() is not None:
        drop_image(db)
        db.execute("VACUUM")


def _refuse_existing(path: Path, mend: str, *, force: bool) -> None:
    if path.exists() and not force:
        raise StoreError(f"{path} is there already; {mend}, or replace it with --force")


def _write_through(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextlib.contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"can't {what}: {error}; check the paths, the disk and permissions") from error
