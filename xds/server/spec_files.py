"""The files of the specs folder, as they were read last: only what changed is read again.

A listing says what changed: the stamp of a file (when it was written, its size, which file it is). A stamp
tells nothing about a file that was written a moment before it was read, for it can be written once more
within the same tick of the clock; such a file is read again at the next look, until it has rested. Only a
text that differs is parsed.
"""

import dataclasses
import os
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from xds.spec.faults import Fault
from xds.spec.read import Document, File, read_file
from xds.spec.spanning import spanning

_ENDINGS = (".yaml", ".yml", ".json")
_RESTED = 2_000_000_000
"""Nanoseconds after which a file that is written again has another stamp, on any file system."""

Stamp = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Look:
    """What the folder has.

    Attributes:
        names: of the files that can be read.
        documents: those that were not applied yet, file by file.
        faults: everything that is wrong, with any file.
        warnings: everything that is worth a look, in any file.
    """

    names: frozenset[str]
    documents: tuple[Document, ...]
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]


@dataclasses.dataclass(frozen=True)
class _Seen:
    """A file as it was read; without its documents once they were applied."""

    stamp: Stamp
    has_rested: bool
    text: str
    file: File


class SpecFiles:
    """The files in a folder and below. Not for two threads at a time."""

    def __init__(self, folder: Path, clock: Callable[[], int] = time.time_ns) -> None:
        """Nothing is read yet; `clock` is the one files are stamped by, in nanoseconds."""
        self._folder = folder
        self._clock = clock
        self._seen: dict[str, _Seen] = {}

    def look(self) -> Look:
        """Read what changed since the last look, and compare it with the rest. Blocks."""
        known, self._seen = self._seen, {}
        unreadable = []
        for name in sorted(self._names(), key=_parts):
            try:
                self._seen[name] = self._look_at(name, known.get(name))
            except FileNotFoundError:  # gone since it was listed, as editors and mounted volumes do it
                continue
            except OSError as error:
                problem = f"can't be read: {error.strerror}"
                unreadable.append(Fault(name, 0, "", problem, "check its permissions"))
        files = [seen.file for seen in self._seen.values()]
        faults = [fault for file in files for fault in file.faults]
        faults += [fault for _, fault in spanning(said for file in files for said in file.statements)]
        return Look(
            frozenset(self._seen),
            tuple(document for file in files for document in file.documents),
            (*unreadable, *sorted(faults)),
            tuple(sorted(warning for file in files for warning in file.warnings)),
        )

    def applied(self, names: Collection[str]) -> None:
        """Forget the documents of files that were applied: they are needed no more."""
        for name in names:
            seen = self._seen[name]
            self._seen[name] = dataclasses.replace(seen, file=dataclasses.replace(seen.file, documents=()))

    def _look_at(self, name: str, known: _Seen | None) -> _Seen:
        path = self._folder / name
        said = path.stat()
        stamp = (said.st_mtime_ns, said.st_ctime_ns, said.st_size, said.st_ino, said.st_dev)
        if known is not None and known.has_rested and known.stamp == stamp:
            return known
        has_rested = self._clock() - said.st_ctime_ns > _RESTED
        text = path.read_text(encoding="utf-8", errors="replace")
        if known is not None and known.text == text:
            return dataclasses.replace(known, stamp=stamp, has_rested=has_rested)
        return _Seen(stamp, has_rested, text, read_file(name, text))

    def _names(self) -> Iterator[str]:
        """All but what is hidden: a ConfigMap that is mounted has each file once more in `..2026_11_23`."""
        for folder, folders, names in os.walk(self._folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            below = os.path.relpath(folder, self._folder)
            for name in names:
                if name.endswith(_ENDINGS) and not name.startswith("."):
                    yield name if below == os.curdir else os.path.join(below, name)  # noqa: PTH118 (a name)


def _parts(name: str) -> list[str]:
    """What files are sorted by: what a folder has stands together."""
    return name.split(os.sep)  # noqa: PTH206 (of thousands, at each look)
