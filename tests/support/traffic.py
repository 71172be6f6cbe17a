"""Requests through the Envoy: single ones, many for many keys, and a steady load.

Nothing here retries. An exception is an answer like any other, with its text, so that a test can say
what went wrong rather than that something did.
"""

import asyncio
import collections
import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Self

import aiohttp

from tests.support.waiting import eventually

Address = tuple[str, int]


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: HTTP status; 0 where there was none.
        build: the body: the name of the build that answered, or the error's text.
        version: the header `x-canary-version`.
        key: what the request was asked with.
        sent: when, by the monotonic clock.
    """

    status: int
    build: str
    version: str | None
    key: str
    sent: float


@dataclasses.dataclass(frozen=True)
class Ask:
    """How a key becomes a request."""

    host: str
    path: str = "/"
    header: str | None = None
    query: str | None = None

    def target(self, gateway: Address, key: str) -> tuple[str, dict[str, str]]:
        """URL and headers for a key."""
        query = f"?{self.query}={key}" if self.query else ""
        headers = {"host": self.host} | ({self.header: key} if self.header else {})
        return f"http://{gateway[0]}:{gateway[1]}{self.path}{query}", headers


class Client:
    """A keep-alive client of one Envoy; used with `async with`."""

    def __init__(self, gateway: Address, connections: int = 8) -> None:
        self.gateway = gateway
        self._limit = connections

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=self._limit)
        self.session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=10))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.session.close()

    async def ask(self, ask: Ask, key: str = "") -> Answer:
        """Send one request."""
        url, headers = ask.target(self.gateway, key)
        return await self.get(url, headers, key)

    async def get(self, url: str, headers: Mapping[str, str], key: str = "") -> Answer:
        """Send one request just as given."""
        sent = time.monotonic()
        try:
            async with self.session.get(url, headers=headers) as response:
                version = response.headers.get("x-canary-version")
                return Answer(response.status, await response.text(), version, key, sent)
        except (aiohttp.ClientError, TimeoutError) as error:
            return Answer(0, f"{type(error).__name__}: {error}", None, key, sent)

    async def ask_all(self, ask: Ask, keys: Iterable[str]) -> dict[str, Answer]:
        """Send one request for each key, some at a time; answers by key."""
        slots = asyncio.Semaphore(self._limit)

        async def one(key: str) -> tuple[str, Answer]:
            async with slots:
                return key, await self.ask(ask, key)

        return dict(await asyncio.gather(*(one(key) for key in keys)))


class Load:
    """A steady flow of requests, from `async with` to its end.

    Attributes:
        answers: every answer, in the order they came.
    """

    def __init__(
        self,
        client: Client,
        ask: Ask,
        *,
        workers: int = 4,
        pause: float = 0.004,
        key: Callable[[int], str] = str,
    ) -> None:
        """Prepare one.

        Args:
            client: sends the requests.
            ask: how a key becomes a request.
            workers: how many requests are under way at a time.
            pause: seconds a worker waits between two; bounds the load on small machines.
            key: the key of the n-th request.
        """
        self.answers: list[Answer] = []
        self._client, self._ask, self._pause, self._key = client, ask, pause, key
        self._workers = workers
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self._number = 0

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self._workers)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        await asyncio.gather(*self._tasks)

    async def more(self, count: int) -> None:
        """Wait until `count` more answers came."""
        goal = len(self.answers) + count

        async def there() -> bool:
            return len(self.answers) >= goal

        await eventually(there, f"{count} more answers")

    def failures(self) -> dict[str, int]:
        """How often each failure happened, by what it said."""
        bad = (answer for answer in self.answers if answer.status != 200)
        return dict(collections.Counter(f"{answer.status} {answer.build}" for answer in bad))

    async def _work(self) -> None:
        while not self._stopping:
            self._number += 1
            self.answers.append(await self._client.ask(self._ask, self._key(self._number)))
            await asyncio.sleep(self._pause)


def versions(answers: Iterable[Answer]) -> dict[str, int]:
    """How many answers each version gave (`503` and the like for those that failed)."""
    return dict(
        collections.Counter(
            (answer.version or "?") if answer.status == 200 else str(answer.status) for answer in answers
        )
    )
