"""How wide the columns of a table are, where the terminal is narrower than all of them.

Names, numbers and moments are never wrapped: they are to be read at a glance, and copied. Lists are wrapped
between their items, texts between words. What doesn't fit even then is the terminal's to wrap.
"""

import dataclasses
from collections.abc import Sequence
from functools import cached_property

_SHORT = 20
"""Characters; a cell that is no longer isn't wrapped."""
_COMMA = ", "


@dataclasses.dataclass(frozen=True)
class Column:
    """A heading, and the cells under it."""

    title: str
    cells: Sequence[str]

    @cached_property
    def most(self) -> int:
        """Characters it takes unwrapped."""
        return max(map(len, [self.title, *self.cells]))

    @cached_property
    def least(self) -> int:
        """Characters it takes at its narrowest."""
        if max(map(len, self.cells), default=0) <= _SHORT:
            return self.most
        words = [word for cell in self.cells for word in _parts(cell)]
        return max(map(len, [self.title, *words]))

    def wrapped(self, row: int, width: int) -> str:
        """A cell with its lines; those of a text are left to be made."""
        cell = self.cells[row]
        if len(cell) <= width or not _is_list(cell):
            return cell
        lines = [""]
        for part in _parts(cell):
            longer = f"{lines[-1]} {part}".lstrip()
            if len(longer) <= width:
                lines[-1] = longer
            else:
                lines.append(part)
        return "\n".join(lines)


def fitted(columns: Sequence[Column], room: int) -> list[int]:
    """The width of each column: what it takes, or if there isn't room enough, its part of what there is."""
    if sum(column.most for column in columns) <= room:
        return [column.most for column in columns]
    widths = [column.least for column in columns]
    spare = room - sum(widths)
    while spare > 0:
        for at, column in enumerate(columns):
            if widths[at] < column.most and spare > 0:
                widths[at] += 1
                spare -= 1
    return widths


def _is_list(cell: str) -> bool:
    items = cell.split(_COMMA)
    return len(items) > 1 and max(map(len, items)) <= _SHORT


def _parts(cell: str) -> list[str]:
    """What stays on a line: the items of a list, with their commas, or words."""
    if not _is_list(cell):
        return cell.split()
    *items, last = cell.split(_COMMA)
    return [*(f"{item}," for item in items), last]
