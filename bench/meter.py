"""What a process costs, read from outside: CPU time to the nanosecond, memory, and when it came to rest."""

import dataclasses
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_EVERY = 0.005
_BUSY = 0.2
"""Share of a core above which a process is not at rest (it ticks a little even then)."""


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has used so far, all its threads."""
    spent = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            spent += int((task / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue  # a thread that has just ended
    return spent / 1e9


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
        peak: the most memory seen, bytes.
    """

    cpu: float = 0.0
    rested: int = 0
    peak: int = 0


@contextmanager
def measured(pid: int, rest: float = 0.15, patience: float = 60.0) -> Iterator[Spent]:
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
            now, used = time.monotonic(), cpu(pid)
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
            spent.peak = max(spent.peak, memory(pid))
    finally:
        stop.set()
        watcher.join()
    spent.cpu = cpu(pid) - begun
