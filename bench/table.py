"""The results for people: a row a figure, every server beside ours, and the ratios."""

from rich.console import Console
from rich.table import Table

from bench.figures import Figure, Results
from bench.plan import WORKS
from bench.servers import FLOOR, GO, OURS, USUAL

PEERS = (FLOOR, GO, USUAL)
HEADER = [
    "N",
    "D",
    "routes",
    "figure",
    OURS,
    FLOOR,
    "go-cp",
    "go-cp, usual",
    "/ floor",
    "/ go-cp",
    "/ usual",
    "runs",
]


def rows(results: Results, work: str) -> list[list[str]]:
    """What stands in each row of a work, under HEADER."""
    return [_row(results, figure) for figure in results.of(OURS) if figure.work == work]


def show(results: Results, console: Console) -> None:
    """Print it."""
    grid = Table(
        title="this server and its peers, medians; go-cp: go-control-plane in our layout and in its usual one"
    )
    for place, title in enumerate(HEADER):
        grid.add_column(title, justify="left" if place in {2, 3} else "right")
    for work, said in WORKS.items():
        body = rows(results, work)
        if body:
            grid.add_section()
            grid.add_row("", "", "", f"({work}) {said}", style="bold")
        for row in body:
            grid.add_row(*row)
    console.print(grid)
    for note in results.notes:
        console.print(f"- {note}", style="yellow")


def number(value: float) -> str:
    """Three digits are enough."""
    if abs(value) >= 100:  # noqa: PLR2004
        return f"{value:,.0f}"
    return f"{value:.3g}"


def ratio(value: float | None) -> str:
    """Two digits behind the point."""
    return "-" if value is None else f"{value:.2f}"


def place(figure: Figure) -> list[str]:
    """Streams, deployments, how routes are laid out."""
    mode = figure.mode if figure.dialect == "delta" else f"{figure.mode}, {figure.dialect}"
    return [f"{figure.streams:,}", f"{figure.deployments:,}", mode]


def values(results: Results, figure: Figure) -> list[str]:
    """Ours, and the peers'."""
    others = [results.figures.get((*figure.cell, peer)) for peer in PEERS]
    return [number(figure.median), *(number(other.median) if other else "-" for other in others)]


def ratios(results: Results, figure: Figure) -> list[str]:
    """Ours divided by the peers'."""
    return [ratio(results.beside(figure, peer)) for peer in PEERS]


def called(figure: Figure) -> str:
    """What was measured, with its unit."""
    return f"{figure.name}, {figure.unit}" if figure.unit else figure.name


def _row(results: Results, figure: Figure) -> list[str]:
    runs = str(len(figure.runs))
    return [*place(figure), called(figure), *values(results, figure), *ratios(results, figure), runs]
