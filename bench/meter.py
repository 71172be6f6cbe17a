"""What a process costs, read from outside: CPU time to the nanosecond, memory, and when it came to rest."""

import dataclasses
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_EVERY = 0.01
_BUSY = 0.2
"""Share of a core above which a process is not at rest (it ticks a little even then)."""


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has used so far, all its threads.

    Raises:
        OSError: there is no such process.
    """
    return time.clock_gettime((~pid << 3) | 2)  # the kernel's number for another process's CPU clock


def memory(pid: int) -> int:
    """Bytes of memory that are a process's own (resident)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(pid)


@dataclasses.dataclass
class Spent:
    """What was used between the beginning and the rest.

    Attributes:
        cpu: seconds of CPU.
        rested: when the process came to rest (ns of the wall clock).
    """

    cpu: float = 0.0
    rested: int = 0


@contextmanager
def measured(pid: int, rest: float = 0.15, patience: float = 30.0) -> Iterator[Spent]:
    """Watch a process for as long as the block takes, and on until it rests.

    Args:
        pid: the process.
        rest: seconds without work that count as resting.
        patience: seconds to wait for that after the block.
    """
    spent, stop, begun = Spent(rested=time.time_ns()), threading.Event(), cpu(pid)

    def watch() -> None:
        before, at = begun, time.monotonic()
        while not stop.wait(_EVERY):
            try:
                now, used = time.monotonic(), cpu(pid)
            except OSError:
                return  # it ended; whoever waits for it says so
            if used - before > _BUSY * (now - at):
                spent.rested = time.time_ns()
            before, at = used, now

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield spent
        ended = time.time()
        over = ended + patience
        while time.time() < over and time.time() - max(spent.rested / 1e9, ended) < rest:
            time.sleep(_EVERY)
    finally:
        stop.set()
        watcher.join()
    spent.cpu = cpu(pid) - begun


@contextmanager
def sampled(pids: tuple[int, ...], every: float) -> Iterator[list[tuple[float, ...]]]:
    """The processes' CPU seconds now, every so many seconds of the block, and at its end.

    Yields:
        a list that grows: the time (monotonic), then each process's CPU.
    """
    samples: list[tuple[float, ...]] = []
    stop = threading.Event()

    def take() -> None:
        samples.append((time.monotonic(), *map(cpu, pids)))

    def watch() -> None:
        begun = time.monotonic()
        while not stop.wait(max(0.0, begun + len(samples) * every - time.monotonic())):
            try:
                take()
            except OSError:
                return

    take()
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield samples
    finally:
        stop.set()
        watcher.join()
    take()
