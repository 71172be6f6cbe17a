"""Health, readiness and metrics over HTTP."""

import asyncio
from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from xds.errors import SettingsError
from xds.server.metrics import Metrics


async def http_server(listen: str, registry: Metrics, ready: Callable[[], bool]) -> tuple[web.AppRunner, str]:
    """Start serving /healthz, /readyz and /metrics; returns the runner to clean up, and the address."""

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        return web.Response(text="ready\n") if ready() else web.Response(status=503, text="loading\n")

    async def metrics(_: web.Request) -> web.Response:
        # Read here, where nothing changes meanwhile; written in a thread, so that pushes don't wait for it.
        body = await asyncio.to_thread(generate_latest, registry.read())
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    host, _, port = listen.rpartition(":")
    site = web.TCPSite(runner, host, int(port))
    try:
        await site.start()
    except OSError as error:
        raise SettingsError(f"can't listen on {listen}: {error.strerror}; is the port taken?") from error
    return runner, f"{host}:{runner.addresses[0][1]}"
