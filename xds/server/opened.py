"""The store, open, with a thread of its own: nothing else may touch it, and it holds up nothing else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from xds.store.interface import Store
from xds.store.sqlite import SqliteStore

T = TypeVar("T")


class Opened:
    """A store and its thread.

    Attributes:
        keeps_image: whether there is an image in it to go on with, or a new one was begun.
    """

    def __init__(self, store: Store, thread: Executor) -> None:
        self.store = store
        self.thread = thread
        self.keeps_image = False

    async def ask(self, question: Callable[[Store], T]) -> T:
        """Ask the store something, in its thread."""
        return await asyncio.get_running_loop().run_in_executor(self.thread, question, self.store)


@asynccontextmanager
async def open_store(path: Path) -> AsyncIterator[Opened]:
    """Open a store until the block ends.

    Raises:
        StoreError: it can't be opened, is none of ours, or is in use.
    """
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, thread_name_prefix="store") as thread:
        store = await loop.run_in_executor(thread, SqliteStore, path)
        try:
            yield Opened(store, thread)
        finally:
            await loop.run_in_executor(thread, store.close)
