"""The demo's users: they ask through the Envoy, and remember which version answered."""

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

import aiohttp

AT_ONCE = 16
"""Requests under way at a time."""
FAILED = "failed"


@dataclasses.dataclass(frozen=True)
class Request:
    """A deployment asked by one user."""

    deployment: str
    path: str = "/"
    headers: tuple[tuple[str, str], ...] = ()


class Audience:
    """Sends requests through a gateway; used with `async with`.

    Attributes:
        failed: how often each failure was seen since the beginning.
        sent: how many requests were answered, or failed.
    """

    def __init__(self, gateway: str) -> None:
        self._gateway = gateway
        self.failed: Counter[str] = Counter()
        self.sent = 0

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def ask(self, request: Request) -> str:
        """The version that answered, or `FAILED`."""
        self.sent += 1
        headers = {"host": request.deployment} | dict(request.headers)
        try:
            async with self._session.get(f"http://{self._gateway}{request.path}", headers=headers) as answer:
                await answer.read()
                if answer.ok:
                    return answer.headers.get("x-canary-version", "?")
                self.failed[f"{request.deployment}: {answer.status}"] += 1
        except aiohttp.ClientError as error:
            self.failed[f"{request.deployment}: {type(error).__name__}"] += 1
        return FAILED

    async def ask_all(self, users: Iterable[str], request: Callable[[str], Request]) -> dict[str, str]:
        """The version of every user."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(user: str) -> tuple[str, str]:
            async with gate:
                return user, await self.ask(request(user))

        return dict(await asyncio.gather(*(one(user) for user in users)))


class Murmur:
    """A steady flow of requests in the background; used with `async with`."""

    def __init__(self, audience: Audience, request: Callable[[str], Request]) -> None:
        self._audience, self._request = audience, request

    async def __aenter__(self) -> Self:
        self._over = False
        self._tasks = [asyncio.create_task(self._go_on(worker)) for worker in range(4)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        await asyncio.gather(*self._tasks)

    async def _go_on(self, worker: int) -> None:
        number = 0
        while not self._over:
            number += 1
            await self._audience.ask(self._request(f"passer-by-{worker}-{number}"))
            await asyncio.sleep(0.005)
