"""The image of what is published: kept in the store, for the next start to answer from.

It is written behind what it is of: once a second (or less often, where that is much) what changed since.
So it lags, and says up to which write it has everything. A server that starts uses it only if that was the
last one, and if it would have made the same. An Envoy is never sent anything older than what was committed.
What changes by itself (a retired build goes, last endpoints fade, slots are lent) makes no write: of that
the image may be as much behind as there is time between two writes of it.
"""

import asyncio
import functools
import hashlib
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Self

import structlog

from xds import __version__
from xds.catalog.batches import Change
from xds.catalog.resource import Resource
from xds.catalog.types import Type
from xds.discovery.hub import Hub, Target
from xds.errors import StoreError
from xds.spec.gateway import Gateway
from xds.spec.scoped import SCOPED
from xds.store.image_rows import Key, Page, Whose
from xds.store.interface import Asks, Store

_PAUSE = 1.0
"""Seconds in which changes are gathered into one write, at least."""

_REST = 20
"""It rests so many times as long as a write took: the store has better things to do."""

_AT_ONCE = 1_000
"""Resources in a transaction: others that write wait for one, not for all."""

_ROOMS = ("spec", "slots", "revisions", "fleet", "translate", "catalog", "control")
"""Whose code makes resources."""

log = structlog.get_logger(__name__)


def maker(gateways: Iterable[Gateway]) -> str:
    """What makes resources of what was committed: these gateways, and this code."""
    digest = hashlib.sha256(f"{__version__}\n".encode())
    for gateway in gateways:
        digest.update(gateway.model_dump_json().encode())
    for source in _sources():
        digest.update(source.read_bytes())
    return digest.hexdigest()


def fill(hub: Hub, gateways: Iterable[Gateway], image: Mapping[Whose, Iterable[Resource]]) -> None:
    """Have a hub's catalogs say what an image says."""
    modes = {gateway.name: gateway.mode for gateway in gateways}
    for whose, resources in image.items():
        target = Target(*whose)
        hub.prepare(target)
        hub.commit(target, resources)
        if modes[target.gateway] != SCOPED:
            hub.call_foreign(target, frozenset({Type.SCOPED_ROUTE}))


class ImageKeeper:
    """Notes what changes in a hub's catalogs, and writes it; used with `async with`.

    Args:
        hub: whose catalogs.
        ask: the store.
        position: how many writes the catalogs have everything of; None while they lag behind.
    """

    def __init__(self, hub: Hub, ask: Asks, position: Callable[[], int | None]) -> None:
        self._ask = ask
        self._position = position
        self._unsaved: dict[Key, Resource | None] = {}
        self._saved: int | None = None
        self._failed = False
        hub.changes = self._note

    async def __aenter__(self) -> Self:
        """It has been noting since it was made."""
        return self

    async def __aexit__(self, failure: type[BaseException] | None, *_: object) -> None:
        """Save what is not saved yet, if all went well."""
        if failure is None:
            await self.save()

    async def run(self) -> None:
        """Save what changes, until cancelled."""
        pause = _PAUSE
        while True:
            await asyncio.sleep(pause)
            began = time.monotonic()
            await self.save()
            pause = max(_PAUSE, _REST * (time.monotonic() - began))

    async def save(self) -> None:
        """Save what changed since the last time. What fails, or is cancelled, comes with the next time."""
        position = self._position()
        if not self._unsaved and position in (None, self._saved):
            return
        unsaved, self._unsaved = self._unsaved, {}
        try:
            for page in _pages(unsaved, position):
                await self._ask(functools.partial(_write, page))
        except StoreError as error:
            (log.debug if self._failed else log.warning)("image not saved", error=str(error))
            self._failed = True
        else:
            self._saved, self._failed, unsaved = position, False, {}
        finally:
            self._unsaved = unsaved | self._unsaved

    def _note(self, target: Target, changes: Iterable[Change]) -> None:
        if not target.held:
            whose = target.gateway, target.profile
            self._unsaved |= {(whose, each.type, each.name): each.after for each in changes}


def _pages(resources: Mapping[Key, Resource | None], position: int | None) -> Iterator[Page]:
    """One page at least; the last one says the position."""
    left = iter(resources.items())
    page = dict(itertools.islice(left, _AT_ONCE))
    while following := dict(itertools.islice(left, _AT_ONCE)):
        yield Page(page, None)
        page = following
    yield Page(page, position)


def _write(page: Page, store: Store) -> None:
    store.write_image(page)


def _sources() -> list[Path]:
    package = Path(__file__).parent.parent
    return [source for room in _ROOMS for source in sorted((package / room).rglob("*.py"))]
