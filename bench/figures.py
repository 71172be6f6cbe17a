"""What was measured: one figure a row, run by run, and what it comes to beside the peers."""

import dataclasses
import json
import os
import platform
import statistics
import subprocess
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from bench.plan import Cell
from bench.programs import ROOT

Key = tuple[str, str, str, str, int, int]

UNITS = {
    "ms": "ms",
    "cpu_ms": "CPU ms",
    "bytes": "bytes",
    "count": "",
    "KB": "KB",
    "percent": "% of a core",
}


@dataclasses.dataclass
class Figure:
    """One quantity of one server at one piece of work.

    Attributes:
        work: the letter in the list of works.
        what: which quantity; its last word is the unit, a key of UNITS.
        server: whose.
        mode: how it lays routes out.
        dialect: `delta` or `sotw`.
        streams: how many Envoys.
        deployments: how many.
        runs: the value of each run.
    """

    work: str
    what: str
    server: str
    mode: str
    dialect: str
    streams: int
    deployments: int
    runs: list[float] = dataclasses.field(default_factory=list)

    @classmethod
    def of(cls, cell: Cell, work: str, what: str, server: str) -> "Figure":
        """A figure of a cell, without any run."""
        return cls(work, what, server, cell.mode, cell.dialect, cell.streams, cell.deployments)

    @property
    def unit(self) -> str:
        """For people."""
        return UNITS[self.what.rpartition(" ")[2]]

    @property
    def name(self) -> str:
        """Without the unit."""
        return self.what.rpartition(" ")[0]

    @property
    def median(self) -> float:
        """Of the runs."""
        return statistics.median(self.runs)

    @property
    def cell(self) -> tuple[str, str, str, str, int, int]:
        """What figures of several servers are compared in."""
        return self.work, self.what, self.mode, self.dialect, self.streams, self.deployments


class Results:
    """All figures of a run of the benchmark.

    Attributes:
        figures: by cell and server.
        notes: what a reader must know.
        done: the cells that are measured, and what each took (s).
        sessions: how often the run was begun: more than once if it was resumed.
    """

    def __init__(self) -> None:
        self.figures: dict[tuple[object, ...], Figure] = {}
        self.notes: list[str] = []
        self.done: dict[str, float] = {}
        self.sessions = 1

    def forget(self, cell: Cell) -> None:
        """Drop what is known of a cell: it will be measured anew."""
        self.done.pop(cell.title, None)
        at = (cell.mode, cell.dialect, cell.streams, cell.deployments)
        for key, figure in list(self.figures.items()):
            if figure.cell[2:] == at and figure.work in cell.works:
                del self.figures[key]
        self.notes = [note for note in self.notes if cell.title not in note]

    def add(self, figure: Figure, value: float) -> None:
        """Another run of a figure."""
        self.figures.setdefault((*figure.cell, figure.server), figure).runs.append(value)

    def note(self, text: str) -> None:
        """Something a reader must know."""
        if text not in self.notes:
            self.notes.append(text)

    def beside(self, figure: Figure, peer: str) -> float | None:
        """Our median divided by a peer's, where there are both."""
        other = self.figures.get((*figure.cell, peer))
        return figure.median / other.median if other and other.median else None

    def find(self, cell: Cell, what: str, server: str) -> Figure | None:
        """One figure; the cell's works are a single letter."""
        return self.figures.get((*Figure.of(cell, cell.works, what, server).cell, server))

    def of(self, server: str) -> Iterable[Figure]:
        """One server's, in the order of the works."""
        found = [figure for figure in self.figures.values() if figure.server == server]
        return sorted(
            found,
            key=lambda each: (
                each.work,
                each.mode,
                each.dialect,
                each.streams,
                each.deployments,
                each.what[::-1],
            ),
        )

    @property
    def servers(self) -> list[str]:
        """In the order in which they came."""
        return list(dict.fromkeys(figure.server for figure in self.figures.values()))

    def save(self, path: Path, command: str) -> None:
        """Write everything as JSON, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        figures = [dataclasses.asdict(each) | {"median": each.median} for each in self.figures.values()]
        said = {
            "machine": machine(),
            "command": command,
            "sessions": self.sessions,
            "done": self.done,
            "notes": self.notes,
            "figures": figures,
        }
        partial = path.with_suffix(".tmp")
        partial.write_text(json.dumps(said, indent=1) + "\n")
        partial.replace(path)


def load(path: Path) -> tuple[Results, dict[str, str], str]:
    """The results in a file, the machine they are of, and the command that made them."""
    said = json.loads(path.read_text())
    results = Results()
    results.notes = said["notes"]
    results.done = said.get("done", {})
    results.sessions = said.get("sessions", 1)
    for each in said["figures"]:
        each.pop("median")
        figure = Figure(**each)
        results.figures[(*figure.cell, figure.server)] = figure
    return results, said["machine"], said["command"]


def machine() -> dict[str, str]:
    """What it was measured on, and what was measured."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    load1 = os.getloadavg()[0]
    return {
        "cpu": f"{os.cpu_count()} x {_cpu_model()}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "grpcio": version("grpcio"),
        "protobuf": version("protobuf"),
        "go-control-plane": _go_version("github.com/envoyproxy/go-control-plane "),
        "grpc-go": _go_version("google.golang.org/grpc "),
        "commit": commit.stdout.strip(),
        "load at the end": f"{load1:.1f}",
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _go_version(module: str) -> str:
    for line in (Path(__file__).parent / "peers/go-control-plane/go.mod").read_text().splitlines():
        if line.strip().startswith(module):
            return line.split()[1]
    return "?"
