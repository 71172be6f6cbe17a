"""Requests byte by byte: repeated headers, odd bytes, targets that a proper client would encode."""

import asyncio
import dataclasses
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

Header = tuple[str, bytes]


@dataclasses.dataclass(frozen=True)
class RawAnswer:
    """What came back.

    Attributes:
        headers: names in lower case, in the order they came.
        body: where there is a content-length; else nothing.
    """

    status: int
    headers: tuple[Header, ...]
    body: bytes

    @property
    def version(self) -> str | None:
        """The header `x-canary-version`."""
        return next((value.decode() for name, value in self.headers if name == "x-canary-version"), None)

    def cookies(self) -> list[str]:
        """Every `set-cookie`, whole."""
        return [value.decode() for name, value in self.headers if name == "set-cookie"]


class RawClient:
    """One keep-alive connection to an Envoy; used with `async with`."""

    def __init__(self, gateway: tuple[str, int]) -> None:
        self._gateway = gateway

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(*self._gateway, limit=2**20)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def get(self, host: str, target: bytes = b"/", headers: Iterable[Header] = ()) -> RawAnswer:
        """Send one request just as given."""
        lines = [b"GET " + target + b" HTTP/1.1", b"host: " + host.encode()]
        lines += [name.encode() + b": " + value for name, value in headers]
        self._writer.write(b"\r\n".join(lines) + b"\r\n\r\n")
        return await asyncio.wait_for(self._answer(), 10)

    async def _answer(self) -> RawAnswer:
        head = (await self._reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
        fields = (line.partition(b":") for line in head[1:])
        headers = tuple((name.decode().lower(), value.strip()) for name, _, value in fields)
        length = next((int(value) for name, value in headers if name == "content-length"), 0)
        return RawAnswer(int(head[0].split()[1]), headers, await self._reader.readexactly(length))


def cookie(pairs: Sequence[tuple[str, str]]) -> Header:
    """A `cookie` header."""
    return ("cookie", "; ".join(f"{name}={value}" for name, value in pairs).encode())
