"""What is asked of the tables."""

import sqlite3
from collections import defaultdict
from collections.abc import Mapping

from xds.revisions.record import Revision
from xds.revisions.resources import ResourceSet
from xds.spec.write import endpoints_from_json
from xds.store.audit_rows import ENTRY_COLUMNS, entry_of
from xds.store.records import Entry, Lease, Memory, Place, Snapshot
from xds.store.resource_rows import RESOURCE_COLUMNS, resources_of
from xds.store.rows import REVISION_COLUMNS, revision_of
from xds.store.writing import newest_entry, position

_ABOVE_ALL = 2**63 - 1

_RECENT = f"""
    SELECT {REVISION_COLUMNS} FROM revisions AS r WHERE NOT EXISTS (
        SELECT 1 FROM revisions AS s
        WHERE s.deployment = r.deployment AND s.number = r.number + 1 AND s.at <= ?
    ) ORDER BY deployment, number
    """  # noqa: S608 (constants)
_GIVEN = f"""
    SELECT {RESOURCE_COLUMNS} FROM resources AS r
    WHERE number = (SELECT MAX(number) FROM resources WHERE gateway = r.gateway)
    """  # noqa: S608
_REVISIONS = f"""
    SELECT {REVISION_COLUMNS} FROM revisions
    WHERE deployment = ? AND number < ? ORDER BY number DESC LIMIT ?
    """  # noqa: S608
_RESOURCES = f"""
    SELECT {RESOURCE_COLUMNS} FROM resources
    WHERE gateway = ? AND number < ? ORDER BY number DESC LIMIT ?
    """  # noqa: S608
_ENTRIES = f"""
    SELECT number, {ENTRY_COLUMNS} FROM entries
    WHERE number < :before AND at >= :since
        AND (:author = '' OR author = :author)
        AND (:subject = '' OR number IN (SELECT entry FROM subjects WHERE subject = :subject))
    ORDER BY number DESC LIMIT :limit
    """  # noqa: S608
_SNAPSHOTS = f"""
    SELECT number, {ENTRY_COLUMNS} FROM entries
    WHERE number < ? AND number IN (SELECT entry FROM brought) ORDER BY number DESC LIMIT ?
    """  # noqa: S608


def memory(db: sqlite3.Connection, since: float) -> Memory:
    """What a server starts from; revisions replaced after `since` (epoch seconds) included."""
    recent: defaultdict[str, list[Revision]] = defaultdict(list)
    for row in db.execute(_RECENT, (since,)):
        recent[row["deployment"]].append(revision_of(row))
    builds: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for deployment, ref, key in db.execute("SELECT deployment, ref, key FROM builds"):
        builds[deployment][ref] = key
    return Memory(
        recent={name: tuple(revisions) for name, revisions in recent.items()},
        builds=dict(builds),
        endpoints={
            (source, ref): endpoints_from_json(given)
            for source, ref, given in db.execute("SELECT source, ref, endpoints FROM endpoints")
        },
        applied={
            (source, part): digest
            for source, part, digest in db.execute("SELECT source, part, digest FROM applied")
        },
        resources={row["gateway"]: resources_of(row) for row in db.execute(_GIVEN)},
        leases=_leases(db),
        drains=frozenset((ref, place) for ref, place in db.execute("SELECT ref, place FROM drains")),
        snapshot=newest_entry(db),
        position=position(db),
    )


def _leases(db: sqlite3.Connection) -> Mapping[Place, Lease]:
    rows = db.execute("SELECT ref, place, endpoint, ttl FROM leases")
    return {(ref, place): Lease(endpoints_from_json(given)[0], ttl) for ref, place, given, ttl in rows}


def revisions(db: sqlite3.Connection, deployment: str, before: int | None, limit: int) -> list[Revision]:
    """A page of a deployment's revisions, newest first; a limit of -1 is none."""
    return [revision_of(row) for row in db.execute(_REVISIONS, (deployment, _below(before), limit))]


def resource_sets(db: sqlite3.Connection, gateway: str, before: int | None, limit: int) -> list[ResourceSet]:
    """A page of a gateway's sets of resources, newest first; a limit of -1 is none."""
    return [resources_of(row) for row in db.execute(_RESOURCES, (gateway, _below(before), limit))]


def entries(
    db: sqlite3.Connection, subject: str, author: str, since: float, before: int | None, limit: int
) -> list[tuple[int, Entry]]:
    """A page of the audit, newest first."""
    wanted = {
        "subject": subject,
        "author": author,
        "since": since,
        "before": _below(before),
        "limit": limit,
    }
    return [(row["number"], entry_of(row)) for row in db.execute(_ENTRIES, wanted)]


def snapshots(db: sqlite3.Connection, before: int | None, limit: int) -> list[Snapshot]:
    """A page of the entries that brought something, newest first."""
    return [_snapshot(db, row) for row in db.execute(_SNAPSHOTS, (_below(before), limit)).fetchall()]


def at_snapshot(db: sqlite3.Connection, number: int) -> tuple[dict[str, int], dict[str, int]]:
    """The revision in force after an entry by deployment, the set of resources by gateway."""
    rows = db.execute(
        "SELECT kind, name, MAX(number) FROM brought WHERE entry <= ? GROUP BY kind, name", (number,)
    ).fetchall()
    return _of_kind("deployment", rows), _of_kind("gateway", rows)


def _snapshot(db: sqlite3.Connection, row: sqlite3.Row) -> Snapshot:
    brought = db.execute(
        "SELECT kind, name, number FROM brought WHERE entry = ? ORDER BY kind, name, number",
        (row["number"],),
    ).fetchall()
    return Snapshot(
        row["number"], entry_of(row), _of_kind("deployment", brought), _of_kind("gateway", brought)
    )


def _of_kind(kind: str, rows: list[sqlite3.Row]) -> dict[str, int]:
    return {name: number for found, name, number in rows if found == kind}


def _below(before: int | None) -> int:
    return _ABOVE_ALL if before is None else before
