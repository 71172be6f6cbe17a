"""What `-f` names: a file, a folder of files, or stdin, as texts with the names messages use."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from xds.cli.failures import Failure

STDIN = "-"
SUFFIXES = (".yaml", ".yml", ".json")


def read_sources(sources: Iterable[str]) -> list[tuple[str, str]]:
    """Read everything the sources name.

    Returns:
        (name, text) of each file: sources in their order, a folder's files by name.

    Raises:
        Failure: a file can't be read or is no text, or a folder has no deployment files.
    """
    return [(name, _text(name, raw)) for source in sources for name, raw in _bytes(source)]


def _bytes(source: str) -> Iterator[tuple[str, bytes]]:
    if source == STDIN:
        yield "stdin", sys.stdin.buffer.read()
        return
    path = Path(source)
    for file in _files(path) if path.is_dir() else [path]:
        try:
            yield str(file), file.read_bytes()
        except OSError as error:
            raise Failure(f"{file}: {error.strerror} (make it readable, or name another)") from error


def _files(folder: Path) -> list[Path]:
    files = sorted(
        path for path in folder.iterdir() if path.suffix in SUFFIXES and not path.name.startswith(".")
    )
    if not files:
        raise Failure(f"{folder}: no deployment files in this folder (they end in {', '.join(SUFFIXES)})")
    return files


def _text(name: str, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Failure(f"{name}: byte {error.start} is not UTF-8 (save the file as UTF-8)") from error
