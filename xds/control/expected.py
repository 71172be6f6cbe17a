"""Optimistic concurrency: is still in force what the caller saw?"""

import datetime as dt

from xds.control.terms import Terms
from xds.errors import Conflict
from xds.revisions.record import Note, Revision


def check_expected(name: str, newest: Revision | None, terms: Terms) -> None:
    """Make sure that what the caller expects is in force (a deletion: by its number, or 0).

    Raises:
        Conflict: something else is; the message says what, by whom, when.
    """
    if terms.expected is None:
        return
    deleted = newest is not None and newest.kind == "delete"
    if newest is None or (deleted and terms.expected == 0):
        fits, there_is = terms.expected == 0, f"{name} isn't there"
    else:
        fits = terms.expected == newest.number
        there_is = f"revision {newest.number} of {name} is in force ({newest.kind} {said_by(newest.note)})"
    if not fits:
        raise Conflict(f"{there_is}, not {terms.expected}; nothing was changed; look at it, then repeat")


def said_by(note: Note) -> str:
    """`by ada at 2026-11-23 09:30:00Z`."""
    at = dt.datetime.fromtimestamp(note.at, dt.UTC)
    return f"by {note.author} at {at:%Y-%m-%d %H:%M:%SZ}"
