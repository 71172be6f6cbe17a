"""The connected Envoys, one line each: who they are, and how far they have got.

Counted from what the streams keep anyway: an Envoy in sync costs as much as it has types, however many
resources it has.
"""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence

from xds.catalog.catalog import Catalog
from xds.catalog.types import short_name
from xds.discovery.dialect import STATE_OF_THE_WORLD
from xds.discovery.hub import Hub
from xds.discovery.stream import Stream
from xds.discovery.subscription import Subscription
from xds.discovery.watch import Watch
from xds.fleet.envoys import acknowledged


@dataclasses.dataclass(frozen=True)
class Envoy:
    """One connected Envoy, over all its streams.

    Attributes:
        id: `node.id`.
        cluster: `node.cluster`.
        version: Envoy's; "" where it doesn't say.
        address: where it connects from, without the port; "" where nobody knows.
        dialect: `delta` or `sotw`.
        connected_at: of its oldest stream, in seconds since the epoch; 0.0 where nobody knows.
        in_sync: whether it acknowledged everything.
        applied: how many resources it has as they are to be.
        waiting: how many it was sent, or is to be.
        rejected: how many it refuses.
        rejections: what it refuses: `<type> <name>: <text>`, `routes of <deployment>: <text>`.
    """

    id: str
    cluster: str
    gateway: str
    version: str
    address: str
    dialect: str
    connected_at: float
    in_sync: bool
    applied: int
    waiting: int
    rejected: int
    rejections: tuple[str, ...]


def envoys(
    hub: Hub,
    gateways: Iterable[str],
    after: tuple[str, str] | None = None,
    limit: int | None = None,
) -> Iterator[Envoy]:
    """Envoys by gateway and id.

    Args:
        hub: whose.
        gateways: of these.
        after: only those after this gateway and id.
        limit: how many at most; None: all.
    """
    sizes = _Sizes()
    for gateway, id_ in itertools.islice(_keys(hub, gateways, after), limit):
        yield _envoy(gateway, hub.members(gateway).streams[id_], sizes, hub)


def _keys(hub: Hub, gateways: Iterable[str], after: tuple[str, str] | None) -> Iterator[tuple[str, str]]:
    """Gateways and ids in order."""
    last_gateway, last_id = after or ("", None)
    for gateway in sorted(gateways):
        if gateway >= last_gateway:
            ids = hub.members(gateway).ids_after(last_id if gateway == last_gateway else None)
            yield from ((gateway, id_) for id_ in ids)


def envoy(hub: Hub, gateway: str, id_: str) -> Envoy | None:
    """One Envoy of a gateway, if it is connected."""
    streams = hub.members(gateway).streams.get(id_)
    return _envoy(gateway, streams, _Sizes(), hub) if streams else None


def _envoy(gateway: str, streams: Sequence[Stream], sizes: "_Sizes", hub: Hub) -> Envoy:
    first = streams[0]
    refused_routes = [said for stream in streams for said in hub.holds(stream).items() if said[1]]
    counts = [
        (sizes.of(stream.catalog, watch), *_missing(stream.catalog, watch))
        for stream in streams
        for watch in stream.watches.values()
    ]
    return Envoy(
        id=first.node.id,
        cluster=first.node.cluster,
        gateway=gateway,
        version=".".join(map(str, first.node.version or ())),
        address=first.peer.address,
        dialect="sotw" if first.dialect is STATE_OF_THE_WORLD else "delta",
        connected_at=min(stream.peer.connected_at for stream in streams),
        in_sync=acknowledged(streams, hub),
        applied=sum(size - absent for size, absent, _, _ in counts),
        waiting=sum(waiting for _, _, waiting, _ in counts),
        rejected=sum(rejected for _, _, _, rejected in counts) + len(refused_routes),
        rejections=(
            *(
                f"{short_name(type_)} {rejection.name}: {rejection.text}"
                for stream in streams
                for type_, rejection in stream.rejections()
            ),
            *(f"routes of {name}: {text}" for name, text in refused_routes),
        ),
    )


def _missing(catalog: Catalog, watch: Watch) -> tuple[int, int, int]:
    """Of what there is of a type, how many a peer lacks; how many are on their way; how many it refuses."""
    unsettled = watch.unsettled()
    refused = sum(watch.rejections.holds_back(name, catalog.get(watch.type, name)) for name in unsettled)
    absent = sum(catalog.get(watch.type, name) is not None for name in unsettled)
    return absent, len(unsettled) - refused, refused


class _Sizes:
    """How many resources peers asked for, counted once for all that asked for the same."""

    def __init__(self) -> None:
        self._known: dict[tuple[Catalog, str, Subscription], int] = {}

    def of(self, catalog: Catalog, watch: Watch) -> int:
        key = (catalog, watch.type, watch.subscription)
        if key not in self._known:
            there_are = catalog.all(watch.type).keys()
            asked = watch.subscription
            self._known[key] = len(there_are) if asked.wildcard else len(asked.names & there_are)
        return self._known[key]
