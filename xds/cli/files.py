"""What `-f` names: a file, a folder of files, or stdin, as texts with the names messages use."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from xds.cli.failures import Failure, Faulty
from xds.spec.faults import Fault

STDIN = "-"
SUFFIXES = (".yaml", ".yml", ".json")


def read_sources(
    sources: Iterable[str], *, strict: bool = False, deployments: bool = True
) -> list[tuple[str, str]]:
    """Read everything the sources name.

    Args:
        sources: files, folders, or stdin.
        strict: unknown keys are faults; of use where a file that can't be read goes with others.
        deployments: they are deployment files, and what is wrong with them can be told here.

    Returns:
        (name, text) of each file: sources in their order, a folder's files by name.

    Raises:
        Failure: a folder has no deployment files.
        Faulty: a file can't be read or is no text. What is wrong with the others comes along, for
            they go no further either.
    """
    texts: list[tuple[str, str]] = []
    faults: list[Fault] = []
    for name, found in (each for source in sources for each in _texts(source)):
        if isinstance(found, Fault):
            faults.append(found)
        else:
            texts.append((name, found))
    if faults:
        from xds.spec.read import read  # noqa: PLC0415 (the server reads what goes further)

        others = read(texts, strict=strict).faults if deployments else ()
        raise Faulty(sorted([*faults, *others]))
    return texts


def _texts(source: str) -> Iterator[tuple[str, str | Fault]]:
    if source == STDIN:
        yield "stdin", _text("stdin", sys.stdin.buffer.read())
        return
    path = Path(source)
    for file in _files(path) if path.is_dir() else [path]:
        try:
            yield str(file), _text(str(file), file.read_bytes())
        except OSError as error:
            yield str(file), Fault(str(file), 0, "", str(error.strerror), "make it readable, or name another")


def _files(folder: Path) -> list[Path]:
    files = sorted(
        path for path in folder.iterdir() if path.suffix in SUFFIXES and not path.name.startswith(".")
    )
    if not files:
        raise Failure(f"{folder}: no deployment files in this folder (they end in {', '.join(SUFFIXES)})")
    return files


def _text(name: str, raw: bytes) -> str | Fault:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return Fault(name, line, "", f"byte {error.start} is not UTF-8", "save the file as UTF-8")
