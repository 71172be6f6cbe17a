"""Revisions as rows."""

import json
import sqlite3

from pydantic_core import from_json as parsed

from xds.revisions.record import Note, Revision
from xds.slots.table import Segment, SlotTable
from xds.spec.write import from_json, to_json

REVISION_COLUMNS = "deployment, number, kind, spec, labels, builds, slots, author, at, comment, source"


def revision_row(revision: Revision) -> tuple[object, ...]:
    """The values of `REVISION_COLUMNS`."""
    return (
        revision.deployment,
        revision.number,
        revision.kind,
        to_json(revision.spec),
        json.dumps(revision.labels),
        json.dumps(revision.builds),
        json.dumps([[segment.owner, segment.size] for segment in revision.slots]),
        revision.note.author,
        revision.note.at,
        revision.note.comment,
        revision.source,
    )


def revision_of(row: sqlite3.Row) -> Revision:
    """The revision of a row with `REVISION_COLUMNS`."""
    return Revision(
        number=row["number"],
        kind=row["kind"],
        spec=from_json(row["spec"]),
        labels=parsed(row["labels"]),
        builds=parsed(row["builds"]),
        slots=SlotTable(tuple(Segment(owner, size) for owner, size in parsed(row["slots"]))),
        note=Note(row["author"], row["at"], row["comment"]),
        source=row["source"],
    )
