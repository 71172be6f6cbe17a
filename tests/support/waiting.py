"""Waiting for what becomes true by itself: look again and again, never sleep and hope."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

INTERVAL = 0.02
"""Seconds between two looks."""

Seen = TypeVar("Seen")


def wait_for(look: Callable[[], Seen | None], what: str, seconds: float = 20.0) -> Seen:
    """Look until there is something to see (something true), and return it.

    Raises:
        TimeoutError: there was nothing within `seconds`; the text says what was waited for.
    """
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(INTERVAL)
    return seen


async def eventually(look: Callable[[], Awaitable[Seen | None]], what: str, seconds: float = 20.0) -> Seen:
    """Do the same without holding up what else is going on.

    Raises:
        TimeoutError: there was nothing within `seconds`; the text says what was waited for.
    """
    deadline = time.monotonic() + seconds
    while not (seen := await look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        await asyncio.sleep(INTERVAL)
    return seen
