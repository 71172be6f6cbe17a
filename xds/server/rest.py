"""The rest of the server: loaded while the first Envoys are answered from the image.

What takes long is done in threads, so that the Envoys have their turns. The control plane is made with a
hub of its own, and takes over the streams when it is complete. The server is ready, and people and
programs are let in, when everything is there.
"""

import asyncio
import gc
import time
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager

import structlog

from xds import __version__
from xds.admin.about import About
from xds.control.image import ImageKeeper
from xds.control.keeping import MetricKeeper
from xds.control.plane import ControlPlane
from xds.control.publisher import Publisher, at_once
from xds.control.state import State
from xds.discovery.hub import Hub, Target
from xds.errors import SettingsError
from xds.server import load, metrics
from xds.server.admin_listener import add_admin_services, admin_server
from xds.server.entrance import admin_entrance
from xds.server.front import Front
from xds.server.health_checks import HealthChecks, heed_envoys
from xds.server.http import http_server
from xds.server.listeners import metrics_server
from xds.server.opened import Opened
from xds.server.prometheus_source import Prometheus
from xds.server.ready import ReadyFile
from xds.server.settings import Settings
from xds.server.sources import Sources
from xds.server.specs import SpecsFolder
from xds.server.status import ClientStatus
from xds.server.telemetry import MetricsService
from xds.server.tls import Tls
from xds.store.records import Memory

_GRACE = 2.0
"""Seconds for calls of the admin API that are under way when the server stops."""

log = structlog.get_logger(__name__)


async def serve_the_rest(
    settings: Settings, tls: Tls | None, opened: Opened, front: Front, ready: ReadyFile, stop: asyncio.Event
) -> None:
    """Load everything, serve until `stop`, end politely."""
    entrance = admin_entrance(settings, tls)
    async with AsyncExitStack() as stack:
        plane = await _control_plane(settings, opened, front)
        if stop.is_set():
            return
        image = await _take_over(plane, opened, front, stack)
        keeper = await stack.enter_async_context(MetricKeeper(plane.telemetry, plane.writer.ask))
        specs = SpecsFolder(settings.specs, plane) if settings.specs else None
        sources = Sources(settings.endpoint_sources, plane.endpoints)
        _ask_others(settings, plane)
        loaded = asyncio.Event()
        reports = MetricsService(plane.telemetry, front.discovery.admission, time.time).handler()
        front.add((ClientStatus(plane.hub).handler(), load.handler(), reports))
        addresses = {"xds": front.address}
        if settings.metrics_listen is not None:
            for_reports, addresses["metrics"] = await metrics_server(reports, settings.metrics_listen, tls)
            stack.push_async_callback(for_reports.stop, None)
        admin, addresses["admin"] = admin_server(settings.admin_listen, entrance)
        measured = metrics.registry(plane, front.discovery.admission)
        export = stack.enter_context(_exporting(settings.otlp_endpoint, plane, measured))
        runner, addresses["http"] = await http_server(settings.http_listen, measured, loaded.is_set)
        stack.push_async_callback(runner.cleanup)
        about = About(
            version=__version__,
            started_at=time.time(),
            xds_address=front.address,
            admin_address=addresses["admin"],
            http_address=addresses["http"],
            xds_tls=tls is not None,
            xds_client_certificates=tls is not None and tls.client_ca is not None,
            admin_tls=tls is not None,
            admin_access=(entrance.access,),
            store=str(settings.store),
        )
        closing = await add_admin_services(admin, plane, front.discovery.admission, about)
        async with asyncio.TaskGroup() as tasks:
            publishing = tasks.create_task(plane.publisher.run())
            if specs is not None:
                await specs.load()
            await sources.load()
            plane.publisher.publish()
            await front.open()
            if settings.metrics_listen is not None:
                await for_reports.start()
            await admin.start()
            _tune_garbage_collection()
            loaded.set()
            ready.write(addresses)
            log.info("serving", **addresses, tls=about.xds_tls, admin_access=entrance.access)
            going_on = *_background(settings, plane, sources, specs, keeper, image), *export
            following = [tasks.create_task(each) for each in going_on]
            await stop.wait()
            log.info("stopping")
            ready.remove()
            for task in following:
                task.cancel()
            closing.close()
            await admin.stop(_GRACE)
            publishing.cancel()
            plane.publisher.publish()  # what was accepted last
            await front.close()


def _background(
    settings: Settings,
    plane: ControlPlane,
    sources: Sources,
    specs: SpecsFolder | None,
    keeper: MetricKeeper,
    image: ImageKeeper | None,
) -> Iterator[Coroutine[None, None, None]]:
    """What goes on until the server stops."""
    yield plane.endpoints.run()
    yield keeper.run()
    yield sources.follow()
    if specs is not None:
        yield specs.follow()
    if image is not None:
        yield image.run()
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


async def _control_plane(settings: Settings, opened: Opened, front: Front) -> ControlPlane:
    """The control plane over its store, with all that it publishes."""
    since = time.time() - settings.keep_builds
    memory = await opened.ask(lambda store: store.load(since))

    def made(memory: Memory) -> ControlPlane:
        state = State(settings.gateways, memory, settings.keep_builds)
        hub = Hub((gateway.name for gateway in settings.gateways), time.monotonic)
        publisher = Publisher(state, hub, front.wakers.wake, settings.push_window)
        publisher.gives_way = front.give_way
        return ControlPlane(state, opened.store, opened.thread, publisher)

    plane = await asyncio.to_thread(made, memory)
    while lacking := _lacking(front.hub, plane.hub):
        await asyncio.to_thread(plane.hub.prepare, lacking[0])
    plane.publisher.gives_way = at_once  # from here on it is in the loop's own thread that it publishes
    return plane


def _lacking(early: Hub, hub: Hub) -> list[Target]:
    """What Envoys are connected for and a hub has not made; more may come while it is made for these."""
    return [target for target in early.targets() if early.streams_of(target) and target not in hub.targets()]


async def _take_over(
    plane: ControlPlane, opened: Opened, front: Front, stack: AsyncExitStack
) -> ImageKeeper | None:
    """From here on the plane says what Envoys are to have, and an image of that is kept if one was begun."""
    image = ImageKeeper(plane.hub, opened.ask, plane.reflects) if opened.keeps_image else None
    if image is not None:
        await stack.enter_async_context(image)
    plane.publisher.take_over(front.hub)
    front.follow(plane.hub)  # at once: a stream that came in between would be forgotten
    return image


def _tune_garbage_collection() -> None:
    """What is loaded stays: collecting it again and again doubles the time of a push (facts)."""
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)
