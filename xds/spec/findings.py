"""What is found while a document is read: faults and warnings, each with its line.

Reading goes on after a fault, so that all of them come out at once. What depends on something
faulty is not judged: `spoiled` says whether a place, something above it or something below it is.
"""

import json
import re
from collections.abc import Callable

from pydantic_core import PydanticCustomError

from xds.spec.complaint import parts_of
from xds.spec.faults import Fault

Path = tuple[str | int, ...]
"""The keys and list positions that lead to a value."""

_PLAIN_KEY = re.compile(r"[\w:@/+-]+")


def dotted(path: Path) -> str:
    """`canary.versions.a.endpoints[1]`; keys with dots or spaces are quoted."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            key = step if _PLAIN_KEY.fullmatch(step) else json.dumps(step, ensure_ascii=False)
            text += f".{key}" if text else key
    return text


class Findings:
    """The faults and warnings of one document."""

    def __init__(self, file: str, line_of: Callable[[Path], int] = lambda _: 0) -> None:
        """Nothing found yet.

        Args:
            file: the name the text came under.
            line_of: the line a path stands in (or, of a missing one, the line of what is above it).
        """
        self.file = file
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []
        self._line_of = line_of
        self._faulty: set[Path] = set()
        self._above_faults: set[Path] = set()
        self._written: dict[Path, Path] = {}

    def written_as(self, path: Path, written: Path) -> None:
        """Note that the file has another key (a synonym) where we speak of `path`."""
        self._written[path] = written

    def fault(self, path: Path, message: str, mend: str = "") -> None:
        """Note something wrong."""
        self._mark(path)
        self.faults.append(self._note(path, message, mend))

    def fault_at(self, line: int, path: Path, message: str, mend: str = "") -> None:
        """Note something wrong with a line, whatever else stands at its path."""
        self._mark(path)
        self.faults.append(Fault(self.file, line, dotted(path), message, mend))

    def warn(self, path: Path, message: str, mend: str = "") -> None:
        """Note something worth a look."""
        self.warnings.append(self._note(path, message, mend))

    def wrong(self, path: Path, error: PydanticCustomError) -> None:
        """Note what a validator raised."""
        self.fault(path, *parts_of(error))

    def spoiled(self, path: Path) -> bool:
        """Whether there is a fault at, above or below `path`."""
        return path in self._above_faults or any(
            path[:length] in self._faulty for length in range(len(path) + 1)
        )

    def line_of(self, path: Path) -> int:
        """The line `path` stands in."""
        return self._line_of(self._written.get(path, path))

    def _mark(self, path: Path) -> None:
        self._faulty.add(path)
        self._above_faults.update(path[:length] for length in range(len(path) + 1))

    def _note(self, path: Path, message: str, mend: str) -> Fault:
        written = self._written.get(path, path)
        return Fault(self.file, self._line_of(written), dotted(written), message, mend)
