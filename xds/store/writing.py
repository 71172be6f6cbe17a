"""A write as statements of one transaction."""

import sqlite3

from xds.revisions.record import Revision
from xds.spec.write import endpoints_to_json
from xds.store.audit_rows import ENTRY_COLUMNS, REPLY_COLUMNS, entry_row, reply_row
from xds.store.records import Entry, Reply, Write
from xds.store.resource_rows import RESOURCE_COLUMNS, resources_row
from xds.store.rows import REVISION_COLUMNS, revision_row

REPLIES_KEPT = 24 * 3600.0
"""Seconds for which a retry of a request is known to be one."""


def write_all(db: sqlite3.Connection, write: Write) -> int:
    """Everything in a write; returns the newest entry's number."""
    entry = _add_entry(db, write.entry) if write.entry is not None else newest_entry(db)
    for revision in write.revisions:
        _insert(db, "revisions", REVISION_COLUMNS, revision_row(revision))
        _bring(db, "deployment", revision.deployment, revision.number, entry)
        db.executemany(
            "INSERT OR IGNORE INTO builds (deployment, ref, key) VALUES (?, ?, ?)",
            [(revision.deployment, ref, key) for key, ref in revision.builds.items()],
        )
        _prune(db, revision)
    for given in write.resources:
        _insert(db, "resources", RESOURCE_COLUMNS, resources_row(given))
        _bring(db, "gateway", given.gateway, given.number, entry)
    _write_endpoints(db, write)
    if write.reply is not None:
        _add_reply(db, write.reply)
    db.execute("UPDATE position SET commits = commits + 1")
    return entry


def position(db: sqlite3.Connection) -> int:
    """How many writes there were."""
    number: int = db.execute("SELECT commits FROM position").fetchone()[0]
    return number


def newest_entry(db: sqlite3.Connection) -> int:
    """The number of the newest entry; 0 where there is none."""
    number: int = db.execute("SELECT COALESCE(MAX(number), 0) FROM entries").fetchone()[0]
    return number


def _write_endpoints(db: sqlite3.Connection, write: Write) -> None:
    db.executemany(
        "INSERT OR REPLACE INTO endpoints (source, ref, endpoints) VALUES (?, ?, ?)",
        [(source, ref, endpoints_to_json(given)) for (source, ref), given in write.endpoints.items()],
    )
    db.executemany(
        "INSERT OR REPLACE INTO applied (source, part, digest) VALUES (?, ?, ?)",
        [(source, part, digest) for (source, part), digest in write.applied.items()],
    )
    db.executemany(
        "INSERT OR REPLACE INTO leases (ref, place, endpoint, ttl) VALUES (?, ?, ?, ?)",
        [
            (*place, endpoints_to_json((lease.endpoint,)), lease.ttl)
            for place, lease in write.leases.items()
            if lease is not None
        ],
    )
    db.executemany(
        "DELETE FROM leases WHERE ref = ? AND place = ?",
        [place for place, lease in write.leases.items() if lease is None],
    )
    db.executemany(
        "INSERT OR IGNORE INTO drains (ref, place) VALUES (?, ?)",
        [place for place, drained in write.drains.items() if drained],
    )
    db.executemany(
        "DELETE FROM drains WHERE ref = ? AND place = ?",
        [place for place, drained in write.drains.items() if not drained],
    )


def _prune(db: sqlite3.Connection, head: Revision) -> None:
    """Forget the revisions beyond the limit; a deletion forgets none, so that it can be undone.

    What only brought something back doesn't count (up to ten times the limit), or a few rollbacks would
    push out what the next one is to return to.
    """
    if head.kind == "delete":
        return
    limit = head.spec.revision_history_limit
    beyond = db.execute(
        "SELECT number FROM revisions WHERE deployment = ? AND kind NOT IN ('rollback', 'delete', 'undelete')"
        " ORDER BY number DESC LIMIT 1 OFFSET ?",
        (head.deployment, limit),
    ).fetchone()
    oldest = max(beyond["number"] if beyond else 0, head.number - 10 * limit)
    db.execute("DELETE FROM revisions WHERE deployment = ? AND number <= ?", (head.deployment, oldest))


def _add_entry(db: sqlite3.Connection, entry: Entry) -> int:
    number = _insert(db, "entries", ENTRY_COLUMNS, entry_row(entry))
    db.executemany(
        "INSERT OR IGNORE INTO subjects (subject, entry) VALUES (?, ?)",
        [(subject, number) for subject in entry.subjects],
    )
    return number


def _add_reply(db: sqlite3.Connection, reply: Reply) -> None:
    db.execute("DELETE FROM replies WHERE at < ?", (reply.at - REPLIES_KEPT,))
    _insert(db, "replies", REPLY_COLUMNS, reply_row(reply))


def _bring(db: sqlite3.Connection, kind: str, name: str, number: int, entry: int) -> None:
    _insert(db, "brought", "kind, name, number, entry", (kind, name, number, entry))


def _insert(db: sqlite3.Connection, table: str, columns: str, row: tuple[object, ...]) -> int:
    marks = ", ".join("?" * len(row))
    inserted = db.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", row)  # noqa: S608 (constants)
    return inserted.lastrowid or 0
