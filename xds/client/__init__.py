"""Canary from Python: the admin API's verbs, typed, for threads and for asyncio.

    with Client() as canary:
        canary.set_weights("summarization", {"a": 20}, wait=True)

`Client` and `AsyncClient` have the same verbs. What a verb sends is written once, as a plain function
that makes a `Call` (deployment_calls.py and its like); the two clients only differ in
how they carry it. Answers are the API's own messages (docs/api.md); listings are iterators over all
pages; errors are those of `xds.errors` and xds.client.errors.
"""

from typing import TYPE_CHECKING

from xds.client.connection import Tls
from xds.client.errors import NoAnswer, NotConfirmed, Rejected, ServerFailed
from xds.client.options import Wait, WriteArgs
from xds.client.sync import Client
from xds.errors import (
    AlreadyExists,
    CanaryError,
    Conflict,
    InvalidInput,
    NotFound,
    NothingToDo,
    StoreError,
    TooFewEndpoints,
    Unauthenticated,
)

if TYPE_CHECKING:
    from xds.client.aio import AsyncClient

__all__ = [
    "AlreadyExists",
    "AsyncClient",
    "CanaryError",
    "Client",
    "Conflict",
    "InvalidInput",
    "NoAnswer",
    "NotConfirmed",
    "NotFound",
    "NothingToDo",
    "Rejected",
    "ServerFailed",
    "StoreError",
    "Tls",
    "TooFewEndpoints",
    "Unauthenticated",
    "Wait",
    "WriteArgs",
]


def __getattr__(name: str) -> object:
    """Import the other client when it is asked for: a command that is typed uses one of them."""
    if name == "AsyncClient":
        from xds.client.aio import AsyncClient  # noqa: PLC0415 (see above)

        return AsyncClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
