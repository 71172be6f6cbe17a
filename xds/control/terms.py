"""What a caller says about a write besides what is to change."""

import dataclasses
import time

from xds.revisions.record import Note


@dataclasses.dataclass(frozen=True)
class Terms:
    """Who writes, why, and under which conditions.

    Attributes:
        author: who.
        comment: why.
        request: the request's id, which makes a retry safe; "" for none.
        dry_run: say what would happen, and do nothing.
        expected: the revision that is to be in force still (0: none is); None: whatever is.
        force: although a version has too few usable endpoints.
    """

    author: str
    comment: str = ""
    request: str = ""
    dry_run: bool = False
    expected: int | None = None
    force: bool = False

    def note(self) -> Note:
        """The same as a record has it, as of now."""
        return Note(self.author, time.time(), self.comment)
