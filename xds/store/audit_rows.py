"""Entries of the audit and replies as rows."""

import json
import sqlite3

from xds.revisions.record import Note
from xds.store.records import Entry, Reply

ENTRY_COLUMNS = "verb, subjects, outcome, request, author, at, comment"
REPLY_COLUMNS = "request, digest, at, revisions"


def entry_row(entry: Entry) -> tuple[object, ...]:
    """The values of `ENTRY_COLUMNS`."""
    note = entry.note
    head = (entry.verb, json.dumps(entry.subjects), entry.outcome, entry.request)
    return (*head, note.author, note.at, note.comment)


def entry_of(row: sqlite3.Row) -> Entry:
    """The entry of a row with `ENTRY_COLUMNS`."""
    return Entry(
        note=Note(row["author"], row["at"], row["comment"]),
        verb=row["verb"],
        subjects=tuple(json.loads(row["subjects"])),
        outcome=row["outcome"],
        request=row["request"],
    )


def reply_row(reply: Reply) -> tuple[object, ...]:
    """The values of `REPLY_COLUMNS`."""
    return reply.request, reply.digest, reply.at, json.dumps(dict(reply.revisions))


def reply_of(row: sqlite3.Row) -> Reply:
    """The reply of a row with `REPLY_COLUMNS`."""
    revisions = {name: (number, new) for name, (number, new) in json.loads(row["revisions"]).items()}
    return Reply(row["request"], row["digest"], row["at"], revisions)
