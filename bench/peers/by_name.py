"""The floor for real Envoys, which take what they are sent at their own pace.

    python -m bench.peers.by_name

They ask for endpoints by name, as they take in the clusters. The next answer of a type goes out when the
last one is acknowledged: of clusters that came all at once, Envoy would read the endpoints last, and on a
busy machine give up on them. And whatever else there is waits for the clusters, which scopes must find.
"""

from __future__ import annotations  # grpc's classes are generic in their stubs only

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator

from bench.peers.floor import Context, Floor, main
from xds.catalog.types import Type
from xds.stubs.envoy_service_discovery_v3_pb2 import DeltaDiscoveryRequest, DeltaDiscoveryResponse

MOST = 5_000
"""Resources in an answer: gRPC's messages end at 4 MB."""


class ByName(Floor):
    """A floor that picks what is asked for by name out of what was recorded; all is encoded already."""

    def __init__(self) -> None:
        super().__init__()
        self._named: dict[str, dict[str, bytes]] = {}

    async def delta(self, requests: AsyncIterator[bytes], context: Context) -> None:
        """Serve a stream of the incremental dialect."""
        waiting: dict[str, deque[bytes]] = {}
        in_flight: set[str] = set()
        lock = self._streams[context] = asyncio.Lock()
        try:
            async for raw in requests:
                request = DeltaDiscoveryRequest.FromString(raw)
                url, names = request.type_url, request.resource_names_subscribe
                if request.response_nonce:
                    in_flight.discard(url)
                if names:
                    waiting.setdefault(url, deque()).extend(self._pick(url, names))
                elif url not in waiting:
                    waiting[url] = deque(self._answers.get(url, ()))
                for due in list(_due(waiting, in_flight)):
                    in_flight.add(due)
                    async with lock:
                        await context.write(waiting[due].popleft())
        finally:
            del self._streams[context]

    def _pick(self, url: str, names: Iterable[str]) -> Iterator[bytes]:
        pieces = self._named[url]
        found = [pieces[name] for name in names if name in pieces]
        head = DeltaDiscoveryResponse(type_url=url, nonce="1").SerializeToString()
        for first in range(0, len(found), MOST):
            yield b"".join((head, *found[first : first + MOST]))

    async def obey(self, asked: dict[str, str]) -> dict[str, object]:
        """Do what a line says."""
        said = await super().obey(asked)
        if asked["do"] == "answers":
            self._named = {url: dict(_pieces(answers)) for url, answers in self._answers.items()}
        return said


def _due(waiting: dict[str, deque[bytes]], in_flight: set[str]) -> Iterator[str]:
    """The types of which an answer may go out now."""
    clusters = bool(waiting.get(Type.CLUSTER)) or Type.CLUSTER in in_flight
    for url, answers in waiting.items():
        if answers and url not in in_flight and (not clusters or url in {Type.CLUSTER, Type.ENDPOINT}):
            yield url


def _pieces(answers: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """Each resource as it stands in an answer: encoded messages may be joined."""
    for raw in answers:
        for resource in DeltaDiscoveryResponse.FromString(raw).resources:
            yield resource.name, DeltaDiscoveryResponse(resources=[resource]).SerializeToString()


if __name__ == "__main__":
    asyncio.run(main(ByName()))
