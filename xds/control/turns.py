"""Whose turn it is to change something.

What is decided on must be in force until it is written. So changes that concern the same deployment, or
build, come one after the other, in the order they were asked for; those that have nothing in common go on
side by side, and are written together. A change that may concern anything has its turn alone, and
nobody who asked later overtakes it. Told apart are new weights, promotions and aborts, and what is done
to endpoints by hand (set, add, remove, drain, undrain); everything else is alone.
"""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

Concerns = Callable[[], frozenset[str] | None]
"""The names of what a change concerns, as things are now; None: it may be anything."""


def anything() -> None:
    """What a change concerns of which nobody knows better."""


@dataclasses.dataclass(eq=False)
class _Turn:
    concerns: Concerns
    granted: asyncio.Future[None]
    names: frozenset[str] | None = None


class Turns:
    """Gives everybody their turn."""

    def __init__(self) -> None:
        self._waiting: list[_Turn] = []
        self._busy: set[_Turn] = set()

    @asynccontextmanager
    async def turn(self, concerns: Concerns = anything) -> AsyncIterator[None]:
        """A turn of one's own, for as long as the block takes."""
        turn = _Turn(concerns, asyncio.get_running_loop().create_future())
        self._waiting.append(turn)
        try:
            self._grant()
            await turn.granted
            yield
        finally:
            self._busy.discard(turn)
            if turn in self._waiting:
                self._waiting.remove(turn)
            self._grant()

    def _grant(self) -> None:
        """Let everybody begin who needn't wait for anybody at work, or who asked before."""
        taken = set[str]()
        for busy in self._busy:
            if busy.names is None:
                return
            taken |= busy.names
        for turn in tuple(self._waiting):
            turn.names = turn.concerns()
            if turn.names is None:
                if not self._busy and turn is self._waiting[0]:
                    self._begin(turn)
                return
            if taken.isdisjoint(turn.names):
                self._begin(turn)
            taken |= turn.names

    def _begin(self, turn: _Turn) -> None:
        self._waiting.remove(turn)
        self._busy.add(turn)
        if not turn.granted.done():
            turn.granted.set_result(None)
