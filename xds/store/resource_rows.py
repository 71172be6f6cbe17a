"""Sets of Envoy resources as rows."""

import json
import sqlite3

from xds.revisions.record import Note
from xds.revisions.resources import ResourceSet

RESOURCE_COLUMNS = "gateway, number, kind, contents, author, at, comment, source"


def resources_row(given: ResourceSet) -> tuple[object, ...]:
    """The values of `RESOURCE_COLUMNS`."""
    note = given.note
    contents = json.dumps(given.contents)
    head = (given.gateway, given.number, given.kind, contents)
    return (*head, note.author, note.at, note.comment, given.source)


def resources_of(row: sqlite3.Row) -> ResourceSet:
    """The set of a row with `RESOURCE_COLUMNS`."""
    return ResourceSet(
        gateway=row["gateway"],
        number=row["number"],
        kind=row["kind"],
        contents=tuple(json.loads(row["contents"])),
        note=Note(row["author"], row["at"], row["comment"]),
        source=row["source"],
    )
