"""The file: opened by one server at a time, brought up to date, written in transactions."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from xds.errors import StoreError
from xds.store.lock import Lock
from xds.store.schema import MIGRATIONS

_BUSY = 5.0
"""Seconds to wait for another process that holds the file (a backup, say)."""


class Database:
    """Opens the file, making it if need be.

    Raises:
        StoreError: it can't be opened, is no store, was written by a newer Canary, or is in use.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = path
        with contextlib.ExitStack() as undo, self._explained("open"):
            self._lock = Lock(path)
            undo.callback(self._lock.release)
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=_BUSY)
            undo.callback(self._connection.close)
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._migrate()
            undo.pop_all()

    def close(self) -> None:
        """Close the file; another server may open it."""
        self._connection.close()
        self._lock.release()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, to read from.

        Raises:
            StoreError: it can't be read.
        """
        with self._explained("read"):
            yield self._connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The connection within a transaction, which is durable when the block ends.

        Raises:
            StoreError: nothing was written.
        """
        db = self._connection
        with self._explained("write"):
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def _migrate(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        check_version(self._path, version)
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            self._connection.executescript(f"BEGIN; {script}; PRAGMA user_version = {number}; COMMIT")

    @contextlib.contextmanager
    def _explained(self, verb: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise StoreError(
                f"can't {verb} the store {self._path}: it has what this server never wrote, so something"
                " else writes to it; stop that, and start this server again"
            ) from error
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"can't {verb} the store {self._path}: {error}; check the path, its disk and permissions"
            ) from error


def check_version(path: Path | str, version: int) -> None:
    """Make sure that a file's schema is one we know.

    Raises:
        StoreError: a newer Canary wrote it.
    """
    if version > len(MIGRATIONS):
        raise StoreError(f"{path} was written by a newer Canary (schema {version}); upgrade this one")
