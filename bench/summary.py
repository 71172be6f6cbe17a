"""What the results come to: a line a cell, the budgets, and the cells where we need more than the peer."""

import dataclasses
from collections.abc import Callable

from bench.figures import Figure, Results
from bench.plan import Cell
from bench.servers import FLOOR, GO, OURS, USUAL

HEADLINES = {
    "a": "last has it ms",
    "b": "last is ready ms",
    "c": "last has a change made meanwhile ms",
    "d": "first Envoy has all ms",
    "e": "lag p50 ms",
    "f": "lag p50 ms",
    "g": "last has it ms",
    "h": "last of the others has it ms",
    "i": "a stream KB",
}
"""The figure that stands for a work."""

CPU = {work: "server a change cpu_ms" if work in "efh" else "server cpu_ms" for work in "abcdefgh"}
"""And what it cost the server."""


@dataclasses.dataclass(frozen=True)
class Line:
    """A cell in one line.

    Attributes:
        figure: ours, the one that stands for the work.
        cpu: ours, of the server.
    """

    figure: Figure
    cpu: Figure | None


def lines(results: Results) -> list[Line]:
    """The cells, in the order of the works."""
    found = []
    for figure in results.of(OURS):
        if HEADLINES[figure.work] == figure.what:
            same = dataclasses.replace(figure, what=CPU.get(figure.work, ""))
            found.append(Line(figure, results.figures.get((*same.cell, OURS))))
    return found


def behind(results: Results) -> list[Figure]:
    """Where we need more than go-control-plane does in either layout, the farthest first."""
    found = []
    for line in lines(results):
        for figure in filter(None, (line.figure, line.cpu)):
            most = max(results.beside(figure, peer) or 0.0 for peer in (GO, USUAL))
            if round(most, 2) > 1:
                found.append((most, figure))
    return [figure for _, figure in sorted(found, key=lambda each: each[0], reverse=True)]


REAL, PRE_BUILT = "envoy", "pre-built bytes"
"""The work and the peer of `bench.envoys`."""


@dataclasses.dataclass(frozen=True)
class Budget:
    """A promise of DESIGN.md.

    Attributes:
        work: what is done.
        promise: in words.
        most: the figure's upper bound.
        figure: what it is, from the results; None: not measured.
        said: the figure in words, `{}` being its value.
    """

    work: str
    promise: str
    most: float
    figure: Callable[[Results], float | None]
    said: str = "{:.2f}x"

    def judge(self, results: Results) -> tuple[str, str]:
        """The figure in words, and whether it is within the budget."""
        value = self.figure(results)
        if value is None:
            return "-", "not measured"
        said = self.said.format(value)
        if value <= self.most:
            return said, "met"
        return said, f"missed: {value / self.most:.2f}x of it" if self.most else "missed"


def _beside(cell: Cell, what: str, peer: str) -> Callable[[Results], float | None]:
    def ratio(results: Results) -> float | None:
        figure = results.find(cell, what, OURS)
        return results.beside(figure, peer) if figure else None

    return ratio


def _of(cell: Cell, what: str) -> Callable[[Results], float | None]:
    def value(results: Results) -> float | None:
        figure = results.find(cell, what, OURS)
        return figure.median if figure else None

    return value


def _growth(large: Cell, small: Cell, what: str) -> Callable[[Results], float | None]:
    def ratio(results: Results) -> float | None:
        of_large, of_small = results.find(large, what, OURS), results.find(small, what, OURS)
        return of_large.median / of_small.median if of_large and of_small else None

    return ratio


def _over(cell: Cell, what: str, peer: str) -> Callable[[Results], float | None]:
    def difference(results: Results) -> float | None:
        mine, theirs = results.find(cell, what, OURS), results.find(cell, what, peer)
        return mine.median - theirs.median if mine and theirs else None

    return difference


BUDGETS = (
    Budget(
        "weight change -> last of 10,000 Envoys has it, D=100",
        "within 1.3x of the floor",
        1.3,
        _beside(Cell("a", 10_000, 100), "last has it ms", FLOOR),
    ),
    Budget(
        "CPU of a change, D=10,000 beside D=100 (N=100)",
        "at most 1.5x",
        1.5,
        _growth(Cell("a", 100, 10_000), Cell("a", 100, 100), "server cpu_ms"),
    ),
    Budget(
        "bytes to an Envoy for a weight change, D=10,000",
        "under 1 KB",
        1_023,
        _of(Cell("a", 100, 10_000), "to a stream bytes"),
        "{:,.0f} bytes",
    ),
    Budget(
        "start from the store, D=10,000: first answer",
        "within 2 s of process start",
        2_000,
        _of(Cell("d", 1, 10_000), "first answer ms"),
        "{:,.0f} ms",
    ),
    Budget(
        "start from the store, D=10,000: both start at once, until the real Envoy is live",
        "within 1.5x of pre-built bytes",
        1.5,
        _beside(Cell(REAL, 1, 10_000), "cold: both start, until live ms", PRE_BUILT),
    ),
    Budget(
        "10,000 Envoys reconnect, D=100: refused",
        "none",
        0,
        _of(Cell("c", 10_000, 100), "refused count"),
        "{:.0f}",
    ),
    Budget(
        "10,000 Envoys reconnect, D=100: sent to each",
        "nothing it has: the change made meanwhile, under 2 KB with empty answers",
        2_047,
        _of(Cell("c", 10_000, 100), "to a stream bytes"),
        "{:,.0f} bytes",
    ),
    Budget(
        "memory of a connected Envoy, D=10,000",
        "under 50 KB over the floor's",
        50,
        _over(Cell("i", 40, 10_000), "a stream KB", FLOOR),
        "{:.0f} KB more",
    ),
)
