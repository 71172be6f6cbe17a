"""Changes, each of them whole: what was decided on is still in force when it is committed.

A turn (turns.py) spans decision and commit. Changes that are to be written at the same time are written in
one transaction, whose end each of them waits for: to a disk, one costs as much as many. A change runs to
its end even when its caller goes away in the middle. The store's calls run in its own thread; nothing else
here blocks.
"""

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Executor
from contextvars import ContextVar
from typing import Any, TypeVar

import structlog
import xxhash

from xds.control.journeys import Commit
from xds.control.publisher import Publisher
from xds.control.state import State
from xds.control.terms import Terms
from xds.control.turns import Concerns, Turns, anything
from xds.errors import InvalidInput, StoreError
from xds.spec.faults import Fault
from xds.store.interface import Store
from xds.store.records import Entry, Reply, Write

_UNKNOWN = "it was to be written with others, and that failed: look whether it was"

T = TypeVar("T")
log = structlog.get_logger(__name__)

Answered = Mapping[str, tuple[int, bool]]
"""By deployment (or gateway): the number a request was answered with, and whether it was new."""


_TURN: ContextVar[tuple[float, float]] = ContextVar("turn", default=(0.0, 0.0))
"""When whoever is at work asked, and since when it is their turn."""


@dataclasses.dataclass(eq=False)
class _Waiting:
    """A write that is to be committed, and what became of it."""

    write: Write
    turn: tuple[float, float]
    decided: float
    error: Exception | None = dataclasses.field(default_factory=lambda: RuntimeError(_UNKNOWN))
    """None: it was made, and everybody sees it."""


class Writer:
    """The only one who writes: to the store first, then to what everybody sees."""

    def __init__(self, state: State, store: Store, store_thread: Executor, publisher: Publisher) -> None:
        self._state = state
        self._store = store
        self._store_thread = store_thread
        self._publisher = publisher
        self._turns = Turns()
        self._waiting: list[_Waiting] = []
        self._committing = asyncio.Lock()
        self._changes: set[asyncio.Task[Any]] = set()

    async def alone(self, change: Callable[[], Awaitable[T]], concerns: Concerns = anything) -> T:
        """Run a change to its end in a turn of its own, even when the caller goes away in the middle.

        Otherwise a call cancelled during the commit would leave memory behind the store.

        Args:
            change: what to do.
            concerns: all that its decision depends on, or changes; nothing else of it changes meanwhile.
        """
        asked = time.time()

        async def locked() -> T:
            async with self._turns.turn(concerns):
                _TURN.set((asked, time.time()))
                return await change()

        task = asyncio.create_task(locked())
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_log_unheard)
            raise

    async def ask(self, question: Callable[[Store], T]) -> T:
        """Ask the store something, in its thread."""
        return await asyncio.get_running_loop().run_in_executor(self._store_thread, question, self._store)

    async def commit(self, write: Write) -> None:
        """Durable first; only then does anything see it.

        Raises:
            StoreError: nothing of it was written.
        """
        if write == Write():
            return
        mine = _Waiting(write, _TURN.get(), time.time())
        self._waiting.append(mine)
        async with self._committing:
            if mine in self._waiting:
                together, self._waiting = self._waiting, []
                await self._commit(together)
        if mine.error is not None:
            raise mine.error

    async def _commit(self, together: list[_Waiting]) -> None:
        """Commit writes in one transaction; where that fails, each by itself: it may be one of them."""
        try:
            await self.ask(lambda store: store.commit(*[each.write for each in together]))
        except StoreError as error:
            if len(together) == 1:
                together[0].error = error
            for each in together if len(together) > 1 else ():
                await self._commit([each])
            return
        for each in together:
            try:
                self._adopt(each)
            except Exception as error:  # noqa: BLE001 (who waits for it raises it; the others are durable, too)
                each.error = error
            else:
                each.error = None
        for each in together:
            _log(each.write)

    def _adopt(self, made: _Waiting) -> None:
        """What is durable is seen."""
        write = made.write
        self._publisher.journeys.committed(_noted(write, made.turn, made.decided))
        self._publisher.refused_before.committed(write.revisions)
        self._publisher.touch(self._state.adopt(write, time.time()))
        self._publisher.touch_resources(given.gateway for given in write.resources)
        self._publisher.pulse.beat()

    async def answered(self, terms: Terms, digest: str) -> Answered | None:
        """What a request with this id was answered with before; None where it is new, or has no id.

        Raises:
            InvalidInput: another request had this id.
        """
        if not terms.request:
            return None
        reply = await self.ask(lambda store: store.reply(terms.request))
        if reply is None:
            return None
        if reply.digest != digest:
            message = f"the request id {terms.request!r} was used for another request"
            mend = "give each request an id of its own"
            raise InvalidInput([Fault("options", 0, "request_id", message, mend)])
        return reply.revisions


def _log_unheard(task: "asyncio.Task[Any]") -> None:
    """A change whose caller went away failed: nobody else will say so."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("a change failed after its caller went away", error=str(error))


def _noted(write: Write, turn: tuple[float, float], decided: float) -> Commit:
    """What was committed just now."""
    said = write.entry
    return Commit(
        verb=said.verb if said else "endpoints",
        subjects=said.subjects if said else (),
        outcome=said.outcome if said else "",
        author=said.note.author if said else "",
        asked=turn[0],
        begun=turn[1],
        decided=decided,
        committed=time.time(),
    )


def digest_of(verb: str, *said: object) -> str:
    """What tells a request from another one."""
    return xxhash.xxh3_128_hexdigest(repr((verb, *said)).encode())


def concerning(terms: Terms, *names: str) -> frozenset[str]:
    """What a change concerns: these names, and its request, whose retry waits for it."""
    return frozenset(names) | ({f"request {terms.request}"} if terms.request else set())


def entry(terms: Terms, verb: str, subjects: Iterable[str], outcome: str) -> Entry:
    """The line of the audit about a write."""
    return Entry(terms.note(), verb, tuple(subjects), outcome, terms.request)


def reply(terms: Terms, digest: str, answered: Answered) -> Reply | None:
    """What makes a retry safe; None where the request has no id."""
    if not terms.request:
        return None
    return Reply(terms.request, digest, time.time(), answered)


def _log(write: Write) -> None:
    for given in write.resources:
        log.info(
            "resources",
            gateway=given.gateway,
            number=given.number,
            kind=given.kind,
            count=len(given.contents),
            author=given.note.author,
        )
    for revision in write.revisions:
        log.info(
            "revision",
            deployment=revision.deployment,
            number=revision.number,
            kind=revision.kind,
            weights=revision.spec.weights(),
            author=revision.note.author,
        )
