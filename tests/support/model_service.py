"""The model services behind the Envoy, as a program: every build on a port of its own.

    python -m tests.support.model_service READY_FILE BUILD[=PORT]...

writes `{build: {"http": port, "grpc": port}}` to READY_FILE once it serves; a PORT is for HTTP. Each
build tells its name in every answer, so a test sees which version a request really reached:

    /stream    server-sent events, `?seconds=20&interval=0.2`, each naming the build
    /ws        a websocket that repeats what it hears, behind the build's name
    /echo      JSON: the build, the path, the query and the headers that arrived
    /measure   JSON: the build, and how many bytes of body arrived
    /_switch   POST {"status": 503, "delay": 0.5, "reset": true}: how every other answer is to be from now on
    /_seen     how many of these there were
    /...       the build's name

and, by gRPC, `/test.Echo/Chat`: bytes in, the build's name before the same bytes out.
"""

import asyncio
import dataclasses
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
from aiohttp import web

from tests.support.ports import LOOPBACK

CHAT = "/test.Echo/Chat"
LIE = {"x-canary-version": "liar"}
"""A model can't say which version it is: the gateway does."""


@dataclasses.dataclass
class Build:
    """One build, and how it answers at the moment."""

    name: str
    status: int = 200
    delay: float = 0.0
    """Seconds."""
    reset: bool = False
    """Whether connections are reset instead, once the whole request has arrived."""
    seen: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        """Say who it is."""
        self.seen += 1
        async for _ in request.content.iter_any():
            pass
        await asyncio.sleep(self.delay)
        if self.reset and request.transport is not None:
            request.transport.abort()
        return web.Response(text=self.name, status=self.status, headers=LIE)

    async def echo(self, request: web.Request) -> web.Response:
        """Say what arrived."""
        return web.json_response(
            {
                "build": self.name,
                "path": request.path,
                "query": request.query_string,
                "headers": {name.lower(): value for name, value in request.headers.items()},
            }
        )

    async def measure(self, request: web.Request) -> web.Response:
        """Say how much arrived."""
        length = sum([len(chunk) async for chunk in request.content.iter_any()])
        return web.json_response({"build": self.name, "length": length})

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Send an event every `interval` seconds, for `seconds`, and then say that this was all."""
        seconds = float(request.query.get("seconds", "20"))
        interval = float(request.query.get("interval", "0.2"))
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for number in range(round(seconds / interval)):
            await response.write(f"id: {number}\ndata: {self.name}\n\n".encode())
            await asyncio.sleep(interval)
        await response.write(b"event: end\ndata: end\n\n")
        await response.write_eof()
        return response

    async def websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Repeat every text behind the build's name."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(f"{self.name}: {message.data}")
        return socket

    async def switch(self, request: web.Request) -> web.Response:
        """Answer differently from now on."""
        wish = await request.json()
        self.status = wish.get("status", 200)
        self.delay = wish.get("delay", 0.0)
        self.reset = wish.get("reset", False)
        return web.Response()

    async def count(self, _: web.Request) -> web.Response:
        """Say how many requests there were."""
        return web.json_response(self.seen)

    async def chat(
        self, messages: AsyncIterator[bytes], _: grpc.aio.ServicerContext[bytes, bytes]
    ) -> AsyncIterator[bytes]:
        """Repeat every message behind the build's name."""
        async for message in messages:
            yield self.name.encode() + b": " + message

    async def serve(self, port: int = 0) -> dict[str, int]:
        """Listen, and return the ports."""
        app = web.Application()
        app.router.add_route("*", "/{under:(?:.*/)?}stream", self.stream)
        app.router.add_route("*", "/{under:(?:.*/)?}measure", self.measure)
        app.router.add_get("/{under:(?:.*/)?}ws", self.websocket)
        app.router.add_route("*", "/echo", self.echo)
        app.router.add_post("/_switch", self.switch)
        app.router.add_get("/_seen", self.count)
        app.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, LOOPBACK, port)
        await site.start()
        server = grpc.aio.server()
        chat: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(self.chat)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", {"Chat": chat}),))
        grpc_port = server.add_insecure_port(f"{LOOPBACK}:0")
        await server.start()
        self._kept = (runner, server)
        return {"http": runner.addresses[0][1], "grpc": grpc_port}


async def _main(ready_file: Path, *builds: str) -> None:
    wishes = (build.partition("=") for build in builds)
    ports = {build: await Build(build).serve(int(port or 0)) for build, _, port in wishes}
    ready_file.with_suffix(".part").write_text(json.dumps(ports))
    ready_file.with_suffix(".part").rename(ready_file)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), *sys.argv[2:]))
