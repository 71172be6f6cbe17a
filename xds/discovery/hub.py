"""All streams: which are to hear of a change.

Each gateway has one catalog; its streams note what they owe when the catalog changes. The caller
commits to a catalog through the hub and wakes the streams that come back.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from xds.catalog.catalog import Catalog
from xds.catalog.resource import Resource
from xds.discovery.dialect import DELTA, Dialect
from xds.discovery.order import Clock
from xds.discovery.request import Node
from xds.discovery.stream import Counters, Stream


class Hub:
    """Catalogs by gateway name, and the streams that follow them."""

    def __init__(self, gateways: Iterable[str], clock: Clock = lambda: 0.0) -> None:
        self._clock = clock
        self.catalogs = {gateway: Catalog() for gateway in gateways}
        self._streams: dict[str, set[Stream]] = defaultdict(set)
        self._ended = Counters()

    def open(self, gateway: str, node: Node, dialect: Dialect = DELTA, *, aggregated: bool = True) -> Stream:
        """A new stream of an Envoy that belongs to a gateway."""
        stream = Stream(self.catalogs[gateway], node, dialect, self._clock, aggregated=aggregated)
        self._streams[gateway].add(stream)
        return stream

    def close(self, gateway: str, stream: Stream) -> None:
        """The stream has ended."""
        self._streams[gateway].discard(stream)
        self._ended += stream.counters

    def streams(self, gateway: str) -> Iterator[Stream]:
        """The open streams of a gateway."""
        return iter(tuple(self._streams[gateway]))

    def totals(self) -> Counters:
        """What all streams have seen, those that ended included."""
        open_streams = (stream.counters for streams in self._streams.values() for stream in streams)
        return sum(open_streams, self._ended)

    def commit(
        self, gateway: str, put: Iterable[Resource], gone: Iterable[tuple[str, str]] = ()
    ) -> list[Stream]:
        """Change a gateway's catalog; returns the streams that have something to hear."""
        changes = self.catalogs[gateway].commit(put, gone)
        if not changes:
            return []
        return [stream for stream in self._streams[gateway] if stream.notice(changes)]
