"""Start and stop: open the store, answer Envoys from its image, load the rest, serve, stop gracefully.

What an Envoy needs of us comes first. All that is imported here is what answers it; the rest is imported
and loaded while the first Envoys are served.
"""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeAlias

import structlog

from xds.control.image import maker
from xds.errors import CanaryError, SettingsError, StoreError
from xds.server import exposure, logs
from xds.server.front import Front
from xds.server.opened import Opened, open_store
from xds.server.ready import ReadyFile
from xds.server.settings import Settings
from xds.server.tls import Tls, read_tls

Rest: TypeAlias = Callable[[Settings, Tls | None, Opened, Front, ReadyFile, asyncio.Event], Awaitable[None]]
log = structlog.get_logger(__name__)


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        SettingsError, StoreError: the server could not start.
    """
    logs.configure(settings.log_format, settings.log_level)
    try:
        asyncio.run(serve(settings))
    except ExceptionGroup as group:
        told: Exception | None = group.subgroup(CanaryError)
        while isinstance(told, ExceptionGroup):
            told = told.exceptions[0]
        if told is None:
            raise
        raise told from group  # one line rather than the traceback of a task group


async def serve(settings: Settings) -> None:
    """Serve until the process is told to stop."""
    stop = _told_to_stop()
    if settings.specs is not None and not settings.specs.is_dir():
        raise SettingsError(f"there is no folder {settings.specs}; create it, or leave out --specs")
    for open_end in exposure.check(settings):
        log.warning("insecure", listener=open_end)
    tls = read_tls(settings.tls_cert, settings.tls_key, settings.client_ca)
    ready = ReadyFile(settings.ready_file)
    async with AsyncExitStack() as stack:
        gc.disable()  # until all is loaded: what is loaded stays, and is not to be looked at again and again
        stack.callback(gc.enable)
        opened = await stack.enter_async_context(open_store(settings.store))
        ready.remove()  # now that the store is ours: before that, it could be another server's
        stack.callback(ready.remove)
        front = await stack.enter_async_context(Front(settings, tls))
        await _open_early(front, opened, maker(settings.gateways))
        serve_the_rest = await asyncio.to_thread(_the_rest)
        await serve_the_rest(settings, tls, opened, front, ready, stop)


async def _open_early(front: Front, opened: Opened, made_by: str) -> None:
    """Answer Envoys with what was published last, if that is what would be published now.

    Where the store can't say, or can't begin another image, they wait until all is loaded.
    """
    try:
        image = await opened.ask(lambda store: store.image(made_by))
        if image is None:
            await opened.ask(lambda store: store.begin_image(made_by))
    except StoreError as error:
        log.warning("no image of what is published is kept: the next start is slower", error=str(error))
        return
    opened.keeps_image = True
    if image is not None:
        await front.open_with(image)


def _the_rest() -> Rest:
    """Nine tenths of the modules; importing them takes longer than to answer the first Envoy."""
    from xds.server.rest import serve_the_rest  # noqa: PLC0415 (see above)

    return serve_the_rest


def _told_to_stop() -> asyncio.Event:
    """Set by SIGINT and SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
