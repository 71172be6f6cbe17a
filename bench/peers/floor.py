"""The floor: the least that grpc.aio costs for the same bytes.

It knows nothing. It writes what our server was recorded to say: to a new stream by the type that is asked
for, and to all streams whatever it is told to push. Told in lines of JSON, it answers each with one.

    python -m bench.peers.floor
"""

from __future__ import annotations  # grpc's classes are generic in their stubs only

import asyncio
import gc
import json
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path

import grpc

from bench.recording import read
from xds.stubs.envoy_service_discovery_v3_pb2 import (
    DeltaDiscoveryRequest,
    DeltaDiscoveryResponse,
    DiscoveryRequest,
    DiscoveryResponse,
)

SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
MANY = 100_000
OPTIONS = [("grpc.server.max_pending_requests", MANY), ("grpc.server.max_pending_requests_hard_limit", MANY)]
Context = grpc.aio.ServicerContext[bytes, bytes]


class Floor:
    """Streams, what new ones are answered, and what is next pushed."""

    def __init__(self) -> None:
        self._streams: dict[Context, asyncio.Lock] = {}
        self._answers: dict[str, list[bytes]] = {}
        self._pushes: list[tuple[int, bytes]] = []

    async def delta(self, requests: AsyncIterator[bytes], context: Context) -> None:
        """Serve a stream of the incremental dialect."""
        await self._serve(DeltaDiscoveryRequest, requests, context)

    async def state(self, requests: AsyncIterator[bytes], context: Context) -> None:
        """Serve a stream of the other one."""
        await self._serve(DiscoveryRequest, requests, context)

    async def _serve(
        self,
        message: type[DeltaDiscoveryRequest | DiscoveryRequest],
        requests: AsyncIterator[bytes],
        context: Context,
    ) -> None:
        told: set[str] = set()
        lock = self._streams[context] = asyncio.Lock()
        try:
            async for raw in requests:
                if len(told) == len(self._answers):
                    continue
                request = message.FromString(raw)
                if request.response_nonce or request.type_url in told:
                    continue
                told.add(request.type_url)
                async with lock:
                    for answer in self._answers.get(request.type_url, ()):
                        await context.write(answer)
        finally:
            del self._streams[context]

    async def push(self, *, late: bool) -> None:
        """Write what was loaded to every stream; `late`: also to those that come later."""
        for _, raw in self._pushes:
            if late:
                self._answers[_type_of(raw)] = [raw]
            await self._write(raw)

    async def replay(self) -> None:
        """Write what was loaded to every stream, in the rhythm in which it was recorded."""
        begun, first = asyncio.get_running_loop().time(), self._pushes[0][0]
        for at, raw in self._pushes:
            due = begun + (at - first) / 1e9
            await asyncio.sleep(due - asyncio.get_running_loop().time())
            await self._write(raw)

    async def _write(self, raw: bytes) -> None:
        async def one(context: Context, lock: asyncio.Lock) -> None:
            async with lock:
                await context.write(raw)

        # A stream may end meanwhile; that it could not be written to is nobody's fault.
        await asyncio.gather(*(one(*stream) for stream in self._streams.items()), return_exceptions=True)

    async def obey(self, asked: dict[str, str]) -> dict[str, object]:
        """Do what a line says."""
        match asked["do"]:
            case "answers":
                by_type = defaultdict(list)
                for _, raw in read(Path(asked["path"])):
                    by_type[_type_of(raw)].append(raw)
                self._answers = {url: [] for url in self._answers} | by_type
            case "load":
                self._pushes = list(read(Path(asked["path"])))
            case "push":
                await self.push(late=bool(asked.get("late")))
            case "replay":
                await self.replay()
        return {"streams": len(self._streams), "pushes": len(self._pushes)}


def _type_of(raw: bytes) -> str:
    # Field 4 in both dialects.
    return DeltaDiscoveryResponse.FromString(raw).type_url or DiscoveryResponse.FromString(raw).type_url


async def main(floor: Floor) -> None:
    """Serve until the input ends."""
    methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        "DeltaAggregatedResources": grpc.stream_stream_rpc_method_handler(floor.delta),
        "StreamAggregatedResources": grpc.stream_stream_rpc_method_handler(floor.state),
    }
    server = grpc.aio.server(options=OPTIONS)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
    lines = asyncio.StreamReader(limit=1 << 26)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    begin = json.loads(await lines.readline())
    port = server.add_insecure_port(begin["listen"])
    await floor.obey({"do": "answers", "path": begin["path"]})
    await server.start()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)
    print(json.dumps({"address": f"127.0.0.1:{port}"}), flush=True)
    while line := await lines.readline():
        print(json.dumps(await floor.obey(json.loads(line))), flush=True)
    await server.stop(None)


if __name__ == "__main__":
    asyncio.run(main(Floor()))
