"""The store in one SQLite file: write-ahead log, full synchronisation, one transaction a change.

An instance belongs to one thread (the server gives it one of its own), and a file to one instance.
"""

from collections.abc import Iterable
from pathlib import Path

from xds.catalog.resource import Resource
from xds.revisions.record import Revision
from xds.revisions.resources import ResourceSet
from xds.store import reading
from xds.store.audit_rows import REPLY_COLUMNS, reply_of
from xds.store.database import Database
from xds.store.image_rows import Page, Whose, begin_image, read_image, write_page
from xds.store.metric_rows import read_minutes, write_minutes
from xds.store.records import Entry, Memory, Reply, Snapshot, Write
from xds.store.writing import write_all
from xds.telemetry.archive import Minute

_ALL = -1


class SqliteStore:
    """`xds.store.interface.Store`, in a file that is made if need be.

    Raises:
        StoreError: it can't be opened, is no store, was written by a newer Canary, or is in use.
    """

    def __init__(self, path: Path | str) -> None:
        self._database = Database(path)

    def close(self) -> None:
        """Close the file; another server may open it."""
        self._database.close()

    def load(self, since: float) -> Memory:
        """What a server starts from; revisions replaced after `since` (epoch seconds) included."""
        with self._database.reading() as db:
            return reading.memory(db, since)

    def commit(self, *writes: Write) -> int:
        """Make changes last, in one transaction; when this returns the newest entry's number, they do.

        Revisions and sets of resources in a write without an entry count to the entry before.

        Raises:
            StoreError: nothing of any was written.
        """
        with self._database.writing() as db:
            return [write_all(db, write) for write in writes][-1]

    def history(self, deployment: str) -> tuple[Revision, ...]:
        """All revisions that are kept of a deployment, oldest first."""
        return tuple(reversed(self.revisions(deployment, None, _ALL)))

    def revision(self, deployment: str, number: int) -> Revision | None:
        """One of them, if there is or ever was one of that number that is kept."""
        found = self.revisions(deployment, number + 1, 1)
        return found[0] if found and found[0].number == number else None

    def revisions(self, deployment: str, before: int | None, limit: int) -> list[Revision]:
        """A page of them, newest first."""
        with self._database.reading() as db:
            return reading.revisions(db, deployment, before, limit)

    def resource_history(self, gateway: str) -> tuple[ResourceSet, ...]:
        """All sets of resources that a gateway was given, oldest first."""
        return tuple(reversed(self.resource_sets(gateway, None, _ALL)))

    def resource_set(self, gateway: str, number: int) -> ResourceSet | None:
        """One of them."""
        found = self.resource_sets(gateway, number + 1, 1)
        return found[0] if found and found[0].number == number else None

    def resource_sets(self, gateway: str, before: int | None, limit: int) -> list[ResourceSet]:
        """A page of them, newest first."""
        with self._database.reading() as db:
            return reading.resource_sets(db, gateway, before, limit)

    def reply(self, request: str) -> Reply | None:
        """What a request came to, if that is known still."""
        with self._database.reading() as db:
            row = db.execute(
                f"SELECT {REPLY_COLUMNS} FROM replies WHERE request = ?",  # noqa: S608 (constants)
                (request,),
            ).fetchone()
            return reply_of(row) if row is not None else None

    def entries(
        self,
        subject: str = "",
        author: str = "",
        since: float = 0.0,
        before: int | None = None,
        *,
        limit: int,
    ) -> list[tuple[int, Entry]]:
        """A page of the audit, newest first; "" and 0 choose nothing."""
        with self._database.reading() as db:
            return reading.entries(db, subject, author, since, before, limit)

    def snapshots(self, before: int | None, limit: int) -> list[Snapshot]:
        """A page of the entries that brought revisions or resources, newest first."""
        with self._database.reading() as db:
            return reading.snapshots(db, before, limit)

    def at_snapshot(self, number: int) -> tuple[dict[str, int], dict[str, int]]:
        """The revision in force after an entry by deployment, the set of resources by gateway.

        Those that are not kept any more are named too.
        """
        with self._database.reading() as db:
            return reading.at_snapshot(db, number)

    def image(self, maker: str) -> dict[Whose, list[Resource]] | None:
        """What was published after the last write; None where that isn't certain."""
        with self._database.reading() as db:
            return read_image(db, maker)

    def begin_image(self, maker: str) -> None:
        """Forget the image there is: the next one is made by this.

        Raises:
            StoreError: it is there still.
        """
        with self._database.writing() as db:
            begin_image(db, maker)

    def write_image(self, page: Page) -> None:
        """Write a part of what is published.

        Raises:
            StoreError: nothing of it was written.
        """
        with self._database.writing() as db:
            write_page(db, page)

    def metric_minutes(self, since: float) -> list[Minute]:
        """What versions did in every minute since then, oldest first."""
        with self._database.reading() as db:
            return read_minutes(db, since)

    def save_minutes(self, minutes: Iterable[Minute], now: float) -> None:
        """Keep what versions did, and forget what is older than a day.

        Raises:
            StoreError: nothing of it was written.
        """
        with self._database.writing() as db:
            write_minutes(db, minutes, now)
