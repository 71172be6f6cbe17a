"""A model service to try Canary with: it says which version answered, at once or word by word.

python examples/model.py --model chat --version v1 --port 3001
python examples/model.py --endpoints examples/endpoints.yaml     # every build in the file, where it says

GET or POST /anything   {"model": "chat", "version": "v1", "answer": "..."}
GET /stream             the same answer as server-sent events, a word every 0.2 s
GET /healthz            200
"""

import argparse
import asyncio
import contextlib
import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml
from aiohttp import web

WORD_EVERY = 0.2
"""Seconds."""


@dataclasses.dataclass(frozen=True)
class Service:
    """One version of a model."""

    model: str
    version: str

    @property
    def sentence(self) -> str:
        """All it ever says."""
        return f"This is {self.model} {self.version}, at your service."

    async def answer(self, _: web.Request) -> web.Response:
        """Answer at once."""
        return web.json_response({"model": self.model, "version": self.version, "answer": self.sentence})

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Answer word by word."""
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for word in self.sentence.split():
            await response.write(f"data: {word}\n\n".encode())
            await asyncio.sleep(WORD_EVERY)
        return response

    async def healthy(self, _: web.Request) -> web.Response:
        """Be fine."""
        return web.Response(text="ok")


def _app(service: Service) -> web.Application:
    app = web.Application()
    app.router.add_get("/healthz", service.healthy)
    app.router.add_get("/stream", service.stream)
    app.router.add_route("*", "/{path:.*}", service.answer)
    return app


async def _serve(places: Iterable[tuple[Service, str, int]]) -> None:
    for service, host, port in places:
        runner = web.AppRunner(_app(service), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, host, port).start()
    await asyncio.Event().wait()


def _places(file: str) -> Iterator[tuple[Service, str, int]]:
    """What an endpoints file names: `chat:v1` at `127.0.0.1:3001`."""
    for tag, endpoints in yaml.safe_load(Path(file).read_text(encoding="utf-8"))["endpoints"].items():
        for endpoint in endpoints:
            host, _, port = endpoint.rpartition(":")
            yield Service(*tag.split(":")), host, int(port)


def main() -> None:
    """Serve until stopped."""
    flags = argparse.ArgumentParser(description="A model service that says which version it is.")
    flags.add_argument("--model")
    flags.add_argument("--version")
    flags.add_argument("--host", default="127.0.0.1")
    flags.add_argument("--port", type=int)
    flags.add_argument("--endpoints", metavar="FILE", help="instead of the others: all builds in it")
    given = flags.parse_args()
    if given.endpoints:
        places = list(_places(given.endpoints))
    elif given.model and given.version and given.port:
        places = [(Service(given.model, given.version), given.host, given.port)]
    else:
        flags.error("give --model, --version and --port, or --endpoints")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(places))


if __name__ == "__main__":
    main()
