"""Streams that never end by themselves, and a server that stops: they are told, and end at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

from xds.admin.failures import Stopping

T = TypeVar("T")
_END = object()


class Closing:
    """Knows who is waiting for something that may take for ever."""

    def __init__(self) -> None:
        self._closed = False
        self._waiting: set[asyncio.Timeout] = set()

    def close(self) -> None:
        """The server stops: nobody waits any longer."""
        self._closed = True
        for waiting in self._waiting:
            waiting.reschedule(0)

    async def over(self, items: AsyncIterator[T]) -> AsyncIterator[T]:
        """The same, for as long as the server serves.

        Raises:
            Stopping: it doesn't any more.
        """
        while True:
            async with self._open():
                item = await anext(items, _END)
            if item is _END:
                return
            yield item  # type: ignore[misc]  # a sentinel has no type of its own

    def _open(self) -> "AbstractAsyncContextManager[None]":
        return _until(self._waiting, closed=self._closed)


@asynccontextmanager
async def _until(waiting: set[asyncio.Timeout], *, closed: bool) -> AsyncIterator[None]:
    patience = asyncio.timeout(0 if closed else None)
    try:
        async with patience:
            waiting.add(patience)
            try:
                yield
            finally:
                waiting.discard(patience)
    except TimeoutError as over:
        if not patience.expired():
            raise
        raise Stopping("the server is stopping; ask again in a moment") from over
