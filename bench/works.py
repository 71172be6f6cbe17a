"""The pieces of work, (a) to (i); each adds its figures to the results.

A change is recognised by what it says: version `a` of some deployment has a share, or a port, that it
never had before. The server has taken in the last ACK when it comes to rest.
"""

import concurrent.futures
import dataclasses
import itertools
import time
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench import meter
from bench.figures import Figure, Results
from bench.fleet import Fleet, Said
from bench.limit import Limit
from bench.plan import CHURN, Cell
from bench.servers import CANNED, FLOOR, USUAL, Canary, Peer, Server

RATE = 100
SLICES = 6
"""(e) and (f) are cut into so many; medians are over them."""
FIRST_SHARE, FIRST_MEANWHILE, FIRST_OF_MANY, FIRST_PORT = 1_500, 2_500, 3_000, 31_000
TURNS = 100
"""Deployments that change in turn in (e) and (f), at most."""
STUCK_CHANGES = 10
WARM = 10
"""Envoys that connect before memory is counted in (i)."""
ABREAST = 1
"""How many of them connect at a time: what is under way to one is not kept."""
MAX_LATE = 1.25
"""How much longer than planned (e) and (f) may take; a server that is slower makes fewer changes."""


@dataclasses.dataclass
class Tape:
    """What our server did, for the peers.

    Attributes:
        said: what it said to the first Envoy, by step and run: the floor says it again.
        made: how many changes were made in (e), (f).
        held: how many resources Envoys held in the end, by type: those of the peers must hold the same.
    """

    said: dict[tuple[str, int], Path] = dataclasses.field(default_factory=dict)
    made: dict[str, int] = dataclasses.field(default_factory=dict)
    held: dict[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Session:
    """One server and its fleet in one cell."""

    server: Server
    fleet: Fleet
    results: Results
    cell: Cell
    folder: Path
    tape: Tape
    limit: Limit

    def __post_init__(self) -> None:
        self._shares = itertools.count(FIRST_SHARE)
        self._meanwhile = itertools.count(FIRST_MEANWHILE)
        self._many = FIRST_OF_MANY
        self._steps: dict[str, int] = {}
        self._last, self._previous = 1_000, 1_000

    @property
    def ours(self) -> bool:
        """Whether it is our server, which is recorded."""
        return isinstance(self.server, Canary)

    @property
    def echo(self) -> Peer | None:
        """The floor or the canned sender: they decide nothing, they say again what ours said."""
        return self.server if isinstance(self.server, Peer) and self.server.name in {FLOOR, CANNED} else None

    def figure(self, work: str, what: str, value: float) -> None:
        """Keep one, if its work was asked for."""
        if work in self.cell.works:
            self.results.add(Figure.of(self.cell, work, what, self.server.name), value)

    def walk(self) -> None:
        """All works of the cell but (d). Time that runs out ends it between two steps."""
        works = self.cell.works
        if set(works) & set("abcefg"):
            self.connect()
        self._repeat("c", self.cell.storms, self.reconnect)
        for _ in self._runs("ag", self.cell.changes) if set(works) & set("ag") else ():
            self.change()
            if "g" in works:
                self.rollback()
        for work, step in (("e", self.many), ("f", self.churn), ("h", self.stuck), ("i", self.memory)):
            self._repeat(work, 1, step)
        self._repeat("b", self.cell.storms - 1, self._again)

    # -- the works

    def connect(self) -> None:
        """(b) All connect at once, knowing nothing."""
        cpu, tape = self.fleet.cpu, self._tape("connect")
        self._say("answers", tape)
        with meter.measured(self.server.pid) as spent:
            said = self.fleet.connect(
                self.server.address, record=tape if self.ours else None, patience=self.limit.left
            )
        self.fleet.record(None)
        self._check(said)
        self._compare(said)
        self.figure("b", "last is ready ms", (said.times.last - said.begun) / 1e6)
        self.figure("b", "median is ready ms", (said.times.median - said.begun) / 1e6)
        self.figure("b", "server cpu_ms", spent.cpu * 1e3)
        self.figure("b", "client cpu_ms", (said.cpu - cpu) * 1e3)
        self.figure("b", "to a stream bytes", said.bytes_in / self.cell.streams)
        self.figure("b", "resources count", sum(said.held.values()))
        self.figure("b", "refused count", said.failures)

    def change(self) -> None:
        """(a) One weight change."""
        share = next(self._shares)
        self._one("a", lambda: self.server.share(0, share), share)
        self._previous, self._last = self._last, share

    def rollback(self) -> None:
        """(g) The change before is taken back."""
        self._one("g", lambda: self.server.rollback(0, self._previous), self._previous)
        self._last = self._previous

    def reconnect(self) -> None:
        """(c) All lose their connections and come back; a change is made while they do."""
        share, begun = next(self._meanwhile), self.fleet.report()
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
            said = self.fleet.wait(patience=self.limit.left)
        self._last = share
        self.fleet.record(None)
        self._check(said)
        self.figure("c", "last has a change made meanwhile ms", (said.times.last - back.begun) / 1e6)
        self.figure("c", "server rests ms", (max(spent.rested, said.times.last) - back.begun) / 1e6)
        self.figure("c", "server cpu_ms", spent.cpu * 1e3)
        self.figure("c", "client cpu_ms", (said.cpu - begun.cpu) * 1e3)
        self.figure("c", "to a stream bytes", (said.bytes_in - begun.bytes_in) / self.cell.streams)
        self.figure("c", "refused count", back.failures + said.failures)

    def many(self) -> None:
        """(e) Weights change all the time."""
        self._stream("e", self.cell.seconds, endpoints=False)

    def churn(self) -> None:
        """(f) Endpoints do."""
        self._stream("f", self.cell.seconds / CHURN, endpoints=True)

    def _stream(self, work: str, seconds: float, *, endpoints: bool) -> None:
        turns, count = min(TURNS, self.cell.deployments), round(RATE * seconds)
        first = FIRST_PORT + self._many if endpoints else self._many
        self._many += -(-count // turns)
        tape = self._tape(work)
        before = self.fleet.report()
        self.fleet.follow(turns, first, endpoints=endpoints)
        if self.ours:
            self.fleet.record(tape)
        verb = self.server.place if endpoints else self.server.share
        pids, offset = (self.server.pid, self.fleet.pid), time.time() - time.monotonic()
        with meter.measured(self.server.pid), meter.sampled(pids, seconds / SLICES) as samples:
            if self.echo is not None:
                self._say("load", tape)
                self.echo.say("replay", seconds=seconds * 2 + self.limit.left)
                starts: list[int] = []
            else:
                latest = time.monotonic() + min(seconds * MAX_LATE, self.limit.left)
                starts = _steadily(count, lambda at: verb(at % turns, first + at // turns), latest)
        self.fleet.record(None)
        if self.ours:
            self.tape.made[work] = len(starts)
        made = len(starts) or self.tape.made[work]  # the floor makes those that ours made
        said = self.fleet.lags(starts, SLICES)
        for each in slices(samples, [start / 1e9 - offset for start in starts], made, seconds / SLICES):
            self.figure(work, "server a change cpu_ms", each.cpu[0] / each.changes * 1e3)
            self.figure(work, "client a change cpu_ms", each.cpu[1] / each.changes * 1e3)
            self.figure(work, "server load percent", each.cpu[0] / each.seconds * 100)
        self.figure(
            work, "to a stream a change bytes", (said.bytes_in - before.bytes_in) / self.cell.streams / made
        )
        if starts:
            for lags in said.raw["lags"]:
                self.figure(work, "lag p50 ms", lags["median"] / 1e6)
                self.figure(work, "lag p99 ms", lags["p99"] / 1e6)
            self.figure(work, "changes not seen count", said.raw["missed"])
            self.figure(work, "changes a push count", made * self.cell.streams / max(1, said.raw["pushes"]))
            self.figure(work, "changes a second count", (made - 1) / ((starts[-1] - starts[0]) / 1e9))

    def stuck(self) -> None:
        """(h) One Envoy reads nothing while others get changes."""
        if self.echo is not None:
            return  # it writes to all and waits for all: it has no notion of one that is slow
        if self._steps:
            self.fleet.disconnect()
        self._check(self.fleet.connect(self.server.address, narrow=True, patience=self.limit.left))
        stuck = self.cell.streams - 1
        self.change()  # whatever is allocated once is there then
        before, sent = meter.memory(self.server.pid), self.fleet.report().bytes_in
        self.fleet.stick(stuck, on=True)
        peak, worst, share, cpu = before, 0.0, 0, meter.cpu(self.server.pid)
        for _ in self._runs("h", STUCK_CHANGES):
            share = next(self._shares)
            self.fleet.arm(0, share)
            begun = self._act(lambda share=share: self.server.share(0, share))
            said = self.fleet.wait(without=1, patience=self.limit.left)
            self._check(said, self.cell.streams - 1)
            took = (said.times.last - begun) / 1e6
            worst = max(worst, took)
            self.figure("h", "last of the others has it ms", took)
            peak = max(peak, meter.memory(self.server.pid))
        self._last = share
        self.figure("h", "worst of them ms", worst)
        self.figure("h", "more memory KB", (peak - before) / 1024)
        self.figure("h", "server a change cpu_ms", (meter.cpu(self.server.pid) - cpu) / STUCK_CHANGES * 1e3)
        missed = self.fleet.report()
        self.figure(
            "h",
            "to a stream a change bytes",
            (missed.bytes_in - sent) / (self.cell.streams - 1) / STUCK_CHANGES,
        )
        self.fleet.stick(stuck, on=False)
        self._check(self.fleet.wait(patience=self.limit.left))
        caught = self.fleet.report()
        self.figure("h", "messages to catch up with count", caught.messages - missed.messages)
        self.figure("h", "to catch up with bytes", caught.bytes_in - missed.bytes_in)

    def memory(self) -> None:
        """(i) What a stream keeps; Envoys connect one after the other: what is under way is not counted."""
        tape = self._tape("connect a few")
        self._say("answers", tape)
        first = self.fleet.beside(WARM)
        try:
            self._rested(first, tape if self.ours else None)
            before = meter.memory(self.server.pid)
            self._rested(self.fleet, None)
            held = meter.memory(self.server.pid) - before
        finally:
            first.stop()
        self.figure("i", "a stream KB", held / 1024 / self.cell.streams)

    def start(self) -> None:
        """(d) From the start of the process until an Envoy that keeps trying to connect has everything."""
        said = self.fleet.connect(self.server.address, retry=True, patience=self.limit.left)
        self._check(said)
        answered = said.raw["answered"]["first"]
        self.figure("d", "first answer ms", (answered - self.server.begun) / 1e6)
        self.figure("d", "first Envoy has all ms", (said.times.last - self.server.begun) / 1e6)
        self.figure("d", "from answer to all ms", (said.times.last - answered) / 1e6)
        self.figure("d", "server cpu_ms", meter.cpu(self.server.pid) * 1e3)
        self.figure("d", "to a stream bytes", said.bytes_in)
        self.figure("d", "server with one Envoy KB", meter.memory(self.server.pid) / 1024)
        self.fleet.disconnect()

    # -- what they are made of

    def _runs(self, works: str, count: int) -> Iterator[int]:
        """Count runs for as long as there is time; says so if there is not."""
        for run in range(count):
            if self.limit.over and run:
                self.results.note(f"({works}) {self._where}: {run} of {count} runs, then time was up")
                return
            yield run

    def _repeat(self, work: str, count: int, step: Callable[[], None]) -> None:
        if work in self.cell.works:
            for _ in self._runs(work, count):
                step()

    def _again(self) -> None:
        self.fleet.disconnect()
        self.connect()

    def _rested(self, fleet: Fleet, record: Path | None) -> None:
        with meter.measured(self.server.pid, rest=0.5):
            said = fleet.connect(
                self.server.address, record=record, abreast=ABREAST, patience=self.limit.left
            )
            fleet.record(None)
        self._check(said, fleet.count)

    def _one(self, work: str, act: Callable[[], None], share: int) -> None:
        """A change of the first deployment, followed to the last Envoy and until the server rests."""
        before = self.fleet.arm(0, share)
        tape = self._tape(work)
        if self.ours:
            self.fleet.record(tape)
        self._say("load", tape)
        with meter.measured(self.server.pid) as spent:
            begun = self._act(act)
            said = self.fleet.wait(patience=self.limit.left)
        if self.ours:
            self.fleet.record(None)
        self._check(said)
        self.figure(work, "last has it ms", (said.times.last - begun) / 1e6)
        self.figure(work, "first has it ms", (said.times.first - begun) / 1e6)
        self.figure(work, "first to last ms", (said.times.last - said.times.first) / 1e6)
        self.figure(work, "server rests ms", (max(spent.rested, said.times.last) - begun) / 1e6)
        self.figure(work, "server cpu_ms", spent.cpu * 1e3)
        self.figure(work, "client cpu_ms", (said.cpu - before.cpu) * 1e3)
        self.figure(work, "to a stream bytes", (said.bytes_in - before.bytes_in) / self.cell.streams)

    def _act(self, act: Callable[[], None], *, late: bool = False) -> int:
        begun = time.time_ns()
        if self.echo is not None:
            self.echo.say("push", late=late, seconds=self.limit.left + 60)
        else:
            act()
        return begun

    def _say(self, what: str, tape: Path) -> None:
        """Hand a recording to the floor, if that is who is measured."""
        if self.echo is not None:
            self.echo.say(what, path=str(tape))

    def _tape(self, what: str) -> Path:
        """Where the next step is recorded, or was.

        Raises:
            RuntimeError: our server did not come so far.
        """
        self._steps[what] = self._steps.get(what, 0) + 1
        key = what, self._steps[what]
        if self.ours:
            self.tape.said[key] = self.folder / f"{len(self.tape.said)}.tape"
        if key not in self.tape.said and self.echo is not None:
            raise RuntimeError("our server came no further")
        return self.tape.said.get(key, Path())

    def _check(self, said: Said, streams: int | None = None) -> None:
        """Say what went wrong, so that no figure looks better than it is.

        Raises:
            RuntimeError: time was up before all had what they waited for.
        """
        streams = streams or self.cell.streams
        if said.times.count < streams and self.limit.over:
            raise RuntimeError(f"time was up when {said.times.count} of {streams} streams had got there")
        if said.failures:
            self.results.note(f"{self._where}: {said.failures} streams were lost, {said.failed[0]}")
        if said.times.count < streams:
            self.results.note(f"{self._where}: only {said.times.count} of {streams} streams got there")
        if said.states > 1 and said.times.count == self.cell.streams:  # one that is stuck has less
            self.results.note(f"{self._where}: the Envoys hold {said.states} different things")

    def _compare(self, said: Said) -> None:
        """Say so if Envoys do not hold what they hold of our server."""
        if self.ours:
            self.tape.held = said.held
        same = said.held
        if self.server.name == USUAL and same.get("routes") == 1:
            same = self.tape.held | {each: same[each] for each in ("clusters", "endpoints")}
        if same != self.tape.held:
            self.results.note(f"{self._where}: Envoys hold {said.held}, of ours {self.tape.held}")

    @property
    def _where(self) -> str:
        return f"{self.server.name}, {self.cell.title}"


@dataclasses.dataclass(frozen=True)
class Slice:
    """A part of a steady stream of changes.

    Attributes:
        seconds: how long.
        changes: how many were begun.
        cpu: seconds that each process used.
    """

    seconds: float
    changes: float
    cpu: tuple[float, ...]


def slices(
    samples: Sequence[tuple[float, ...]], starts: Sequence[float], made: int, every: float
) -> Iterator[Slice]:
    """What lies between samples, without the rest in which nothing is begun any more.

    Args:
        samples: a time (s), then each process's CPU so far.
        starts: when each change was begun, sorted (s); empty: not known, they were made evenly.
        made: how many changes there were.
        every: seconds between samples.
    """
    whole = [
        (earlier, later)
        for earlier, later in itertools.pairwise(samples)
        if later[0] - earlier[0] > every / 2
    ]
    for earlier, later in whole:
        changes = bisect(starts, later[0]) - bisect(starts, earlier[0]) if starts else made / len(whole)
        if changes > made / len(whole) / 4:
            cpu = tuple(after - before for before, after in zip(earlier[1:], later[1:], strict=True))
            yield Slice(later[0] - earlier[0], changes, cpu)


def _steadily(count: int, change: Callable[[int], None], latest: float) -> list[int]:
    """Make changes at RATE a second, a few at a time under way, until `latest` (monotonic).

    Returns:
        when each was begun, ns of the wall clock; fewer than `count` if they took too long.
    """
    starts = [0] * count

    def one(number: int) -> None:
        if time.monotonic() < latest:
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
    return sorted(start for start in starts if start)
