"""What commands print, kept in files: `UPDATE_GOLDEN=1 pytest tests/cli` writes them anew."""

import os
import re
from pathlib import Path

import click.testing

FOLDER = Path(__file__).parent / "golden"
_PORT = re.compile(r"127\.0\.0\.1:\d+")
_TIME = re.compile(r'("milliseconds": |Took +)[\d.]+')


def transcript(args: tuple[str, ...], result: click.testing.Result) -> str:
    """A run as a person would copy it from a terminal; ports and times are left out."""
    said = [f"$ canary {' '.join(args)}\n", result.stdout]
    said += [f"# stderr\n{result.stderr}"] if result.stderr else []
    said += [f"# exit {result.exit_code}\n"] if result.exit_code else []
    return _TIME.sub(r"\g<1>N", _PORT.sub("127.0.0.1:PORT", "".join(said)))


def check(name: str, text: str) -> None:
    """Compare with `golden/<name>.txt`."""
    file = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        FOLDER.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8"), f"{file} differs; UPDATE_GOLDEN=1 writes it anew"
