"""All of it together: open the store, load, listen, follow, stop gracefully."""

import asyncio
import gc
import signal
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import grpc
import structlog

from xds import __version__
from xds.admin.about import About
from xds.control.keeping import MetricKeeper
from xds.control.plane import ControlPlane
from xds.control.publisher import Publisher
from xds.control.state import State
from xds.discovery.hub import Hub
from xds.errors import CanaryError, SettingsError
from xds.server import exposure, load, logs, metrics
from xds.server.entrance import admin_entrance
from xds.server.health_checks import HealthChecks, heed_envoys
from xds.server.http import http_server
from xds.server.listeners import add_admin_services, admin_server, metrics_server, xds_server
from xds.server.prometheus_source import Prometheus
from xds.server.ready import ReadyFile
from xds.server.settings import Settings
from xds.server.sources import Sources
from xds.server.specs import SpecsFolder
from xds.server.status import ClientStatus
from xds.server.telemetry import MetricsService
from xds.server.tls import Tls, read_tls
from xds.server.xds import Discovery, Wakers
from xds.store.sqlite import SqliteStore

_GRACE = 2.0
"""Seconds for calls of the admin API that are under way when the server stops."""

_LAST_PUSH = 0.2
"""Seconds for the last push; Envoys' streams never end by themselves."""

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
    entrance = admin_entrance(settings, tls)
    ready = ReadyFile(settings.ready_file)
    async with AsyncExitStack() as stack:
        wakers = Wakers()
        plane = await stack.enter_async_context(_control_plane(settings, wakers))
        ready.remove()  # now that the store is ours: before that, it could be another server's
        stack.callback(ready.remove)
        keeper = await stack.enter_async_context(MetricKeeper(plane.telemetry, plane.writer.ask))
        specs = SpecsFolder(settings.specs, plane) if settings.specs else None
        sources = Sources(settings.endpoint_sources, plane.endpoints)
        _ask_others(settings, plane)
        loaded = asyncio.Event()
        discovery = Discovery(plane.hub, settings.gateways, wakers)
        for_envoys = await _servers_for_envoys(settings, plane, discovery, tls)
        admin, admin_address = admin_server(settings.admin_listen, entrance)
        measured = metrics.registry(plane, discovery.admission)
        export = stack.enter_context(_exporting(settings.otlp_endpoint, plane, measured))
        runner, http_address = await http_server(settings.http_listen, measured, loaded.is_set)
        stack.push_async_callback(runner.cleanup)
        about = About(
            version=__version__,
            started_at=time.time(),
            xds_address=for_envoys["xds"][1],
            admin_address=admin_address,
            http_address=http_address,
            xds_tls=tls is not None,
            xds_client_certificates=tls is not None and tls.client_ca is not None,
            admin_tls=tls is not None,
            admin_access=(entrance.access,),
            store=str(settings.store),
        )
        closing = await add_admin_services(admin, plane, discovery.admission, about)
        async with asyncio.TaskGroup() as tasks:
            publishing = tasks.create_task(plane.publisher.run())
            if specs is not None:
                await specs.load()
            await sources.load()
            plane.publisher.publish()
            await asyncio.gather(*(server.start() for server, _ in for_envoys.values()))
            await admin.start()
            _tune_garbage_collection()
            addresses = {name: address for name, (_, address) in for_envoys.items()} | {
                "admin": admin_address,
                "http": http_address,
            }
            loaded.set()
            ready.write(addresses)
            log.info("serving", **addresses, tls=about.xds_tls, admin_access=entrance.access)
            following = [
                tasks.create_task(each)
                for each in (*_background(settings, plane, sources, specs, keeper), *export)
            ]
            await stop.wait()
            log.info("stopping")
            ready.remove()
            for task in following:
                task.cancel()
            closing.close()
            await admin.stop(_GRACE)
            publishing.cancel()
            plane.publisher.publish()  # what was accepted last
            await asyncio.gather(*(server.stop(_LAST_PUSH) for server, _ in for_envoys.values()))


def _told_to_stop() -> asyncio.Event:
    """Set by SIGINT and SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def _background(
    settings: Settings, plane: ControlPlane, sources: Sources, specs: SpecsFolder | None, keeper: MetricKeeper
) -> Iterator[Coroutine[None, None, None]]:
    """What goes on until the server stops."""
    yield plane.endpoints.run()
    yield keeper.run()
    yield sources.follow()
    if specs is not None:
        yield specs.follow()
    yield HealthChecks(plane.health).run() if settings.health_checks else heed_envoys(plane.health)


def _ask_others(settings: Settings, plane: ControlPlane) -> None:
    """Ask others than the Envoys for metrics, too."""
    for each in settings.metric_sources:
        plane.metrics.sources[each.name] = Prometheus(each, plane.metrics.names, time.time)


@contextmanager
def _exporting(
    endpoint: str | None, plane: ControlPlane, registry: metrics.Metrics
) -> Iterator[tuple[Coroutine[None, None, None], ...]]:
    """What is to go on for a collector to hear of metrics and changes; nothing without one."""
    if endpoint is None:
        yield ()
        return
    try:
        from xds.server.telemetry_out import exporting  # noqa: PLC0415 (an option, with modules of its own)
    except ImportError as error:
        raise SettingsError(
            f"--otlp-endpoint needs what isn't installed ({error.name}): pip install 'canary-xds[otel]'"
        ) from error
    with exporting(endpoint, plane.publisher.journeys, registry) as bridge:
        yield (bridge.run(),)


async def _servers_for_envoys(
    settings: Settings, plane: ControlPlane, discovery: Discovery, tls: Tls | None
) -> dict[str, tuple[grpc.aio.Server, str]]:
    """All that Envoys may call, and once more for their reports alone, where wanted; with addresses."""
    reports = MetricsService(plane.telemetry, discovery.admission, time.time).handler()
    handlers = (*discovery.handlers(), ClientStatus(plane.hub).handler(), load.handler(), reports)
    servers = {"xds": await xds_server(handlers, settings.xds_listen, tls)}
    if settings.metrics_listen is not None:
        servers["metrics"] = await metrics_server(reports, settings.metrics_listen, tls)
    return servers


@asynccontextmanager
async def _control_plane(settings: Settings, wakers: Wakers) -> AsyncIterator[ControlPlane]:
    """The control plane over its store, which has a thread of its own."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, thread_name_prefix="store") as thread:
        store = await loop.run_in_executor(thread, SqliteStore, settings.store)
        try:
            since = time.time() - settings.keep_builds
            memory = await loop.run_in_executor(thread, store.load, since)
            state = State(settings.gateways, memory, settings.keep_builds)
            hub = Hub((gateway.name for gateway in settings.gateways), time.monotonic)
            yield ControlPlane(state, store, thread, Publisher(state, hub, wakers.wake, settings.push_window))
        finally:
            await loop.run_in_executor(thread, store.close)


def _tune_garbage_collection() -> None:
    """What is loaded stays: collecting it again and again doubles the time of a push (facts)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)
