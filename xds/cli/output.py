"""Results on stdout: JSON, YAML, or tables.

Tables are rich's on a terminal, where long texts are wrapped and names never are: what doesn't fit then is
the terminal's to wrap. In a pipe they are plain, as wide as their content: no cell is cut off or wrapped, so
that `canary list | grep` sees whole lines. NO_COLOR means no escape sequences at all.
What writes YAML and tables is imported where they are written: together they take as long as a call.
"""

import json
import os
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

import click

from xds.cli.columns import Column, fitted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_ANY_WIDTH = 100_000
"""Columns; more than any row has."""
_GAP = 3
"""Columns between two of a table."""


def print_json(data: object) -> None:
    """Print data as indented JSON."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def print_yaml(*documents: object) -> None:
    """Print YAML, one document or several."""
    click.echo(write_yaml(*documents), nl=False)


def write_yaml(*documents: object) -> str:
    """Write YAML, one document or several, keys in their order."""
    import yaml  # noqa: PLC0415 (see above)

    text: str = yaml.dump_all(
        documents,
        Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper),
        explicit_start=len(documents) > 1,
        sort_keys=False,
        allow_unicode=True,
        width=_ANY_WIDTH,
    )
    return text


def is_data(output: str) -> bool:
    """Whether an output is for programs: `json` or `yaml`."""
    return output in {"json", "yaml"}


def print_data(data: object, output: str) -> None:
    """Print data as `json` or `yaml`."""
    (print_json if output == "json" else print_yaml)(data)


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, optional: Collection[str] = ()
) -> None:
    """Print rows under headings; an optional column that is empty throughout is left out."""
    from rich.table import Table  # noqa: PLC0415 (see above)

    console = _console()
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    rows = list(rows)
    kept = [
        place
        for place, column in enumerate(columns)
        if column not in optional or any(row[place] for row in rows)
    ]
    shown = [Column(columns[place], [printable(row[place]) for row in rows]) for place in kept]
    widths = fitted(shown, console.width - _GAP * len(shown))
    for column, width in zip(shown, widths, strict=True):
        table.add_column(column.title, width=width, overflow="fold")
    for row in range(len(rows)):
        table.add_row(*(column.wrapped(row, width) for column, width in zip(shown, widths, strict=True)))
    console.width = max(console.width, sum(widths) + _GAP * len(widths))
    _print(table, console)


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """Print lines of a name and a value."""
    from rich.table import Table  # noqa: PLC0415 (see above)

    grid = Table.grid(padding=(0, _GAP, 0, 0))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for fact, value in facts:
        grid.add_row(fact, printable(value))
    _print(grid, _console())


def print_names(names: Iterable[str]) -> None:
    """Print names, one a line: `-o name`."""
    for name in names:
        click.echo(printable(name))


def print_diff(text: str) -> None:
    """Print a unified diff, in colour on a terminal."""
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in text.splitlines():
        shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)
        click.echo(click.style(shown, fg=colours.get(line[:1])), color=None if _coloured() else False)


def warn(*warnings: str) -> None:
    """Print warnings on stderr, one a line."""
    for warning in warnings:
        click.echo(f"warning: {printable(warning)}", err=True)


def counted(number: int, what: str) -> str:
    """`1 deployment`, `2 deployments`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def printable(text: str) -> str:
    """One line without control characters, whatever somebody wrote into a comment."""
    return "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in " ".join(text.split())
    )


def _coloured() -> bool:
    return not os.environ.get("NO_COLOR")


def _console() -> "Console":
    from rich.console import Console  # noqa: PLC0415 (see above)

    console = Console(
        markup=False,
        emoji=False,
        highlight=False,
        color_system="auto" if _coloured() else None,
    )
    if not console.is_terminal:
        console.width = _ANY_WIDTH
    return console


def _print(table: "Table", console: "Console") -> None:
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip(), color=console.is_terminal)
