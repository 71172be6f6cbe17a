"""What `make bench` measures: the cells, in order, and what they are expected to take.

A cell is N Envoys on a server with D deployments, and the works that are done there. Not every N meets every
D: 10,000 Envoys that hold 10,000 deployments each would be sent 220 GB. So that everything fits one run:

- (a), (g): D=100 with N from 1 to 10,000; N=100 with D from 10 to 10,000. One fleet stays connected through
  all changes.
- (b), (c): the same cells, but N=10 with D=10,000. At N=10,000 a run of all servers takes minutes: it is made
  three times at D=10 and once at D=100; the tables say so. go-control-plane in its usual layout would send
  620 MB there for each change: it is left out at D=100, as it is where 100 Envoys hold 10,000 deployments.
- (d): D from 10 to 10,000.
- (e), (f): N=100 and N=1,000 with D=100, without the usual layout. (e) lasts the minute that it must, (f) a
  fifth of it; both are cut into slices, and medians are over the slices.
- (h): `table` routes and D=1,000, 600 KB a change: enough to fill a reader's window and the sockets.
- (i): N=1,000 with D=100; N=40 with D=10,000.

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


CHURN = 5


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
        seconds: how long (e) lasts; (f) takes a CHURN-th of it.
        canned: whether the canned sender shows what the load client can take.
        usual: whether go-control-plane is measured in its usual layout, too.
    """

    works: str
    streams: int
    deployments: int
    mode: str = "scoped"
    dialect: str = "delta"
    changes: int = 5
    storms: int = 5
    seconds: float = 60.0
    canned: bool = False
    usual: bool = True

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
        servers = 4 if self.usual else 3
        connect = n * (0.006 + 0.00012 * d)
        reconnect = n * (0.006 + 0.00004 * d)
        change = 1.6 + n * (0.0004 + (0.00002 if self.usual else 0.000004) * d)
        start = 6 + 0.001 * d
        spent = {
            "a": self.changes * change,
            "b": (self.storms - 1) * connect,
            "c": self.storms * reconnect,
            "d": self.storms * start,
            "e": servers * self.seconds,
            "f": servers * self.seconds / CHURN,
            "g": self.changes * change,
            "h": 10 * change,
            "i": connect,
        }
        return start + (connect if self.works != "d" else 0.0) + sum(spent[work] for work in self.works)


PLAN = (
    Cell("ag", 1, 100, changes=9),
    Cell("abcg", 100, 10),
    Cell("abcg", 100, 100),
    Cell("abcg", 100, 1_000),
    Cell("abcg", 1_000, 100, canned=True),
    Cell("d", 1, 10),
    Cell("d", 1, 100),
    Cell("d", 1, 1_000),
    Cell("d", 1, 10_000),
    Cell("abcg", 100, 100, "table"),
    Cell("abcg", 100, 1_000, "table", storms=3),
    Cell("abcg", 100, 100, "scoped", "sotw"),
    Cell("h", 100, 1_000, "table"),
    Cell("abcg", 10, 10_000),
    Cell("ag", 100, 10_000, usual=False),
    Cell("i", 1_000, 100),
    Cell("i", 40, 10_000, usual=False),
    Cell("abcg", 10_000, 100, storms=1, usual=False),
    Cell("ef", 100, 100, usual=False),
    Cell("ef", 1_000, 100, usual=False),
    Cell("abcg", 10_000, 10, storms=3, canned=True),
)

QUICK = (
    Cell("abcg", 10, 10, changes=3, storms=2),
    Cell("abcg", 100, 100, changes=3, storms=2, canned=True),
    Cell("d", 1, 100, storms=2),
    Cell("ef", 100, 100, seconds=10, usual=False),
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
    stores = sum(3 + 0.004 * each for each in {cell.deployments for cell in cells})
    begun = sum(5 + 0.001 * d for _, d in {(cell.mode, cell.deployments) for cell in cells})
    return (stores + begun + sum(cell.expected for cell in cells)) / 60
