"""What more than one process on the port would bring: the floor alone, and as two and more processes.

    python -m bench.workers [--streams 1000,10000] [--deployments 10] [--workers 1,2] [--runs 3]

The kernel spreads connections over the processes (SO_REUSEPORT). The load client needs a core as well, so on
two cores a second process competes with it. What a server with workers must do besides, tell all of them
of each change, is not counted: this is the most that could be won.
"""

import concurrent.futures
import dataclasses
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from bench import meter
from bench.fleet import Fleet
from bench.programs import Program
from bench.servers import FLOOR, Canary, Peer
from tests.support.ports import LOOPBACK, free_port

FIRST_SHARE = 1_500


@dataclasses.dataclass(frozen=True)
class Tapes:
    """What our server says to an Envoy that connects, and that it says of each change."""

    answers: Path
    changes: tuple[Path, ...]


@dataclasses.dataclass
class Workers:
    """Several floors on one port."""

    peers: Sequence[Peer]

    @property
    def address(self) -> str:
        """Where Envoys connect."""
        return self.peers[0].address

    @property
    def cpu(self) -> float:
        """Seconds, of all."""
        return sum(meter.cpu(peer.pid) for peer in self.peers)

    def load(self, tape: Path) -> None:
        """What is to be pushed."""
        for peer in self.peers:
            peer.say("load", path=str(tape))

    def push(self) -> None:
        """All at once."""
        with concurrent.futures.ThreadPoolExecutor(len(self.peers)) as pool:
            for done in [pool.submit(peer.say, "push") for peer in self.peers]:
                done.result()


def recorded(folder: Path, deployments: int, runs: int) -> Tapes:
    """Let our server say everything once."""
    store = folder / "store"
    store.mkdir()
    server, fleet = Canary(store, "scoped"), Fleet(folder, "delta", 1)
    try:
        server.wait_until_ready()
        server.fill(deployments)
        tapes = Tapes(folder / "answers.tape", tuple(folder / f"change-{run}.tape" for run in range(runs)))
        fleet.connect(server.address, record=tapes.answers)
        for run, tape in enumerate(tapes.changes):
            fleet.arm(0, FIRST_SHARE + run)
            fleet.record(tape)
            server.share(0, FIRST_SHARE + run)
            fleet.wait()
            fleet.record(None)
    finally:
        fleet.stop()
        server.stop()
    return tapes


@contextmanager
def started(folder: Path, count: int, tapes: Tapes) -> Iterator[Workers]:
    """This many floors."""
    port = free_port()
    with ExitStack() as stack:
        peers = []
        for _ in range(count):
            program = Program([sys.executable, "-m", "bench.peers.floor"], folder / "floor.log")
            stack.callback(program.stop)
            at = f"{LOOPBACK}:{port}"
            peers.append(Peer(FLOOR, program, time.time_ns(), listen=at, path=str(tapes.answers)))
        yield Workers(peers)


def measure(workers: Workers, fleet: Fleet, tapes: Tapes) -> Iterator[tuple[str, float]]:
    """The figures, run by run."""
    for run, tape in enumerate(tapes.changes):
        cpu = workers.cpu
        said = fleet.connect(workers.address)
        yield "(b) last is ready, ms", (said.times.last - said.begun) / 1e6
        yield "(b) CPU, ms", (workers.cpu - cpu) * 1e3
        for _ in range(3):
            workers.load(tape)
            fleet.arm(0, FIRST_SHARE + run)
            cpu, begun = workers.cpu, time.time_ns()
            workers.push()
            said = fleet.wait()
            yield "(a) last has it, ms", (said.times.last - begun) / 1e6
            time.sleep(1)  # the last ACKs
            yield "(a) CPU, ms", (workers.cpu - cpu) * 1e3
        fleet.disconnect()


def _numbers(_: click.Context, __: click.Parameter, value: str) -> tuple[int, ...]:
    return tuple(int(each) for each in value.split(","))


@click.command()
@click.option("--streams", default="1000,10000", callback=_numbers, show_default=True)
@click.option("--deployments", default=10, show_default=True)
@click.option("--workers", "counts", default="1,2", callback=_numbers, show_default=True)
@click.option("--runs", default=3, show_default=True)
def main(streams: tuple[int, ...], deployments: int, counts: tuple[int, ...], runs: int) -> None:
    """One floor beside several on the same port."""
    with tempfile.TemporaryDirectory(prefix="canary-bench-") as name:
        folder = Path(name)
        tapes = recorded(folder, deployments, runs)
        for number in streams:
            found: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
            for count in counts:
                fleet = Fleet(folder, "delta", number)
                try:
                    with started(folder, count, tapes) as workers:
                        for what, value in measure(workers, fleet, tapes):
                            found[what][count].append(value)
                finally:
                    fleet.stop()
            for what, by_count in found.items():
                first = statistics.median(by_count[counts[0]])
                said = f"N={number:,} D={deployments} {what:<24}"
                for count in counts:
                    median = statistics.median(by_count[count])
                    said += f"  {count} worker{'s' * (count > 1)}: {median:>9,.1f} ({median / first:.2f})"
                print(said, flush=True)


if __name__ == "__main__":
    main()
