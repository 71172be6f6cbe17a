"""`make bench`: this server and its peers on the same work, in one run.

    python -m bench.run [--quick] [--plan] [--resume] [--only a,h] [--streams 1,100] [--deployments 10,100]

Goes through the cells of bench/plan.py and prints a table. Results are written to bench/results/latest.json
after every server; `--resume` goes on after the last cell that was finished, `--again` measures the chosen
cells once more. `python -m bench.page bench/results/latest.json` makes the results the committed reference,
and writes docs/performance.md from it.

A server that takes longer than `--patience` in a cell is stopped there, and a note says so; what hangs is
killed a minute later. Nothing is waited for without end.
"""

import dataclasses
import math
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from bench import chart, checks, figures, servers, table
from bench.figures import Results
from bench.fleet import Fleet
from bench.limit import Limit, limited
from bench.plan import PLAN, QUICK, WORKS, Cell, chosen, minutes
from bench.programs import Missing
from bench.servers import Canary, Server
from bench.works import Session, Tape
from xds.client import CanaryError

FOLDER = Path(__file__).parent / "results"
Begin = Callable[[], Server]


@dataclasses.dataclass
class Bench:
    """One run of everything.

    Attributes:
        plan: the cells.
        peers: `floor`, `ours` (go-control-plane in our layout), `usual`.
        patience: seconds for a server in a cell.
        minutes: for everything; a cell that would last longer is left to `--resume`.
        folder: takes stores and recordings; what is there already is used again.
        out: where results are written, without the ending.
        command: that made them.
        results: what there is already.
        console: what goes on is told here.
    """

    plan: Sequence[Cell]
    peers: tuple[str, ...]
    patience: float
    minutes: float
    folder: Path
    out: Path
    command: str
    results: Results
    console: Console

    def run(self) -> None:
        """Measure the cells that are not done."""
        left = [cell for cell in self.plan if cell.title not in self.results.done]
        ends = time.monotonic() + self.minutes * 60
        while left:
            cell = left.pop(0)
            if time.monotonic() + cell.expected > ends:
                self._tell(f"{cell.title}: left out, it would last beyond {self.minutes:.0f} minutes")
                continue
            self._tell(f"{cell.title}: ~{cell.expected:.0f} s; then ~{minutes(left):.0f} min more")
            begun = time.monotonic()
            self.results.forget(cell)
            self._measure(cell)
            self.results.done[cell.title] = round(time.monotonic() - begun, 1)
            self._save()

    def _measure(self, cell: Cell) -> None:
        with self._told(cell.title):
            store, answers = self._prepared(cell)
            tape = Tape()
            for name, begin in self._servers(cell, store, answers):
                shown = (
                    dataclasses.replace(cell, works=cell.only("ab").works) if name == servers.CANNED else cell
                )
                begun = time.monotonic()
                with limited(self.patience) as limit, self._told(f"{name}, {cell.title}", limit):
                    if "d" in cell.works:
                        self._starts(cell, begin, tape, limit)
                    else:
                        self._walk(shown, begin, tape, limit)
                self._tell(f"  {name}: {time.monotonic() - begun:.0f} s")
                self._save()
        for wrong in checks.wrong(self.results, cell):
            self.results.note(wrong)

    def _walk(self, cell: Cell, begin: Begin, tape: Tape, limit: Limit) -> None:
        with self._started(begin, limit) as server, self._fleet(cell, limit) as fleet:
            if isinstance(server, Canary):
                server.wait_until_ready()
            Session(server, fleet, self.results, cell, self.folder, tape, limit).walk()

    def _starts(self, cell: Cell, begin: Begin, tape: Tape, limit: Limit) -> None:
        for run in range(cell.storms):
            if limit.over:
                self.results.note(f"{cell.title}: {run} of {cell.storms} starts, then time was up")
                return
            with self._fleet(cell, limit) as fleet, self._started(begin, limit) as server:
                Session(server, fleet, self.results, cell, self.folder, tape, limit).start()

    def _servers(self, cell: Cell, store: Path, answers: Path) -> Iterator[tuple[str, Begin]]:
        """Our server first: its recordings are what the floor says again."""

        def canary() -> Server:
            running = self.folder / "running"
            shutil.rmtree(running, ignore_errors=True)
            shutil.copytree(store, running)
            return Canary(running, cell.mode)

        yield servers.OURS, canary
        if cell.canned:
            yield servers.CANNED, partial(servers.canned, self.folder, answers)
        for peer in self.peers:
            if peer == "usual" and not cell.usual:
                continue
            if peer == "floor":
                yield servers.FLOOR, partial(servers.floor, self.folder, answers)
            else:
                begin = partial(servers.go_control_plane, self.folder, answers, peer, cell.dialect)
                yield servers.GO if peer == "ours" else servers.USUAL, begin

    # -- what they begin with

    def _prepared(self, cell: Cell) -> tuple[Path, Path]:
        """A store that has been served in the cell's mode before, and what an Envoy is sent then."""
        store = self.folder / f"store-{cell.mode}-{cell.deployments}"
        answers = self.folder / f"answers-{cell.mode}-{cell.dialect}-{cell.deployments}.tape"
        if not (store.exists() and answers.exists()):
            being = self.folder / "being-made"
            shutil.rmtree(being, ignore_errors=True)
            shutil.copytree(self._filled(cell.deployments), being)
            with limited(self.patience) as limit:
                begin = partial(Canary, being, cell.mode)
                with self._started(begin, limit) as server, self._fleet(cell, limit, 1) as fleet:
                    assert isinstance(server, Canary)
                    server.wait_until_ready()
                    if not fleet.connect(server.address, record=answers, patience=self.patience).times.count:
                        answers.unlink()
                        raise RuntimeError("no Envoy got everything")
            shutil.rmtree(store, ignore_errors=True)
            being.rename(store)
        return store, answers

    def _filled(self, deployments: int) -> Path:
        store = self.folder / f"store-{deployments}"
        if not store.exists():
            being = self.folder / "being-filled"
            shutil.rmtree(being, ignore_errors=True)
            being.mkdir()
            begun = time.monotonic()
            with limited(600) as limit, self._started(partial(Canary, being, "table"), limit) as server:
                assert isinstance(server, Canary)
                server.wait_until_ready()
                server.fill(deployments)
            being.rename(store)
            self._tell(f"  a store of {deployments:,}: {time.monotonic() - begun:.0f} s")
        return store

    @contextmanager
    def _started(self, begin: Begin, limit: Limit) -> Iterator[Server]:
        server = begin()
        limit.covers(server.kill)
        try:
            yield server
        finally:
            server.stop()

    @contextmanager
    def _fleet(self, cell: Cell, limit: Limit, streams: int | None = None) -> Iterator[Fleet]:
        fleet = Fleet(self.folder, cell.dialect, streams or cell.streams)
        limit.covers(fleet.kill)
        try:
            yield fleet
        finally:
            fleet.stop()

    @contextmanager
    def _told(self, where: str, limit: Limit | None = None) -> Iterator[None]:
        """What can't be measured is said, and the rest goes on."""
        try:
            yield
        except (Missing, RuntimeError, CanaryError, OSError) as why:
            late = limit and limit.passed
            first = str(why).partition("\n")[0][:300]
            self.results.note(f"{where}: {'killed, it took too long' if late else first}")
            self.console.print(f"  {where}: {why}", style="red")

    def _tell(self, text: str) -> None:
        self.console.print(f"{time.strftime('%H:%M:%S')} {text}", style="dim", highlight=False)

    def _save(self) -> None:
        self.results.save(self.out.with_suffix(".json"), self.command)
        self.out.with_suffix(".svg").write_text(chart.draw(self.results))


