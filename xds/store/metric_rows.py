"""What versions did, minute by minute, as rows: a day of them, and never more than a file can bear."""

import sqlite3
from collections.abc import Iterable

from xds.telemetry.archive import Minute
from xds.telemetry.series import DAY

MOST = 300_000
"""Rows, some 60 MB; beyond, the oldest go."""


def read_minutes(db: sqlite3.Connection, since: float) -> list[Minute]:
    """All that began since then, oldest first."""
    rows = db.execute(
        "SELECT deployment, build, gateway, revision, start, packed FROM metric_minutes"
        " WHERE start >= ? ORDER BY start",
        (since,),
    )
    return [((row[0], row[1], row[2], row[3]), row[4], row[5]) for row in rows]


def write_minutes(db: sqlite3.Connection, minutes: Iterable[Minute], now: float) -> None:
    """Add them, in place of what was there for the same series and minute; and forget the oldest."""
    db.executemany(
        "INSERT OR REPLACE INTO metric_minutes (deployment, build, gateway, revision, start, packed)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [(*key, start, packed) for key, start, packed in minutes],
    )
    db.execute("DELETE FROM metric_minutes WHERE start < ?", (now - DAY,))
    excess = db.execute("SELECT COUNT(*) FROM metric_minutes").fetchone()[0] - MOST
    if excess > 0:
        db.execute(
            "DELETE FROM metric_minutes WHERE start <="
            " (SELECT start FROM metric_minutes ORDER BY start LIMIT 1 OFFSET ?)",
            (excess - 1,),
        )
