"""What `make bench` measures: the cells, in order, and what they are expected to take.

A cell is N Envoys on a server with D deployments, and the works that are done there. Not every N meets every
D: 10,000 Envoys that hold 10,000 deployments each would be sent 220 GB. So that everything fits one run:

- (a), (g): D=100 with N from 1 to 10,000; N=100 with D from 10 to 10,000. One fleet stays connected through
  all changes.
- (b), (c): the same cells, and N=10 with D=10,000. At N=10,000 a run of all servers takes minutes: it is
  made three times at D=10 and once at D=100; the tables say so.
- (d): D from 10 to 10,000.
- (e), (f): N=100 and N=1,000 with D=100. (e) lasts the minute that it must, (f) a third of it; both are cut
  into slices, and medians are over the slices.
- (h): `table` routes and D=1,000, 600 KB a change: enough to fill a reader's window and the sockets.
- (i): N=1,000 with D=100; N=50 with D=10,000.

`scoped` routes and the delta dialect unless a cell says otherwise: `table` and state-of-the-world are
compared at N=100.
"""

import dataclasses
from collections.abc import Iterable

WORKS = {
    "a": "one weight change",
    "b": "connect storm",
    "c": "reconnect storm, versions known",
    "d": "cold start from the store",
    "e": "100 changes a second",
    "f": "endpoint churn, 100 changes a second",
    "g": "rollback",
    "h": "one stuck reader",
    "i": "memory",
}


@dataclasses.dataclass(frozen=True)
class Cell:
    """One place in the table.

    Attributes:
        works: letters of WORKS.
        streams: how many Envoys.
        deployments: how many.
        mode: how routes are laid out, `scoped` or `table`.
        dialect: `delta` or `sotw`.
        changes: runs of (a) and (g).
        storms: runs of (b), (c) and (d).
        seconds: how long (e) lasts; (f) takes a third of it.
        canned: whether the canned sender shows what the load client can take.
    """

    works: str
    streams: int
    deployments: int
    mode: str = "scoped"
    dialect: str = "delta"
    changes: int = 7
    storms: int = 5
    seconds: float = 60.0
    canned: bool = False

    @property
    def title(self) -> str:
        """`ag N=100 D=10 scoped delta`: as results remember it."""
        return f"{self.works} N={self.streams} D={self.deployments} {self.mode} {self.dialect}"

    def only(self, works: str) -> "Cell":
        """With no more than these works."""
        return dataclasses.replace(self, works="".join(each for each in self.works if each in works))

    @property
    def expected(self) -> float:
        """Seconds for all four servers on two quiet cores: a rule of thumb."""
        n, d = self.streams, self.deployments
        start = 12 + 0.004 * d
        connect = n * (0.012 + 0.0003 * d)
        reconnect = n * (0.011 + 0.00005 * d)
        change = 2.5 + n * (0.0005 + (0.00002 if self.mode == "table" else 0.000005) * d)
        spent = {
            "a": self.changes * change,
            "b": self.storms * connect,
            "c": self.storms * reconnect,
            "d": self.storms * (10 + 0.0015 * d),
            "e": 4.2 * self.seconds,
            "f": 4.2 * self.seconds / 3,
            "g": self.changes * change,
            "h": connect + 10 * change,
            "i": connect + 20,
        }
        first = 0.0 if {"b", "d"} & set(self.works) else connect
        return start + first + sum(spent[work] for work in self.works)


PLAN = (
    Cell("ag", 1, 100, changes=11),
    Cell("abcg", 100, 10),
    Cell("abcg", 100, 100),
    Cell("abcg", 100, 1_000),
    Cell("abcg", 1_000, 100, canned=True),
    Cell("d", 1, 10),
    Cell("d", 1, 100),
    Cell("d", 1, 1_000),
    Cell("d", 1, 10_000),
    Cell("abcg", 100, 10, "table"),
    Cell("abcg", 100, 100, "table"),
    Cell("abcg", 100, 1_000, "table", storms=3),
    Cell("abcg", 100, 100, "scoped", "sotw"),
    Cell("h", 100, 1_000, "table"),
    Cell("bc", 10, 10_000),
    Cell("ag", 100, 10_000),
    Cell("i", 1_000, 100),
    Cell("i", 50, 10_000),
    Cell("ef", 100, 100),
    Cell("ef", 1_000, 100),
    Cell("abcg", 10_000, 100, storms=1),
    Cell("abcg", 10_000, 10, storms=3, canned=True),
)

QUICK = (
    Cell("abcg", 10, 10, changes=3, storms=2),
    Cell("abcg", 100, 100, changes=3, storms=2, canned=True),
    Cell("d", 1, 100, storms=2),
    Cell("ef", 100, 100, seconds=6),
    Cell("h", 20, 1_000, "table"),
    Cell("i", 100, 100),
)


def chosen(
    cells: Iterable[Cell],
    works: str = "".join(WORKS),
    streams: Iterable[int] = (),
    deployments: Iterable[int] = (),
    modes: Iterable[str] = (),
) -> tuple[Cell, ...]:
    """Those of the cells that have what is asked for; an empty choice leaves everything."""
    found = []
    for cell in cells:
        asked = (
            (streams, cell.streams),
            (deployments, cell.deployments),
            (modes, cell.mode),
        )
        if all(value in wanted for wanted, value in asked if wanted):
            found.append(cell.only(works))
    return tuple(cell for cell in found if cell.works)


def minutes(cells: Iterable[Cell]) -> float:
    """How long they are expected to take, with the stores they need."""
    cells = tuple(cells)
    stores = sum(3 + 0.006 * each for each in {cell.deployments for cell in cells})
    begun = sum(8 + 0.001 * d for _, d in {(cell.mode, cell.deployments) for cell in cells})
    return (stores + begun + sum(cell.expected for cell in cells)) / 60
