"""`make bench`: this server and its peers on the same work, in one run.

    python -m bench.run [--quick] [--only a,h] [--streams 1,100] [--deployments 10,100] [--runs 5]

Writes bench/results/latest.json and latest.svg as it goes, and prints a table. `python -m bench.page`
writes docs/performance.md from the committed bench/results/reference.json.
"""

import dataclasses
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from bench import chart, servers, table
from bench.figures import Results
from bench.fleet import Fleet
from bench.programs import Missing
from bench.servers import Canary, Server
from bench.works import WORKS, Cell, Tape, cold_start, started

FOLDER = Path(__file__).parent / "results"
MOST = 1_000_000
"""Streams times deployments: beyond it, what every Envoy is sent at first does not fit the machine."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is measured."""

    only: frozenset[str]
    streams: tuple[int, ...]
    deployments: tuple[int, ...]
    modes: tuple[str, ...]
    dialects: tuple[str, ...]
    peers: tuple[str, ...]
    runs: int
    seconds: float
    steady: tuple[int, int]
    """Streams and deployments of (e), (f) and (h), which take long."""
    most: int = MOST


class Bench:
    """One run of everything. Results are written after each server, so that nothing is lost."""

    def __init__(self, plan: Plan, out: Path, console: Console) -> None:
        self._plan, self._out, self._console = plan, out, console
        self.results = Results()
        self._tape: Tape = {}

    def run(self, folder: Path) -> None:
        """Go through all cells; `folder` takes stores and recordings."""
        for deployments in self._plan.deployments:
            store = self._fill(folder, deployments)
            for mode in self._plan.modes:
                for dialect in self._plan.dialects:
                    for streams in self._plan.streams:
                        self._cell(folder, store, (mode, dialect, streams, deployments))
                    if "d" in self._plan.only or "i" in self._plan.only:
                        self._starts(folder, store, (mode, dialect, 1, deployments))

    def _cell(self, folder: Path, store: Path, at: tuple[str, str, int, int]) -> None:
        mode, dialect, streams, deployments = at
        if streams * deployments > self._plan.most:
            self.results.note(f"N={streams}, D={deployments}: left out, too much for this machine")
            return
        steady = (streams, deployments) == self._plan.steady
        for name, begin in self._servers(folder, store, at):
            self._console.print(f"N={streams} D={deployments} {mode} {dialect}: {name}", style="dim")
            with (
                self._told(name, at),
                started(begin) as server,
                self._fleet(folder, dialect, streams) as fleet,
            ):
                cell = self._measure(server, fleet, at, folder)
                self._walk(cell, steady=steady)
            self._save()

    def _walk(self, cell: Cell, *, steady: bool) -> None:
        steps = {"g": cell.rollback, "c": cell.reconnect}  # (g) takes back the change that comes before
        long = {"e": lambda: cell.many(endpoints=False), "f": lambda: cell.many(endpoints=True)}
        for run in range(self._plan.runs):
            if run:
                cell.fleet.disconnect()
            cell.connect()
            cell.change()
            for letter in [each for each in steps if each in self._plan.only]:
                steps[letter]()
        for letter in sorted(self._plan.only.intersection(long)) * (self._plan.runs if steady else 0):
            long[letter]()
        if steady and "h" in self._plan.only:
            cell.stuck()

    def _starts(self, folder: Path, store: Path, at: tuple[str, str, int, int]) -> None:
        mode, dialect, _, deployments = at
        for name, begin in self._servers(folder, store, at, wait=False):
            self._console.print(f"start D={deployments} {mode} {dialect}: {name}", style="dim")
            for _ in range(self._plan.runs):
                with (
                    self._told(name, at),
                    self._fleet(folder, dialect, 1) as fleet,
                    started(begin) as server,
                ):
                    cold_start(self._measure(server, fleet, at, folder))
            self._save()

    def _measure(self, server: Server, fleet: Fleet, at: tuple[str, str, int, int], folder: Path) -> Cell:
        return Cell(server, fleet, self.results, *at, folder, self._tape, self._plan.seconds, self._plan.only)

    def _servers(
        self, folder: Path, store: Path, at: tuple[str, str, int, int], *, wait: bool = True
    ) -> Iterator[tuple[str, Callable[[], Server]]]:
        """Our server first: its recordings are what the peers begin with."""
        mode, dialect, _, _ = at

        def canary() -> Server:
            shutil.copytree(store, folder / "running", dirs_exist_ok=True)
            server = Canary(folder / "running", mode)
            if wait:
                server.wait_until_ready()
            return server

        yield Canary.name, canary
        told = [path for key, path in self._tape.items() if self._begins(key, at)]
        answers = told[0] if told else None
        if answers is None:
            return
        for peer in self._plan.peers:
            if peer == "floor":
                yield peer, partial(servers.floor, folder, answers)
            else:
                begin = partial(servers.go_control_plane, folder, answers, peer, dialect)
                yield f"go-control-plane, {peer}", begin

    @staticmethod
    def _begins(key: tuple[object, ...], at: tuple[str, str, int, int]) -> bool:
        """Whether a recording is of an Envoy that connects to a server as it is filled, however many do."""
        mode, dialect, _, deployments, step, _ = key
        return (mode, dialect, deployments, step) == (at[0], at[1], at[3], 1)

    def _fill(self, folder: Path, deployments: int) -> Path:
        store = folder / f"store-{deployments}"
        store.mkdir()
        self._console.print(f"D={deployments}: filling a store", style="dim")
        server = Canary(store, "table")
        try:
            server.wait_until_ready()
            server.fill(deployments)
        finally:
            server.stop()
        return store

    @contextmanager
    def _fleet(self, folder: Path, dialect: str, streams: int) -> Iterator[Fleet]:
        fleet = Fleet(folder, dialect, streams)
        try:
            yield fleet
        finally:
            fleet.stop()

    @contextmanager
    def _told(self, name: str, at: tuple[str, str, int, int]) -> Iterator[None]:
        """What can't be measured is said, and the rest goes on."""
        try:
            yield
        except (Missing, RuntimeError) as why:
            self.results.note(f"{name}, {at}: {why}")
            self._console.print(f"  {why}", style="red")

    def _save(self) -> None:
        self.results.save(self._out.with_suffix(".json"), "make bench ARGS=" + repr(" ".join(sys.argv[1:])))
        self._out.with_suffix(".svg").write_text(chart.draw(self.results))


