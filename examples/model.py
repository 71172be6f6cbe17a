"""A model service to try Canary with: it says which version answered, at once or word by word.

python examples/model.py --model chat --version v1 --port 3001

GET or POST /anything   {"model": "chat", "version": "v1", "answer": "..."}
GET /stream             the same answer as server-sent events, a word every 0.2 s
GET /healthz            200
"""

import argparse
import asyncio
import dataclasses

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


def main() -> None:
    """Serve until stopped."""
    flags = argparse.ArgumentParser(description="A model service that says which version it is.")
    flags.add_argument("--model", required=True)
    flags.add_argument("--version", required=True)
    flags.add_argument("--host", default="127.0.0.1")
    flags.add_argument("--port", type=int, required=True)
    given = flags.parse_args()
    app = _app(Service(given.model, given.version))
    web.run_app(app, host=given.host, port=given.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
