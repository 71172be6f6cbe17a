"""docs/performance.md, written from the committed results.

python -m bench.page [RESULTS]
"""

import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench import chart, figures, table
from bench.figures import Figure, Results
from bench.plan import WORKS
from bench.programs import ROOT
from bench.servers import CANNED, GO, OURS, USUAL
from bench.summary import BUDGETS, PRE_BUILT, Line, behind, lines

REFERENCE = Path(__file__).parent / "results" / "reference.json"
ENVOYS = REFERENCE.with_suffix(".envoys.json")
PAGE = ROOT / "docs" / "performance.md"

INTRODUCTION = """# Performance

What this server costs beside go-control-plane and beside the **floor**: a bare grpc.aio loop that writes
the very bytes this server was recorded to send. All are measured in one run, on the same two cores, by the
same simulated Envoys. N is how many Envoys, D how many deployments (three versions on one host each).
This page is written by `python -m bench.page` from `bench/results/reference.json`.

Figures are medians. A ratio below 1 means: we need less. Compare within a row.

![our figures divided by the peers'](../bench/results/reference.svg)
"""

METHOD = """## How it is measured

- **Envoys** are simulated (`bench/client`, Go): a connection and a stream each, subscriptions and ACKs
  like Envoy's, a first request of 60 KB, HTTP/2 windows of 256 MB.
- **go-control-plane** (snapshot cache) runs with our resources ("our layout"), and with one
  RouteConfiguration and one entry a version ("usual layout"). It is treated well: one snapshot for all
  Envoys, a new version for the changed type alone, unchanged messages shared.
- **This server does more**: it commits each change to its store before it tells anybody, and knows of every
  Envoy what it has applied. The peers do neither.
- **(d)** counts from the start of the process, reading included: ours reads a store that was served
  before; the floor and go-control-plane read a file with what ours was recorded to send, ready made.
- **The same work**: every run compares what Envoys hold, and the bytes each was sent: within 2 % of ours
  for the floor; for go-control-plane in our layout, too, but for the versions of resources, which have 64
  characters there and 16 here. Differences stand at the end of this page.
- *last has it*: from the call until the last Envoy has the change. *server rests*: until the server has
  taken in the last ACK and uses no CPU any more. CPU is that of all the process's threads.
- **(e)**, **(f)** are cut into six slices; medians are over them. The floor writes what ours was recorded
  to write, when it wrote it: it has no lag of its own.
- **(h)**: the stuck Envoy's window is 64 KB, so it is full at once. The floor has no notion of a slow
  reader.
- **(i)**: Envoys connect one after the other, so that only what is kept counts.

Besides: `python -m bench.workers` (more than one process on the port), `python -m bench.envoys` (the real
Envoy with many deployments, and many real Envoys), `python -m bench.specs` (a folder with many specs),
`python -m bench.telemetry` (what reports cost), `python -m bench.model_routing` (routing by the model in
the body).
"""


def write(source: Path) -> str:
    """The page."""
    found, machine, command = figures.load(source)
    parts = [INTRODUCTION, f"Made by `{command}`{_resumed(found)} on:\n"]
    parts.append("\n".join(f"- {fact}: {value}" for fact, value in machine.items()) + "\n")
    real = figures.load(ENVOYS)[0] if ENVOYS.exists() else Results()
    parts += ["## In short\n", _short(found), "## Budgets\n", _budgets(found, real)]
    parts += ["## The real Envoy\n", _real(real)] if real.figures else []
    parts += ["## Where we need more than go-control-plane\n", _behind(found), _client(found), METHOD]
    for letter, title in WORKS.items():
        rows = table.rows(found, letter)
        if rows:
            parts += [f"## ({letter}) {title}\n", _grid(table.HEADER, rows)]
    if found.notes:
        parts.append("## Left out, or wrong\n\n" + "\n".join(f"- {note}" for note in found.notes) + "\n")
    return "\n".join(parts)


def _resumed(found: Results) -> str:
    took = f", {sum(found.done.values()) / 60:.0f} minutes" if found.done else ""
    return took + (f" in {found.sessions} sittings" if found.sessions > 1 else "")


def _short(found: Results) -> str:
    """A line a cell."""
    works = "; ".join(f"({work}) {title}" for work, title in WORKS.items())
    header = ["work", *table.HEADER[:-1], "CPU / floor", "CPU / go-cp", "CPU / usual"]
    return f"{works}.\n\n" + _grid(header, [_line(found, line) for line in lines(found)])


def _line(found: Results, line: Line) -> list[str]:
    figure = line.figure
    row = [f"({figure.work})", *table.place(figure), table.called(figure)]
    row += [*table.values(found, figure), *table.ratios(found, figure)]
    return row + (table.ratios(found, line.cpu) if line.cpu else ["-"] * len(table.PEERS))


def _budgets(found: Results, real: Results) -> str:
    every = Results()
    every.figures = found.figures | real.figures
    rows = [[budget.work, budget.promise, *budget.judge(every)] for budget in BUDGETS]
    rows.append(["requests failed in 1,000 flips under load", "0", "0", "met (`tests/e2e/test_scale.py`)"])
    return _grid(["work", "budget", "measured", ""], rows)


def _real(real: Results) -> str:
    """What `bench.envoys` measured."""
    rows = [
        [table.called(figure), table.number(figure.median), *_beside(real, figure)]
        for figure in real.of(OURS)
    ]
    said = f"{real.notes[0]}; `python -m bench.envoys --deployments 10000`, `scoped`."
    return f"{said}\n\n" + _grid(["figure", OURS, PRE_BUILT, "ratio"], rows)


def _beside(real: Results, figure: Figure) -> list[str]:
    other = real.figures.get((*figure.cell, PRE_BUILT))
    return [table.number(other.median) if other else "-", table.ratio(real.beside(figure, PRE_BUILT))]


def _behind(found: Results) -> str:
    """The cells that are the next target."""
    rows = []
    for figure in behind(found):
        beside = [table.ratio(found.beside(figure, peer)) for peer in (GO, USUAL)]
        rows.append([f"({figure.work})", *table.place(figure), table.called(figure), *beside])
    header = ["work", "N", "D", "routes", "figure", "/ go-cp", "/ usual"]
    return _grid(header, rows) if rows else "Nowhere.\n"


def _client(found: Results) -> str:
    """What shows that the load client is not what is measured."""
    rows = []
    for figure in found.of(CANNED):
        mine = found.figures.get((*figure.cell, OURS))
        if mine and figure.name in {"last has it", "last is ready", "client"} and figure.work in "ab":
            rate = f"{figure.streams / figure.median * 1e3:,.0f} Envoys a second"
            per = rate if figure.unit == "ms" else f"{figure.median / figure.streams * 1e3:,.0f} us an Envoy"
            row = [f"({figure.work})", *table.place(figure), table.called(figure)]
            row += [table.number(figure.median), *table.values(found, mine), per]
            rows.append(row)
    if not rows:
        return ""
    said = """A program that writes the same bytes without a look at anything (`bench/client/canned.go`)
stands in for the server: what it reaches, the Envoys can take. It shares the two cores with them, as servers
do."""
    header = ["work", "N", "D", "routes", "figure", "canned", OURS, "floor", "go-cp", "go-cp, usual"]
    return f"## The client is no bottleneck\n\n{said}\n\n" + _grid([*header, "canned"], rows)


def _grid(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    every = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in every) + "\n"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        shutil.copyfile(sys.argv[1], REFERENCE)
    PAGE.write_text(write(REFERENCE))
    REFERENCE.with_suffix(".svg").write_text(chart.draw(figures.load(REFERENCE)[0]))
