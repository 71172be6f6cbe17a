"""A real Envoy with many deployments in `scoped` mode, served by us and by pre-built bytes.

    python -m bench.envoys [--deployments 10000] [--runs 5] [--store FOLDER]

In each run, for our server and then for the floor, which has all our bytes ready in memory:

    cold    server and Envoy start at once, the server from the store it left; until Envoy is live
    start   an Envoy starts with the server running; until it is live
    memory  of that Envoy, with our bootstrap; once also with every statistic that Envoy knows
    change  everybody on `main` goes to version `a`, and back; until a request tells, and the bytes

Models answer at the ports of the deployments' endpoints, so that requests tell which version has them.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from bench import meter
from bench.figures import Figure, Results
from bench.fleet import Fleet
from bench.gateway import User, models
from bench.programs import Program
from bench.servers import MAX_START, Canary, name_of
from bench.table import number
from tests.support.envoys import Envoy, envoy_binary
from tests.support.ports import LOOPBACK, free_port
from xds.translate.bootstrap import Json, bootstrap

FOLDER = Path(__file__).parent / "results"
OURS, FLOOR = "canary", "pre-built bytes"
MODELS = (30_000, 30_001, 30_002)
"""Where the versions of all deployments run (bench.servers.document)."""
SHARES = {9_000: "a", 1_000: "main"}
"""Slots of version `a` in turn, and who then answers somebody who is on `main` at first; `b` keeps 1,000."""
CHANGES = 10
RECEIVED = "cluster.xds.upstream_cx_rx_bytes_total"


class Floor:
    """What was recorded, said again; it begins to load that when it is made, and nobody waits for it."""

    name = FLOOR

    def __init__(self, folder: Path, tapes: dict[str, Path]) -> None:
        self.begun = time.time_ns()
        self.address = f"{LOOPBACK}:{free_port()}"
        self._tapes = tapes
        self._program = Program([sys.executable, "-m", "bench.peers.by_name"], folder / "floor.log")
        self._pool = ThreadPoolExecutor(1)
        self._loaded = self._pool.submit(
            self._program.ask, MAX_START, do="begin", listen=self.address, path=str(tapes["connect"])
        )
        self.pid = self._program.pid

    def share(self, deployment: int, slots: int) -> None:  # noqa: ARG002 (it was recorded)
        """Say what was said when version `a` got so many slots."""
        self._loaded.result()
        self._program.ask(do="load", path=str(self._tapes[str(slots)]))
        self._program.ask(do="push")

    def stop(self) -> None:
        """End it."""
        self._pool.shutdown()
        self._program.stop()


class Bench:
    """The same for both servers, again and again."""

    def __init__(self, folder: Path, store: Path, deployments: int, results: Results) -> None:
        self._folder, self._store, self._deployments = folder, store, deployments
        self._results = results
        self._port = free_port()
        self._tapes = {name: folder / f"{name}.tape" for name in ("connect", *map(str, SHARES))}

    def record(self) -> None:
        """Write down what our server says to an Envoy, at first and for each change; keep its store."""
        fleet, server = Fleet(self._folder, "delta", 1), self._canary()
        try:
            server.wait_until_ready()
            fleet.connect(server.address, record=self._tapes["connect"])
            for share in SHARES:
                fleet.record(self._tapes[str(share)])
                fleet.arm(0, share)
                server.share(0, share)
                fleet.wait()
        finally:
            server.stop()
            fleet.stop()
        self._store = (self._folder / "running").rename(self._folder / "served")

    def run(self) -> None:
        """Measure both servers once."""
        for begin in (self._canary, lambda: Floor(self._folder, self._tapes)):
            server = begin()
            try:
                self._cold(server)
                self._started(server)
            finally:
                server.stop()

    def all_statistics(self) -> None:
        """The memory of an Envoy that keeps every statistic it knows."""
        server = self._canary()
        try:
            config = self._bootstrap(server.address)
            del config["stats_config"], config["deferred_stat_options"]
            with self._envoy(server, config) as envoy:
                self._add(OURS, "memory, with every statistic KB", self._memory(envoy))
        finally:
            server.stop()

    def _cold(self, server: Canary | Floor) -> None:
        with self._envoy(server) as envoy:
            self._add(server.name, "cold: both start, until live ms", (time.time_ns() - server.begun) / 1e6)
            self._add(server.name, "cold: server cpu_ms", meter.cpu(server.pid) * 1e3)
            self._add(server.name, "cold: Envoy cpu_ms", meter.cpu(envoy.process.pid) * 1e3)

    def _started(self, server: Canary | Floor) -> None:
        begun, cpu = time.time_ns(), meter.cpu(server.pid)
        with self._envoy(server) as envoy:
            self._add(server.name, "start: until live ms", (time.time_ns() - begun) / 1e6)
            self._add(server.name, "start: server cpu_ms", (meter.cpu(server.pid) - cpu) * 1e3)
            self._add(server.name, "start: Envoy cpu_ms", meter.cpu(envoy.process.pid) * 1e3)
            self._add(server.name, "start: received bytes", envoy.stat(RECEIVED))
            self._add(server.name, "memory KB", self._memory(envoy))
            with User(self._port, name_of(self._deployments - 1), "anybody") as user:
                if user.version() is None:
                    self._results.note(f"{server.name}: live, but the last deployment does not answer")
            self._changes(server, envoy)

    def _changes(self, server: Canary | Floor, envoy: Envoy) -> None:
        with self._somebody_on_main() as user, ThreadPoolExecutor(1) as pool:
            before = envoy.stat(RECEIVED)
            for share in list(SHARES) * (CHANGES // len(SHARES)):
                begun = time.time_ns()
                made = pool.submit(server.share, 0, share)
                applied = user.wait_for(SHARES[share])
                made.result()
                self._add(server.name, "change: until a request tells ms", (applied - begun) / 1e6)
            received = envoy.stat(RECEIVED) - before
            self._add(server.name, "change: received bytes", received / CHANGES)

    @contextmanager
    def _somebody_on_main(self) -> Iterator[User]:
        for number_ in range(1000):
            with User(self._port, name_of(0), f"user-{number_}") as user:
                if user.version() == "main":
                    yield user
                    return
        raise RuntimeError("nobody is on main")

    def _canary(self) -> Canary:
        running = self._folder / "running"
        shutil.rmtree(running, ignore_errors=True)
        shutil.copytree(self._store, running)
        return Canary(running, "scoped", self._port)

    def _bootstrap(self, address: str) -> Json:
        host, port = address.rsplit(":", 1)
        return bootstrap(
            gateway="default", xds=(host, int(port)), node_id="envoy", envoy_admin=(LOOPBACK, free_port())
        )

    @contextmanager
    def _envoy(self, server: Canary | Floor, config: Json | None = None) -> Iterator[Envoy]:
        """One that is live."""
        config = config or self._bootstrap(server.address)
        envoy = Envoy(self._folder, (LOOPBACK, 0), config=config, wait=False)
        try:
            envoy.process.wait_until(envoy.ready, MAX_START)
            yield envoy
        finally:
            envoy.stop()

    @staticmethod
    def _memory(envoy: Envoy) -> float:
        """Kilobytes, once it is at rest."""
        with meter.measured(envoy.process.pid):
            pass
        return meter.memory(envoy.process.pid) / 1024

    def _add(self, server: str, what: str, value: float) -> None:
        self._results.add(Figure("envoy", what, server, "scoped", "delta", 1, self._deployments), value)


def filled(folder: Path, deployments: int) -> Path:
    """A folder with a store of so many deployments."""
    folder.mkdir()
    server = Canary(folder, "table")
    try:
        server.wait_until_ready()
        server.fill(deployments)
    finally:
        server.stop()
    return folder


def envoy_version() -> str:
    """Of the Envoy that is measured."""
    said = subprocess.run([envoy_binary(), "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"/(\d+\.\d+\.\d+)/", said)
    return found[1] if found else said.strip()


def show(results: Results, console: Console) -> None:
    """Print the medians, and their ratios."""
    grid = Table(title=", ".join(results.notes[:1]))
    for title in ("figure", OURS, FLOOR, "/ pre-built"):
        grid.add_column(title, justify="left" if title == "figure" else "right")
    for figure in results.of(OURS):
        what, _, unit = figure.what.rpartition(" ")
        other = results.figures.get((*figure.cell, FLOOR))
        ratio = results.beside(figure, FLOOR)
        grid.add_row(
            f"{what}, {'CPU ms' if unit == 'cpu_ms' else unit}",
            number(figure.median),
            number(other.median) if other else "-",
            f"{ratio:.2f}" if ratio else "-",
        )
    console.print(grid)
    for note in results.notes[1:]:
        console.print(f"- {note}", style="yellow")


@click.command()
@click.option("--deployments", default=1_000, show_default=True, help="Each of three versions on one host.")
@click.option("--runs", default=5, show_default=True, help="How often all is measured.")
@click.option("--store", type=click.Path(path_type=Path), help="A folder with a filled store; copied.")
@click.option("--out", type=click.Path(path_type=Path), default=FOLDER / "envoys.json", show_default=True)
def main(deployments: int, runs: int, store: Path | None, out: Path) -> None:
    """A real Envoy with many deployments, served by us and by pre-built bytes."""
    console, results = Console(), Results()
    results.note(f"Envoy {envoy_version()}, {deployments:,} deployments, medians of {runs} runs")
    with tempfile.TemporaryDirectory(prefix="canary-bench-") as made, models(*MODELS):
        folder = Path(made)
        bench = Bench(folder, store or filled(folder / "store", deployments), deployments, results)
        bench.record()
        for each in range(runs):
            console.print(f"run {each + 1} of {runs}", style="dim")
            bench.run()
        bench.all_statistics()
    results.save(out, "python -m bench.envoys " + " ".join(sys.argv[1:]))
    show(results, console)


if __name__ == "__main__":
    main()
