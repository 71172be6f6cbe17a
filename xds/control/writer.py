"""One change at a time, and each of them whole.

A lock spans decision and commit, so that what was decided on is still in force. A change runs to its
end even when its caller goes away in the middle. The store's calls run in its own thread; nothing
else here blocks.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Executor
from typing import Any, TypeVar

import structlog
import xxhash

from xds.control.journeys import Commit
from xds.control.publisher import Publisher
from xds.control.state import State
from xds.control.terms import Terms
from xds.errors import InvalidInput
from xds.spec.faults import Fault
from xds.store.interface import Store
from xds.store.records import Entry, Reply, Write

T = TypeVar("T")
log = structlog.get_logger(__name__)

Answered = Mapping[str, tuple[int, bool]]
"""By deployment (or gateway): the number a request was answered with, and whether it was new."""


class Writer:
    """The only one who writes: to the store first, then to what everybody sees."""

    def __init__(self, state: State, store: Store, store_thread: Executor, publisher: Publisher) -> None:
        self._state = state
        self._store = store
        self._store_thread = store_thread
        self._publisher = publisher
        self._lock = asyncio.Lock()
        self._changes: set[asyncio.Task[Any]] = set()
        self._turn = (0.0, 0.0)
        """When whoever is at work asked, and since when it is their turn."""

    async def alone(self, change: Callable[[], Awaitable[T]]) -> T:
        """Run a change to its end, one at a time, even when the caller goes away in the middle.

        Otherwise a call cancelled during the commit would leave memory behind the store.
        """
        asked = time.time()

        async def locked() -> T:
            async with self._lock:
                self._turn = (asked, time.time())
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
        decided = time.time()
        await self.ask(lambda store: store.commit(write))
        self._publisher.journeys.committed(_noted(write, self._turn, decided))
        self._publisher.touch(self._state.adopt(write, time.time()))
        self._publisher.touch_resources(given.gateway for given in write.resources)
        self._publisher.pulse.beat()
        _log(write)

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
