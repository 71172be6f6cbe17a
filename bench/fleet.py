"""The load client as Python drives it: N simulated Envoys."""

import dataclasses
from pathlib import Path

from bench.programs import Answer, Program, build

NODE = 60_000
"""Bytes of a first request: a real Envoy tells of all its extensions."""


@dataclasses.dataclass(frozen=True)
class Times:
    """When something was true for the Envoys, in ns of the wall clock; `count` of them."""

    count: int
    first: int
    median: int
    p99: int
    last: int


@dataclasses.dataclass(frozen=True)
class Said:
    """What the client reports: totals so far."""

    times: Times
    begun: int
    bytes_in: int
    bytes_out: int
    messages: int
    cpu: float
    failures: int
    failed: list[str]
    states: int
    held: dict[str, int]
    raw: Answer


class Fleet:
    """Simulated Envoys. What a method measures stands in the report it returns."""

    def __init__(self, folder: Path, dialect: str, count: int) -> None:
        self._folder = folder
        self._program = Program([build(Path(__file__).parent / "client")], folder / "client.log")
        self._dialect = dialect
        self.count = count
        self.pid = self._program.pid
        self.cpu = 0.0

    def beside(self, count: int) -> "Fleet":
        """Another fleet of the same dialect, in a process of its own."""
        return Fleet(self._folder, self._dialect, count)

    def connect(
        self,
        address: str,
        *,
        record: Path | None = None,
        retry: bool = False,
        narrow: bool = False,
        abreast: int = 0,
        patience: float = 300.0,
    ) -> Said:
        """Connect, and wait until each has everything.

        Args:
            address: of the server.
            record: where to write down what the first is sent.
            retry: the server may not be there yet.
            narrow: the last Envoy gives the server 64 KB of room, so that it can be stuck.
            abreast: how many connect at a time; 0: all.
            patience: seconds.
        """
        return self._ask(
            patience,
            do="connect",
            address=address,
            gateway="default",
            dialect=self._dialect,
            count=self.count,
            node_size=NODE,
            path=str(record or ""),
            retry=retry,
            narrow=narrow,
            abreast=abreast,
        )

    def reconnect(self) -> Said:
        """Break all connections, and connect anew with what each holds; nothing is waited for."""
        return self._ask(do="reconnect")

    def disconnect(self) -> Said:
        """Close all connections."""
        return self._ask(do="disconnect")

    def arm(self, deployment: int, value: int, *, endpoints: bool = False) -> Said:
        """Look out for a change."""
        return self._ask(do="arm", deployment=deployment, value=value, endpoints=endpoints)

    def wait(self, *, without: int = 0, patience: float = 120.0) -> Said:
        """Until all but `without` have it."""
        return self._ask(patience, do="wait", without=without)

    def record(self, path: Path | None) -> None:
        """Write down from now on what the first Envoy is sent; None: no longer."""
        self._ask(do="record", path=str(path or ""))

    def stick(self, envoy: int, *, on: bool) -> None:
        """Stop reading, or go on."""
        self._ask(do="stick", deployment=envoy, on=on)

    def follow(self, turns: int, first: int, *, endpoints: bool = False) -> None:
        """Look out for many changes: `turns` deployments change in turn, the first time to `first`."""
        self._ask(do="follow", deployment=turns, value=first, endpoints=endpoints)

    def lags(self, starts: list[int], slices: int) -> Said:
        """How long after its start each change was there, over all Envoys, in slices of the changes."""
        return self._ask(do="lags", starts=starts, slices=slices)

    def report(self) -> Said:
        """The totals."""
        return self._ask(do="report")

    def kill(self) -> None:
        """End at once."""
        self._program.kill()

    def stop(self) -> None:
        """Close all connections, and end."""
        self._program.stop()

    def _ask(self, patience: float = 60.0, **said: object) -> Said:
        answer = self._program.ask(patience + 60, patience=patience, **said)
        self.cpu = answer["cpu"]
        totals = answer["totals"]
        return Said(
            Times(**answer["times"]),
            answer["begun"],
            totals.get("bytes_in", 0),
            totals.get("bytes_out", 0),
            totals.get("messages", 0),
            answer["cpu"],
            answer["failures"],
            answer["failed"] or [],
            answer["states"],
            answer.get("held", {}),
            answer,
        )
