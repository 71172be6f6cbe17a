"""Envoys as messages."""

from collections.abc import Iterable

from xds.admin.messages import timestamp
from xds.catalog.types import short_name
from xds.control.feeds import Current, Event, Gone
from xds.fleet.admission import TurnedAway
from xds.fleet.listing import Envoy
from xds.fleet.status import ResourceStatus
from xds.stubs import canary_admin_v1_pb2 as admin


def envoy(said: Envoy, resources: Iterable[ResourceStatus] = ()) -> admin.Envoy:
    """A connected Envoy."""
    return admin.Envoy(
        id=said.id,
        cluster=said.cluster,
        gateway=said.gateway,
        version=said.version,
        address=said.address,
        dialect=said.dialect,
        connected_at=timestamp(said.connected_at),
        in_sync=said.in_sync,
        applied=said.applied,
        waiting=said.waiting,
        rejected=said.rejected,
        rejections=said.rejections,
        resources=map(_resource, resources),
    )


def event(said: Event[Envoy]) -> admin.WatchEnvoysResponse:
    """What a watcher sees."""
    if isinstance(said, Gone):
        return admin.WatchEnvoysResponse(gone=said.name)
    if isinstance(said, Current):
        return admin.WatchEnvoysResponse(current=True)
    return admin.WatchEnvoysResponse(envoy=envoy(said.value))


def turned_away(said: TurnedAway) -> admin.TurnedAway:
    """An Envoy that was not let in."""
    return admin.TurnedAway(id=said.id, cluster=said.cluster, reason=said.reason, times=said.times)


def _resource(said: ResourceStatus) -> admin.ResourceState:
    return admin.ResourceState(
        type=short_name(said.type),
        name=said.name,
        state=said.state.value,
        applied=said.applied or "",
        wanted=said.wanted or "",
        text=said.text,
    )
