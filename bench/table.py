"""The results for people: a row a figure, every server beside ours, and the ratios."""

from rich.console import Console
from rich.table import Table

from bench.figures import Figure, Results
from bench.works import WORKS

OURS, FLOOR = "canary", "floor"
GO = "go-control-plane, ours layout"
USUAL = "go-control-plane, usual layout"


def rows(results: Results) -> list[list[str]]:
    """The header, then what stands in each row."""
    header = ["work", "N", "D", "routes", "figure", OURS, FLOOR, "go-cp", "go-cp, usual"]
    header += ["/ floor", "/ go-cp", "/ usual"]
    found = [header]
    for figure in results.of(OURS):
        mode = figure.mode if figure.dialect == "delta" else f"{figure.mode}, {figure.dialect}"
        what, _, unit = figure.what.rpartition(" ")
        row = [figure.work, f"{figure.streams:,}", f"{figure.deployments:,}", mode, f"{what}, {unit}"]
        row.append(number(figure.median))
        row += [_of(results, figure, peer) for peer in (FLOOR, GO, USUAL)]
        row += [_ratio(results.beside(figure, peer)) for peer in (FLOOR, GO, USUAL)]
        found.append([text.replace(", cpu_ms", ", CPU ms").replace(", count", "") for text in row])
    return found


def show(results: Results, console: Console) -> None:
    """Print it."""
    header, *body = rows(results)
    grid = Table(
        title="this server and its peers, medians; go-cp: go-control-plane in our layout and in its usual one"
    )
    for place, title in enumerate(header):
        grid.add_column(title, justify="left" if place in (0, 3, 4) else "right")
    last = ""
    for row in body:
        if row[0] != last:
            grid.add_section()
            grid.add_row(row[0], "", "", "", WORKS[row[0]], style="bold")
        last = row[0]
        grid.add_row(*row)
    console.print(grid)
    for note in results.notes:
        console.print(f"- {note}", style="yellow")


def number(value: float) -> str:
    """Three digits are enough."""
    if abs(value) >= 100:  # noqa: PLR2004
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _of(results: Results, figure: Figure, peer: str) -> str:
    other = results.figures.get((*figure.cell, peer))
    return number(other.median) if other else "-"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
