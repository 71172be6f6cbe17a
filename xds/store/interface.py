"""What the control plane asks of a store. SQLite's is one; PostgreSQL's will be another.

Calls block and belong to one thread. All of them raise StoreError where the store can't be reached.
Listings are newest first; `before` is the number to go on below, None for the newest.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol

from xds.catalog.resource import Resource
from xds.revisions.record import Revision
from xds.revisions.resources import ResourceSet
from xds.store.image_rows import Page, Whose
from xds.store.records import Entry, Memory, Reply, Snapshot, Write
from xds.telemetry.archive import Minute


class Store(Protocol):
    """Revisions, endpoints, resources and the audit, durable."""

    def close(self) -> None:
        """Let go of it; another server may open it."""

    def load(self, since: float) -> Memory:
        """What a server starts from; revisions replaced after `since` (epoch seconds) included."""

    def commit(self, *writes: Write) -> int:
        """Make changes last, in their order, all of them or none; returns the newest entry's number.

        Revisions beyond a deployment's `revision_history_limit` go with it, and replies that are older
        than a day.
        """

    def history(self, deployment: str) -> tuple[Revision, ...]:
        """All revisions that are kept of a deployment, deleted or not, oldest first."""

    def revision(self, deployment: str, number: int) -> Revision | None:
        """One of them; None where there never was one, or it is kept no more."""

    def revisions(self, deployment: str, before: int | None, limit: int) -> list[Revision]:
        """A page of them, newest first."""

    def resource_history(self, gateway: str) -> tuple[ResourceSet, ...]:
        """All sets of resources that a gateway was given, oldest first."""

    def resource_set(self, gateway: str, number: int) -> ResourceSet | None:
        """One of them."""

    def resource_sets(self, gateway: str, before: int | None, limit: int) -> list[ResourceSet]:
        """A page of them, newest first."""

    def reply(self, request: str) -> Reply | None:
        """What a request came to, if it was within the last day."""

    def entries(
        self,
        subject: str = "",
        author: str = "",
        since: float = 0.0,
        before: int | None = None,
        *,
        limit: int,
    ) -> list[tuple[int, Entry]]:
        """A page of the audit with the entries' numbers; "" and 0 (epoch seconds) choose nothing."""

    def snapshots(self, before: int | None, limit: int) -> list[Snapshot]:
        """A page of the entries that brought revisions or resources."""

    def at_snapshot(self, number: int) -> tuple[dict[str, int], dict[str, int]]:
        """What was in force after an entry, whether it is still kept or not.

        Returns:
            The revision (it may be a deletion) by deployment, the set of resources by gateway.
        """

    def image(self, maker: str) -> Mapping[Whose, list[Resource]] | None:
        """What was published after the last write; None where that isn't certain.

        Args:
            maker: by what it must have been made (any text).
        """

    def begin_image(self, maker: str) -> None:
        """Forget the image there is: the next one is made by this."""

    def write_image(self, page: Page) -> None:
        """Write a part of what is published; the image fits nothing until its last page is written."""

    def metric_minutes(self, since: float) -> list[Minute]:
        """What versions did in every minute since then (epoch seconds), oldest first."""

    def save_minutes(self, minutes: Iterable[Minute], now: float) -> None:
        """Keep what versions did, in place of what was known of the same minutes; a day of it."""


class Asks(Protocol):
    """Runs something in the store's thread."""

    def __call__(self, question: Callable[[Store], None]) -> Awaitable[None]: ...  # noqa: D102
