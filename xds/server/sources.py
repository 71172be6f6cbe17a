"""Sources of endpoints that are polled: files and URLs in Prometheus's `file_sd` and `http_sd` format.

One that fails, is wrong, or has not a single endpoint any more keeps its last good list, and says so:
a discovery that broke looks just like a service that is gone, and only one of the two is an outage.
"""

import asyncio
import functools
import glob
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import aiohttp
import structlog
from watchfiles import awatch

from xds.control.endpoints import EndpointControl
from xds.errors import InvalidInput, StoreError
from xds.spec.service_discovery import EndpointSource, file_source, read_groups

_LARGEST = 32 * 1024 * 1024
"""Bytes of an answer: some 300,000 targets."""

_HEARTBEAT = 250
"""Milliseconds after which the watcher reports that nothing happened."""

_IDLE = 20
"""Such reports after which files are read all the same: what a target means, and whether the store can
be written, changes without them. The first one tells what changed before watching began."""

_RETRY = 5.0
"""Seconds until files that couldn't be watched are tried again."""

_OK = 200
_TOLD = 3

log = structlog.get_logger(__name__)


class Sources:
    """Polls on behalf of a control plane."""

    def __init__(self, sources: Iterable[EndpointSource], endpoints: EndpointControl) -> None:
        self._endpoints = endpoints
        self._files = [_Files(source, endpoints) for source in sources if source.http_sd is None]
        self._urls = [
            _Url(source, source.http_sd, endpoints) for source in sources if source.http_sd is not None
        ]

    async def load(self) -> None:
        """Read the files for the first time.

        Before any list is taken all sources are known: none makes way for one that is read earlier.
        """
        for url in self._urls:
            self._endpoints.expect(url.name)
        for files in self._files:
            await files.expect()
        for files in self._files:
            await _survive(files.look, files.name, self._endpoints)

    async def follow(self) -> None:
        """Poll until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for files in self._files:
                tasks.create_task(files.follow())
            for url in self._urls:
                tasks.create_task(url.follow())


class _Files:
    """The files that match a pattern, each a source of its own."""

    def __init__(self, source: EndpointSource, endpoints: EndpointControl) -> None:
        self.name = source.name
        self._source = source
        self._pattern = source.file_sd or ""
        self._endpoints = endpoints
        self._seen: set[str] = set()

    async def expect(self) -> None:
        """The files that are there will be read."""
        for path in await asyncio.to_thread(_matching, self._pattern):
            self._endpoints.expect(file_source(path))

    async def follow(self) -> None:
        """Look whenever something changes where the files are, until cancelled."""
        while True:
            await _survive(self._watch, self.name, self._endpoints)
            await asyncio.sleep(_RETRY)

    async def look(self) -> None:
        """Read all files, and take what is fine."""
        paths = await asyncio.to_thread(_matching, self._pattern)
        for path in sorted(self._seen.difference(paths)):
            self._endpoints.failed(file_source(path), "the file is gone", present=False)
        self._seen.update(paths)
        for path in paths:
            await _survive(functools.partial(self._read, path), file_source(path), self._endpoints)
        if not self._seen:
            self._endpoints.failed(self.name, "there is no such file")
        elif glob.has_magic(self._pattern):
            self._endpoints.forget(self.name)

    async def _watch(self) -> None:
        root, deep = _watched(self._pattern)
        watcher = awatch(
            root, debounce=200, step=50, recursive=deep, rust_timeout=_HEARTBEAT, yield_on_timeout=True
        )
        beats = 0
        async for changes in watcher:
            if changes or beats % _IDLE == 0:
                await _survive(self.look, self.name, self._endpoints)
            beats += 1

    async def _read(self, path: str) -> None:
        text = await asyncio.to_thread(Path(path).read_text, encoding="utf-8")
        await _take(text, file_source(path), self._source, self._endpoints)


class _Url:
    """One URL, asked again and again."""

    def __init__(self, source: EndpointSource, url: str, endpoints: EndpointControl) -> None:
        self.name = source.name
        self._source = source
        self._url = url
        self._endpoints = endpoints

    async def follow(self) -> None:
        """Ask every interval, until cancelled."""
        headers = {
            "accept": "application/json",
            "x-prometheus-refresh-interval-seconds": f"{self._source.interval:g}",
        }
        timeout = aiohttp.ClientTimeout(total=self._source.timeout)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
            while True:
                await _survive(lambda: self._ask(session), self.name, self._endpoints)
                await asyncio.sleep(self._source.interval)

    async def _ask(self, session: aiohttp.ClientSession) -> None:
        async with session.get(self._url) as response:
            if response.status != _OK:
                self._endpoints.failed(self.name, f"it answered {response.status} {response.reason}")
                return
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > _LARGEST:
                    self._endpoints.failed(self.name, f"its answer is longer than {_LARGEST} bytes")
                    return
        await _take(body.decode(), self.name, self._source, self._endpoints)


async def _take(text: str, name: str, source: EndpointSource, endpoints: EndpointControl) -> None:
    """Take an answer, if there is anything in it and nothing wrong with it."""
    lists, faults = await asyncio.to_thread(read_groups, text, name, source)
    if faults:
        raise InvalidInput(faults)
    if any(lists.values()):
        await endpoints.polled(name, lists)
    else:
        labelled = "" if source.build else f", or none with the label {source.build_label!r}"
        endpoints.failed(name, f"it lists no endpoint{labelled}")


async def _survive(work: Callable[[], Awaitable[None]], name: str, endpoints: EndpointControl) -> None:
    """Do it; whatever happens is the source's problem, and neither another one's nor the server's."""
    try:
        await work()
    except InvalidInput as error:
        told = "; ".join(map(str, error.faults[:_TOLD]))
        more = len(error.faults) - _TOLD
        endpoints.failed(name, told + (f"; and {more} more" if more > 0 else ""))
    except TimeoutError:
        endpoints.failed(name, "no answer in time")
    except (aiohttp.ClientError, OSError, UnicodeError, StoreError) as error:
        endpoints.failed(name, str(error) or type(error).__name__)
    except Exception as error:  # a bug here must not end the polling, nor, with it, the server
        log.exception("endpoint source", source=name)
        endpoints.failed(name, f"{type(error).__name__}: {error}")


def _matching(pattern: str) -> list[str]:
    """The files that match, by name."""
    found = glob.iglob(pattern, recursive=True)  # noqa: PTH207 (Path.glob takes no absolute patterns)
    return sorted(path for path in found if Path(path).is_file())


def _watched(pattern: str) -> tuple[Path, bool]:
    """The folder to watch for a pattern, and whether those below it count."""
    parts = Path(pattern).parts
    plain = next((index for index, part in enumerate(parts) if glob.has_magic(part)), len(parts) - 1)
    return Path(*parts[:plain]), plain < len(parts) - 1
