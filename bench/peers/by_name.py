"""The floor for real Envoys: they ask for endpoints by name, as they take in the clusters.

python -m bench.peers.by_name
"""

from __future__ import annotations  # grpc's classes are generic in their stubs only

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator

from bench.peers.floor import Context, Floor, main
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
        told: set[str] = set()
        lock = self._streams[context] = asyncio.Lock()
        try:
            async for raw in requests:
                request = DeltaDiscoveryRequest.FromString(raw)
                url, names = request.type_url, request.resource_names_subscribe
                answers: Iterable[bytes] = ()
                if names:
                    answers = self._pick(url, names)
                elif not request.response_nonce and url not in told:
                    told.add(url)
                    answers = self._answers.get(url, ())
                async with lock:
                    for answer in answers:
                        await context.write(answer)
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


def _pieces(answers: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """Each resource as it stands in an answer: encoded messages may be joined."""
    for raw in answers:
        for resource in DeltaDiscoveryResponse.FromString(raw).resources:
            yield resource.name, DeltaDiscoveryResponse(resources=[resource]).SerializeToString()


if __name__ == "__main__":
    asyncio.run(main(ByName()))
