"""docs/performance.md, written from the committed results.

python -m bench.page [RESULTS]
"""

import sys
from pathlib import Path

from bench import chart, figures, table
from bench.figures import Figure, Results
from bench.programs import ROOT
from bench.works import WORKS

REFERENCE = Path(__file__).parent / "results" / "reference.json"
PAGE = ROOT / "docs" / "performance.md"

INTRODUCTION = """# Performance

What this server costs beside go-control-plane and beside the **floor**: a bare grpc.aio loop that writes
the very bytes this server was recorded to send. All are measured in one run, by the same simulated Envoys
(`bench/client`, one connection and one stream each, subscriptions and ACKs like Envoy's, a first request
of 60 KB). This page is written by `python -m bench.page` from `bench/results/reference.json`.

go-control-plane runs with our resources ("our layout"), and with one RouteConfiguration and one entry a
version ("usual layout"). It is treated well: one snapshot for all Envoys, a new version for the changed
type alone, unchanged messages shared. This server commits each change to its store before it tells
anybody, and gathers changes for 50 ms; the peers do neither.

*last has it*: from the call until the last Envoy has the change. *server rests*: until the server has
taken in the last ACK and uses no CPU any more. Figures are medians. A ratio below 1 means: we need less.
Compare within a row.
"""


def write(source: Path) -> str:
    """The page."""
    found, machine, command = figures.load(source)
    parts = [INTRODUCTION, f"Made by `{command}` on:\n"]
    parts.append("\n".join(f"- {fact}: {value}" for fact, value in machine.items()) + "\n")
    header, *body = table.rows(found)
    for letter, title in WORKS.items():
        rows = [row[1:] for row in body if row[0] == letter]
        if rows:
            runs = max(len(figure.runs) for figure in found.of(table.OURS) if figure.work == letter)
            lines = [f"## ({letter}) {title}\n", f"{runs} run{'s' * (runs != 1)}.\n"]
            lines += [_line(header[1:]), _line(["---"] * len(header[1:])), *map(_line, rows)]
            parts.append("\n".join(lines) + "\n")
    parts.append("## Where we need more than go-control-plane\n\n" + _behind(found) + "\n")
    if found.notes:
        parts.append("## Left out, or wrong\n\n" + "\n".join(f"- {note}" for note in found.notes) + "\n")
    return "\n".join(parts)


def _behind(found: Results) -> str:
    """The cells that are the next target."""
    lines = []
    for figure in found.of(table.OURS):
        ratio = found.beside(figure, table.GO)
        if ratio and ratio > 1 and not figure.what.startswith("client"):
            lines.append((ratio, _cell(figure, ratio)))
    return "\n".join(line for _, line in sorted(lines, reverse=True)) or "Nowhere."


def _cell(figure: Figure, ratio: float) -> str:
    what = figure.what.rpartition(" ")[0]
    where = f"N={figure.streams:,} D={figure.deployments:,} {figure.mode} {figure.dialect}"
    return f"- {ratio:.2f}: ({figure.work}) {what}, {where}"


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    chosen = Path(sys.argv[1]) if len(sys.argv) > 1 else REFERENCE
    PAGE.write_text(write(chosen))
    REFERENCE.with_suffix(".svg").write_text(chart.draw(figures.load(chosen)[0]))