def _numbers(_: click.Context, __: click.Parameter, value: str) -> tuple[int, ...]:
    return tuple(int(each) for each in value.split(",")) if value else ()


def _words(_: click.Context, __: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(value.split(",")) if value else ()


@click.command()
@click.option("--quick", is_flag=True, help="A few small cells: does it work, and roughly how fast?")
@click.option("--plan", "plan_only", is_flag=True, help="Say what would be measured, and for how long.")
@click.option("--resume", is_flag=True, help="Keep what was measured; go on with the rest.")
@click.option("--again", is_flag=True, help="Keep what was measured; measure the chosen cells anew.")
@click.option("--only", default="", callback=_words, help=f"Of {''.join(WORKS)}: {WORKS}")
@click.option("--streams", default="", callback=_numbers, help="Cells with so many Envoys only.")
@click.option("--deployments", default="", callback=_numbers, help="Cells with so many only.")
@click.option("--modes", default="", callback=_words, help="table,scoped")
@click.option("--peers", default="floor,ours,usual", callback=_words, show_default=True)
@click.option("--runs", type=int, help="How often each is measured, instead of what the plan says.")
@click.option("--patience", default=180.0, show_default=True, help="Seconds for a server in a cell.")
@click.option(
    "--minutes",
    "minutes_at_most",
    default=math.inf,
    help="For everything: cells that would last longer are left.",
)
@click.option("--out", type=click.Path(path_type=Path), default=FOLDER / "latest", show_default=True)
def main(  # noqa: PLR0913, PLR0917 (the options)
    quick: bool,  # noqa: FBT001
    plan_only: bool,  # noqa: FBT001
    resume: bool,  # noqa: FBT001
    again: bool,  # noqa: FBT001
    only: tuple[str, ...],
    streams: tuple[int, ...],
    deployments: tuple[int, ...],
    modes: tuple[str, ...],
    peers: tuple[str, ...],
    runs: int | None,
    patience: float,
    minutes_at_most: float,
    out: Path,
) -> None:
    """Measure this server and its peers on the same work."""
    works = "".join(only) or "".join(WORKS)
    plan = chosen(QUICK if quick else PLAN, works, streams, deployments, modes)
    if runs:
        plan = tuple(dataclasses.replace(cell, changes=runs, storms=runs) for cell in plan)
    console = Console(width=None if sys.stdout.isatty() else 180)
    for cell in plan:
        console.print(f"{cell.title:<38} ~{cell.expected:4.0f} s", style="dim", highlight=False)
    console.print(f"{len(plan)} cells, ~{minutes(plan):.0f} minutes on two quiet cores")
    if plan_only:
        return
    saved, folder = out.with_suffix(".json"), out.with_suffix(".work")
    results = Results()
    if (resume or again) and saved.exists():
        results = figures.load(saved)[0]
        results.sessions += 1
    else:
        shutil.rmtree(folder, ignore_errors=True)
    for cell in plan if again else ():
        results.forget(cell)
    folder.mkdir(parents=True, exist_ok=True)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # a stream is a connection; servers inherit it
    said = " ".join(each for each in sys.argv[1:] if each not in {"--resume", "--again"})
    command = f"make bench ARGS={said!r}" if said else "make bench"
    Bench(plan, peers, patience, minutes_at_most, folder, out, command, results, console).run()
    table.show(results, console)


if __name__ == "__main__":
    main()