def _numbers(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    return tuple(int(each) for each in value.split(",")) if value else None


def _words(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    return tuple(value.split(",")) if value else None


@click.command()
@click.option("--quick", is_flag=True, help="A few small cells: does it work, and roughly how fast?")
@click.option("--only", callback=_words, help=f"Of {''.join(WORKS)}: {WORKS}")
@click.option("--streams", callback=_numbers, help="How many Envoys: 1,100,1000,10000.")
@click.option("--deployments", callback=_numbers, help="How many: 10,100,1000,10000.")
@click.option("--modes", default="table,scoped", callback=_words, show_default=True)
@click.option("--dialects", default="delta", callback=_words, show_default=True, help="delta,sotw")
@click.option("--peers", default="floor,ours,usual", callback=_words, show_default=True)
@click.option("--runs", type=int, help="How often each is measured; 5, or 2 if quick.")
@click.option("--seconds", type=float, help="How long (e) and (f) last; 60, or 2 if quick.")
@click.option("--most", default=MOST, show_default=True, help="Streams times deployments, at most.")
@click.option("--out", type=click.Path(path_type=Path), default=FOLDER / "latest", show_default=True)
def main(  # noqa: PLR0913, PLR0917 (the options)
    quick: bool,  # noqa: FBT001
    only: tuple[str, ...] | None,
    streams: tuple[int, ...] | None,
    deployments: tuple[int, ...] | None,
    modes: tuple[str, ...],
    dialects: tuple[str, ...],
    peers: tuple[str, ...],
    runs: int | None,
    seconds: float | None,
    most: int,
    out: Path,
) -> None:
    """Measure this server and its peers on the same work."""
    streams = streams or ((1, 100) if quick else (1, 100, 1_000, 10_000))
    deployments = deployments or ((10, 100) if quick else (10, 100, 1_000, 10_000))
    fitting = [(n, d) for n in streams for d in deployments if n * d <= min(most, 100_000)]
    plan = Plan(
        frozenset(only or WORKS),
        streams,
        deployments,
        modes,
        dialects,
        peers,
        runs or (2 if quick else 5),
        seconds or (2 if quick else 60),
        max(fitting, default=(0, 0)),
        most,
    )
    console = Console() if sys.stdout.isatty() else Console(width=180)
    bench = Bench(plan, out, console)
    with tempfile.TemporaryDirectory(prefix="canary-bench-") as folder:
        bench.run(Path(folder))
    table.show(bench.results, console)


if __name__ == "__main__":
    main()
