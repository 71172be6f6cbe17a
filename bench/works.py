"""The pieces of work, (a) to (i); each adds its figures to the results.

A change is recognised by what it says: version `a` of some deployment has a share, or a port, that it
never had before. The server has taken in the last ACK when it comes to rest.
"""

import concurrent.futures
import dataclasses
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import meter
from bench.figures import Figure, Results
from bench.fleet import Fleet, Said
from bench.servers import Canary, Peer, Server

WORKS = {
    "a": "one weight change",
    "b": "connect storm",
    "c": "reconnect storm, versions known",
    "d": "cold start from the store",
    "e": "100 changes a second",
    "f": "endpoint churn",
    "g": "rollback",
    "h": "one stuck reader",
    "i": "memory",
}
RATE = 100
FIRST_SHARE, FIRST_OF_MANY, FIRST_PORT = 1_500, 3_000, 31_000
TURNS = 100
"""Deployments that change in turn in (e) and (f), at most."""
STUCK_CHANGES = 30
MAX_LATE = 120.0

Tape = dict[tuple[object, ...], Path]
"""What our server said at each step, for the floor to say again."""


@dataclasses.dataclass
class Cell:
    """One server with D deployments and N streams."""

    server: Server
    fleet: Fleet
    results: Results
    mode: str
    dialect: str
    streams: int
    deployments: int
    folder: Path
    tape: Tape
    seconds: float
    """How long (e) and (f) last."""
    only: frozenset[str] = frozenset(WORKS)

    def __post_init__(self) -> None:
        self._shares = itertools.count(FIRST_SHARE)
        self._ports = itertools.count(FIRST_PORT)
        self._many = FIRST_OF_MANY
        self._step = 0
        self._last = {0: 1_000}

    @property
    def ours(self) -> bool:
        """Whether it is our server, which is recorded."""
        return isinstance(self.server, Canary)

    @property
    def floor(self) -> Peer | None:
        """The floor, if it is measured: it does not decide anything, it says again what ours said."""
        return self.server if isinstance(self.server, Peer) and self.server.name == "floor" else None

    def figure(self, work: str, what: str, value: float) -> None:
        """Keep one, if its work was asked for."""
        if work not in self.only:
            return
        name = self.server.name
        at = (self.mode, self.dialect, self.streams, self.deployments)
        self.results.add(Figure(work, what, name, *at), value)

    # -- the works

    def connect(self) -> None:
        """(b) All connect at once, knowing nothing."""
        memory, cpu, first = meter.memory(self.server.pid), self.fleet.cpu, self._step == 0
        tape = self._tape("connect")
        self._say("answers", tape)
        with meter.measured(self.server.pid) as spent:
            said = self.fleet.connect(self.server.address, record=tape if self.ours else None)
        self._check(said, self.streams)
        self.figure("b", "last is ready ms", (said.times.last - said.begun) / 1e6)
        self.figure("b", "median is ready ms", (said.times.median - said.begun) / 1e6)
        self.figure("b", "server cpu_ms", spent.cpu * 1e3)
        self.figure("b", "client cpu_ms", (said.cpu - cpu) * 1e3)
        self.figure("b", "to a stream bytes", said.bytes_in / self.streams)
        self.figure("b", "refused count", said.failures)
        if first:  # later runs find memory that was given back to the process only
            self.figure("i", "a stream KB", (meter.memory(self.server.pid) - memory) / 1024 / self.streams)
        self.fleet.record(None)

    def change(self) -> None:
        """(a) One weight change."""
        share = next(self._shares)
        self._one("a", lambda: self.server.share(0, share), share)
        self._previous, self._last[0] = self._last[0], share

    def rollback(self) -> None:
        """(g) The change before is taken back."""
        self._one("g", lambda: self.server.rollback(0, self._previous), self._previous)
        self._last[0] = self._previous

    def reconnect(self) -> None:
        """(c) All lose their connections and come back; a change is made while they do."""
        share, begun = next(self._shares), self.fleet.report()
        tape = self._tape("reconnect")
        change = self._tape("reconnect, change")
        self._say("answers", tape)
        self._say("load", change)
        if self.ours:
            self.fleet.record(tape)
        with meter.measured(self.server.pid) as spent:
            self.fleet.arm(0, share)
            back = self.fleet.reconnect()
            if self.ours:
                self.fleet.record(change)
            self._act(lambda: self.server.share(0, share), late=True)
            said = self.fleet.wait()
        self._last[0] = share
        self.fleet.record(None)
        self._check(said, self.streams)
        self.figure("c", "last has a change made meanwhile ms", (said.times.last - back.begun) / 1e6)
        self.figure("c", "server rests ms", (spent.rested - back.begun) / 1e6)
        self.figure("c", "server cpu_ms", spent.cpu * 1e3)
        self.figure("c", "client cpu_ms", (said.cpu - begun.cpu) * 1e3)
        self.figure("c", "to a stream bytes", (said.bytes_in - begun.bytes_in) / self.streams)
        self.figure("c", "refused count", back.failures + said.failures)

    def many(self, *, endpoints: bool) -> None:
        """(e), (f) Changes in a steady stream."""
        work = "f" if endpoints else "e"
        turns, count = min(TURNS, self.deployments), round(RATE * self.seconds)
        first = FIRST_PORT + self._many if endpoints else self._many
        self._many += -(-count // turns)
        tape = self._tape(work)
        before = self.fleet.report()
        self.fleet.follow(turns, first, endpoints=endpoints)
        if self.ours:
            self.fleet.record(tape)
        verb = self.server.place if endpoints else self.server.share
        with meter.measured(self.server.pid) as spent:
            if self.floor is not None:
                self._say("load", tape)
                self.floor.say("replay", seconds=self.seconds + MAX_LATE)
                starts: list[int] = []
            else:
                starts = _steadily(count, lambda change: verb(change % turns, first + change // turns))
        said = self.fleet.lags(starts)
        self.fleet.record(None)
        if starts:
            late = said.raw["lags"]
            self.figure(work, "lag p50 ms", late["median"] / 1e6)
            self.figure(work, "lag p99 ms", late["p99"] / 1e6)
            self.figure(work, "changes not seen count", said.raw["missed"])
            self.figure(work, "changes a push count", count * self.streams / max(1, said.raw["pushes"]))
            self.figure(work, "changes a second count", (count - 1) / ((starts[-1] - starts[0]) / 1e9))
        self.figure(work, "server cpu_ms", spent.cpu * 1e3)
        self.figure(work, "client cpu_ms", (said.cpu - before.cpu) * 1e3)
        self.figure(work, "to a stream bytes", (said.bytes_in - before.bytes_in) / self.streams)

    def stuck(self) -> None:
        """(h) One Envoy reads nothing while others get changes."""
        if self.streams < 2 or self.floor is not None:  # noqa: PLR2004 (somebody has to get on)
            return
        before = meter.memory(self.server.pid)
        self.fleet.stick(self.streams - 1, on=True)
        peak, last = before, []
        for _ in range(STUCK_CHANGES):
            share = next(self._shares)
            self.fleet.arm(0, share)
            begun = self._act(lambda share=share: self.server.share(0, share))
            said = self.fleet.wait(without=1)
            last.append((said.times.last - begun) / 1e6)
            peak = max(peak, meter.memory(self.server.pid))
        self._last[0] = share
        self.figure("h", "last of the others has it ms", sorted(last)[len(last) // 2])
        self.figure("h", "worst of them ms", max(last))
        self.figure("h", "more memory KB", (peak - before) / 1024)
        missed = said.messages
        self.fleet.stick(self.streams - 1, on=False)
        said = self.fleet.wait()
        self._check(said, self.streams)
        self.figure("h", "messages to catch up with count", self.fleet.report().messages - missed)

    # -- what they are made of

    def _one(self, work: str, act: Callable[[], None], share: int) -> None:
        """A change of the first deployment, followed to the last Envoy and until the server rests."""
        before = self.fleet.arm(0, share)
        tape = self._tape(work)
        if self.ours:
            self.fleet.record(tape)
        self._say("load", tape)
        with meter.measured(self.server.pid) as spent:
            begun = self._act(act)
            said = self.fleet.wait()
        if self.ours:
            self.fleet.record(None)
        self._check(said, self.streams)
        self.figure(work, "last has it ms", (said.times.last - begun) / 1e6)
        self.figure(work, "first has it ms", (said.times.first - begun) / 1e6)
        self.figure(work, "first to last ms", (said.times.last - said.times.first) / 1e6)
        self.figure(work, "server rests ms", max(0.0, (spent.rested - begun) / 1e6))
        self.figure(work, "server cpu_ms", spent.cpu * 1e3)
        self.figure(work, "client cpu_ms", (said.cpu - before.cpu) * 1e3)
        self.figure(work, "to a stream bytes", (said.bytes_in - before.bytes_in) / self.streams)

    def _act(self, act: Callable[[], None], *, late: bool = False) -> int:
        begun = time.time_ns()
        if self.floor is not None:
            self.floor.say("push", late=late)
        else:
            act()
        return begun

    def _say(self, what: str, tape: Path) -> None:
        """Hand a recording to the floor, if that is who is measured."""
        if self.floor is not None:
            self.floor.say(what, path=str(tape))

    def _tape(self, what: str) -> Path:
        """Where the next step is recorded, or was."""
        self._step += 1
        key = (self.mode, self.dialect, self.streams, self.deployments, self._step, what)
        if self.ours:
            self.tape[key] = self.folder / f"{len(self.tape)}.tape"
        return self.tape.get(key, Path())

    def _check(self, said: Said, streams: int) -> None:
        """Say what went wrong, so that no figure looks better than it is."""
        where = f"{self.server.name}, {self.mode}, {self.dialect}, N={self.streams}, D={self.deployments}"
        if said.failures:
            self.results.note(f"{where}: {said.failures} streams were lost, {said.failed[0]}")
        if said.times.count < streams:
            self.results.note(f"{where}: only {said.times.count} of {streams} streams got there")


def cold_start(cell: Cell) -> None:
    """(d) From the start of the process until an Envoy that tries to connect all the while has everything."""
    server = cell.server
    said = cell.fleet.connect(server.address, record=None, retry=True)
    answered = said.raw["answered"]["first"]
    cell.figure("d", "first answer ms", (answered - server.begun) / 1e6)
    cell.figure("d", "first Envoy has all ms", (said.times.last - server.begun) / 1e6)
    cell.figure("d", "from answer to all ms", (said.times.last - answered) / 1e6)
    cell.figure("d", "server cpu_ms", meter.cpu(server.pid) * 1e3)
    cell.figure("i", "a server with one Envoy KB", meter.memory(server.pid) / 1024)
    cell.fleet.disconnect()


@contextmanager
def started(begin: Callable[[], Server]) -> Iterator[Server]:
    """A server for as long as the block takes."""
    server = begin()
    try:
        yield server
    finally:
        server.stop()


def _steadily(count: int, change: Callable[[int], None]) -> list[int]:
    """Make changes at RATE a second, a few at a time under way; returns when each was begun."""
    starts = [0] * count

    def one(number: int) -> None:
        starts[number] = time.time_ns()
        change(number)

    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        made = []
        for number in range(count):
            time.sleep(max(0.0, begun + number / RATE - time.monotonic()))
            made.append(pool.submit(one, number))
        for each in made:
            each.result()
    return starts
