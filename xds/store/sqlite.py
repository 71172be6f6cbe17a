"""The store in one SQLite file: write-ahead log, full synchronisation, one transaction a change.

An instance belongs to one thread (the server gives it one of its own), and a file to one instance.
`PRAGMA user_version` counts the migrations that were run.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from xds.errors import StoreError
from xds.revisions.record import Revision
from xds.revisions.resources import ResourceSet
from xds.spec.write import endpoints_from_json, endpoints_to_json
from xds.store.lock import Lock
from xds.store.records import Memory, Write
from xds.store.resource_rows import CREATE_RESOURCES, RESOURCE_COLUMNS, resources_of, resources_row
from xds.store.rows import REVISION_COLUMNS, revision_of, revision_row

_MIGRATIONS = (
    """
    CREATE TABLE revisions (
        deployment TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, spec TEXT NOT NULL,
        labels TEXT NOT NULL, builds TEXT NOT NULL, slots TEXT NOT NULL,
        author TEXT NOT NULL, at REAL NOT NULL, comment TEXT NOT NULL, source INTEGER,
        PRIMARY KEY (deployment, number)
    ) WITHOUT ROWID;
    CREATE TABLE builds (
        deployment TEXT NOT NULL, ref TEXT NOT NULL, key TEXT NOT NULL,
        PRIMARY KEY (deployment, ref), UNIQUE (deployment, key)
    ) WITHOUT ROWID;
    CREATE TABLE endpoints (
        source TEXT NOT NULL, ref TEXT NOT NULL, endpoints TEXT NOT NULL,
        PRIMARY KEY (source, ref)
    ) WITHOUT ROWID;
    CREATE TABLE applied (
        source TEXT NOT NULL, part TEXT NOT NULL, digest TEXT NOT NULL,
        PRIMARY KEY (source, part)
    ) WITHOUT ROWID;
    """,
    CREATE_RESOURCES,
)

_BUSY = 5.0
"""Seconds to wait for another process that holds the file (a backup, say)."""


class SqliteStore:
    """Opens the file, making it if need be.

    Raises:
        StoreError: it can't be opened, is no store, was written by a newer Canary, or is in use.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = path
        with contextlib.ExitStack() as undo, self._explained("open"):
            self._lock = Lock(path)
            undo.callback(self._lock.release)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=_BUSY)
            undo.callback(self._db.close)
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._migrate()
            undo.pop_all()

    def close(self) -> None:
        """Close the file; another server may open it."""
        self._db.close()
        self._lock.release()

    def load(self, since: float) -> Memory:
        """What a server starts from; revisions replaced after `since` (epoch seconds) included."""
        recent: dict[str, list[Revision]] = {}
        builds: dict[str, dict[str, str]] = {}
        with self._explained("read"):
            for row in self._db.execute(
                f"SELECT {REVISION_COLUMNS} FROM revisions AS r WHERE NOT EXISTS"  # noqa: S608 (constants)
                " (SELECT 1 FROM revisions AS s WHERE s.deployment = r.deployment"
                "  AND s.number = r.number + 1 AND s.at <= ?) ORDER BY deployment, number",
                (since,),
            ):
                recent.setdefault(row["deployment"], []).append(revision_of(row))
            for deployment, ref, key in self._db.execute("SELECT deployment, ref, key FROM builds"):
                builds.setdefault(deployment, {})[ref] = key
            return Memory(
                recent={name: tuple(revisions) for name, revisions in recent.items()},
                builds=builds,
                endpoints={
                    (row["source"], row["ref"]): endpoints_from_json(row["endpoints"])
                    for row in self._db.execute("SELECT source, ref, endpoints FROM endpoints")
                },
                applied={
                    (source, part): digest
                    for source, part, digest in self._db.execute("SELECT source, part, digest FROM applied")
                },
                resources={
                    row["gateway"]: resources_of(row)
                    for row in self._db.execute(
                        f"SELECT {RESOURCE_COLUMNS} FROM resources AS r WHERE number ="  # noqa: S608
                        " (SELECT MAX(number) FROM resources WHERE gateway = r.gateway)"
                    )
                },
            )

    def history(self, deployment: str) -> tuple[Revision, ...]:
        """All revisions of a deployment, oldest first."""
        with self._explained("read"):
            rows = self._db.execute(
                f"SELECT {REVISION_COLUMNS} FROM revisions WHERE deployment = ? ORDER BY number",  # noqa: S608
                (deployment,),
            )
            return tuple(revision_of(row) for row in rows)

    def resource_history(self, gateway: str) -> tuple[ResourceSet, ...]:
        """All sets of resources that a gateway was given, oldest first."""
        with self._explained("read"):
            rows = self._db.execute(
                f"SELECT {RESOURCE_COLUMNS} FROM resources WHERE gateway = ? ORDER BY number",  # noqa: S608
                (gateway,),
            )
            return tuple(resources_of(row) for row in rows)

    def commit(self, write: Write) -> None:
        """Make a change last; when this returns, it does.

        Raises:
            StoreError: nothing of it was written.
        """
        with self._explained("write"), self._transaction():
            for revision in write.revisions:
                row = revision_row(revision)
                marks = ", ".join("?" * len(row))
                self._db.execute(f"INSERT INTO revisions ({REVISION_COLUMNS}) VALUES ({marks})", row)  # noqa: S608
                self._db.executemany(
                    "INSERT OR IGNORE INTO builds (deployment, ref, key) VALUES (?, ?, ?)",
                    [(revision.deployment, ref, key) for key, ref in revision.builds.items()],
                )
            self._db.executemany(
                "INSERT OR REPLACE INTO endpoints (source, ref, endpoints) VALUES (?, ?, ?)",
                [(source, ref, endpoints_to_json(given)) for (source, ref), given in write.endpoints.items()],
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO applied (source, part, digest) VALUES (?, ?, ?)",
                [(source, part, digest) for (source, part), digest in write.applied.items()],
            )

            for given in write.resources:
                row = resources_row(given)
                marks = ", ".join("?" * len(row))
                self._db.execute(f"INSERT INTO resources ({RESOURCE_COLUMNS}) VALUES ({marks})", row)  # noqa: S608

    def _migrate(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(_MIGRATIONS):
            raise StoreError(
                f"{self._path} was written by a newer Canary (schema {version}); upgrade this one"
            )
        for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
            self._db.executescript(f"BEGIN; {script}; PRAGMA user_version = {number}; COMMIT")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

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
