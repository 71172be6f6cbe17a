"""Changes on their way: asked for, decided, committed, pushed, acknowledged; and when each of it was.

A push carries the commits since the one before. It has arrived when every stream that was to hear of it
has answered all of it (or has ended). Only those streams are kept, and each answer strikes out one: an
acknowledgement costs the same, however many Envoys there are.
"""

import dataclasses
import time
from collections import OrderedDict
from collections.abc import Callable

import structlog

from xds.discovery.stream import Stream, Verdict

_MOST = 32
"""Pushes that are followed at a time; an older one that an Envoy never answers is given up."""

log = structlog.get_logger(__name__)


@dataclasses.dataclass(frozen=True)
class Commit:
    """What was committed. Times are epoch seconds.

    Attributes:
        verb: `set-weights`, as in the audit, which has the rest in the same words.
        subjects: the deployments, builds or gateways it changed.
        outcome: what it came to.
        asked: when the caller asked.
        begun: when it was its turn.
        decided: when it was clear what to write.
        committed: when it was written.
    """

    verb: str
    subjects: tuple[str, ...]
    outcome: str
    author: str
    asked: float
    begun: float
    decided: float
    committed: float


@dataclasses.dataclass(frozen=True)
class Journey:
    """A push that has arrived.

    Attributes:
        begun: when its translation began.
        pushed: when all streams had been woken.
        streams: how many were to hear of it.
        first: when the first of them had answered all of it; None where nobody was to.
        last: when the last had.
    """

    number: int
    commits: tuple[Commit, ...]
    begun: float
    pushed: float
    streams: int
    first: float | None
    last: float


@dataclasses.dataclass
class _Underway:
    commits: tuple[Commit, ...]
    begun: float
    pushed: float
    streams: int
    waiting: set[Stream]
    first: float | None = None


class Journeys:
    """Follows every push.

    Attributes:
        arrived: are told of each that has arrived.
        answered: are told of each answer by an Envoy, and the seconds it took.
        given_up: how many were never answered by everybody.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._commits: list[Commit] = []
        self._underway: OrderedDict[int, _Underway] = OrderedDict()
        self.arrived: list[Callable[[Journey], object]] = []
        self.answered: list[Callable[[Verdict], object]] = []
        self.given_up = 0

    def committed(self, commit: Commit) -> None:
        """The next push carries it."""
        self._commits.append(commit)

    def pushed(self, number: int, begun: float, waiting: set[Stream]) -> None:
        """A push went out to these."""
        commits, self._commits = tuple(self._commits), []
        if not commits:
            return
        self._underway[number] = _Underway(commits, begun, self._clock(), len(waiting), waiting)
        if not waiting:
            self._arrive(number)
        while len(self._underway) > _MOST:
            self._underway.popitem(last=False)
            self.given_up += 1

    def heard(self, stream: Stream, verdict: Verdict) -> None:
        """A stream answered."""
        for tell in self.answered:
            tell(verdict)
        if self._underway:
            self._strike(stream)

    def left(self, stream: Stream) -> None:
        """A stream ended: nobody waits for it."""
        for number in [n for n, underway in self._underway.items() if stream in underway.waiting]:
            self._underway[number].waiting.discard(stream)
            self._end(number)

    def _strike(self, stream: Stream) -> None:
        waited_for = [number for number, underway in self._underway.items() if stream in underway.waiting]
        settled = stream.settled if waited_for else 0
        for number in waited_for:
            if number <= settled:
                underway = self._underway[number]
                underway.waiting.discard(stream)
                underway.first = underway.first or self._clock()
                self._end(number)

    def _end(self, number: int) -> None:
        if not self._underway[number].waiting:
            self._arrive(number)

    def _arrive(self, number: int) -> None:
        done = self._underway.pop(number)
        journey = Journey(
            number, done.commits, done.begun, done.pushed, done.streams, done.first, self._clock()
        )
        for tell in self.arrived:
            try:
                tell(journey)
            except Exception:  # whoever writes it down must not stop what it is about
                log.exception("not told of a push")
