"""What each Envoy has of what it is to have, resource by resource.

Made when somebody asks, from what the streams keep anyway: for an Envoy in sync that is nothing at
all, and what it has is what the catalog has.
"""

import dataclasses
import enum
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from xds.catalog.resource import Resource
from xds.catalog.types import Type
from xds.discovery.answer import Item
from xds.discovery.hub import Hub
from xds.discovery.request import Node
from xds.discovery.stream import Stream
from xds.discovery.watch import Watch
from xds.fleet.envoys import acknowledged, by_envoy
from xds.fleet.profile import Profile, profile_of

_NOBODY: Mapping[str, str] = MappingProxyType({})


class State(enum.Enum):
    """How an Envoy stands with one resource."""

    SYNCED = "synced"
    """It has what it is to have, and said so."""
    SENT = "sent"
    """It was sent what was newest then, and has not answered yet."""
    WAITING = "waiting"
    """It was not sent the newest: something has to come first."""
    REFUSED = "refused"
    """It refused the newest, which it is not sent again."""
    UNKNOWN = "unknown"
    """It asked for something that isn't there."""


@dataclasses.dataclass(frozen=True)
class ResourceStatus:
    """One resource on one Envoy.

    Attributes:
        type: its type URL.
        name: its name.
        applied: the version the Envoy acknowledged last ("" where it has one and nobody knows
            which); None: it has none.
        wanted: the version it is to have; None: it is to have none.
        state: how far the one is from the other.
        refused: the version it refused last and has not replaced since; None: it refuses nothing.
        text: what it said then.
    """

    type: str
    name: str
    applied: str | None
    wanted: str | None
    state: State
    refused: str | None = None
    text: str = ""


@dataclasses.dataclass(frozen=True)
class EnvoyStatus:
    """One connected Envoy, over all its streams."""

    node: Node
    gateway: str
    profile: Profile
    in_sync: bool
    resources: tuple[ResourceStatus, ...]


def statuses(hub: Hub, wanted: Callable[[Node], bool] = lambda _: True) -> Iterator[EnvoyStatus]:
    """How the Envoys stand, one after the other: gateway by gateway, by their ids.

    Args:
        hub: whose Envoys.
        wanted: which of them.
    """
    for gateway in hub.catalogs:
        for streams in by_envoy(stream for stream in hub.streams(gateway) if wanted(stream.node)):
            yield EnvoyStatus(
                node=streams[0].node,
                gateway=gateway,
                profile=profile_of(streams[0].node),
                in_sync=acknowledged(streams, hub),
                resources=tuple(
                    status for stream in streams for status in resources_of(stream, hub.holds(stream))
                ),
            )


def resources_of(stream: Stream, held: Mapping[str, str] = _NOBODY) -> Iterator[ResourceStatus]:
    """How a stream's peer stands with everything it asked for, by type and name.

    Args:
        stream: the peer's.
        held: whose newest routes it has not, and what it said of them: each is listed as
            `routes of <deployment>`.
    """
    for type_, watch in stream.watches.items():
        catalog = stream.catalog.all(type_)
        sent = {item.name: item for answer in watch.in_flight.values() for item in answer.items}
        names = {name for name in catalog if watch.subscription.covers(name)}
        for name in sorted(names | sent.keys() | watch.owed.keys() | watch.subscription.names):
            yield _status(watch, name, catalog.get(name), sent.get(name))
    table = Type.SCOPED_ROUTE if Type.SCOPED_ROUTE in stream.watches else Type.ROUTE
    for name, text in held.items():
        state = State.REFUSED if text else State.WAITING
        yield ResourceStatus(table, f"routes of {name}", None, None, state, "" if text else None, text)


def _status(watch: Watch, name: str, wanted: Resource | None, sent: Item | None) -> ResourceStatus:
    applied = wanted
    state = State.SYNCED if wanted else State.UNKNOWN
    if sent is not None:
        applied, state = sent.before, State.SENT
    elif name in watch.owed:
        applied, state = watch.owed[name], State.WAITING
    if watch.rejections.holds_back(name, wanted):
        state = State.REFUSED
    parked = watch.rejections.parked.get(name)
    return ResourceStatus(
        type=watch.type,
        name=name,
        applied=applied.version if applied else None,
        wanted=wanted.version if wanted else None,
        state=state,
        refused=parked.version if parked else None,
        text=parked.text if parked else "",
    )
