"""When a resource may go out: never a route before its clusters, never a cluster before its routes.

These gates hold on streams that subscribe to clusters or listeners by wildcard, which is what Envoy
does. Clients that ask for everything by name (gRPC's) walk from listener to endpoint themselves;
gates would deadlock them.

    endpoints and the like   never wait for an answer: Envoy acknowledges a cluster only after its endpoints
    endpoints                wait until the newest version of their cluster was sent
    a route just asked for   is answered at once: the peer waits for it
    routes and listeners     wait until each cluster of ours they name was acknowledged
    the first scopes         wait until all clusters were answered, so that none of them is missing, for as
                             long as the peer goes on answering
    cluster removals         wait until no route the peer has, or may have, names the cluster
    endpoint removals        wait until the cluster is gone or changed

On streams without gates removals wait a fixed grace instead, in which the peer finds its own way. The
same grace bounds the silence of a peer that has just connected: until then it may still say which
clusters it has, and which routes hold on to them.
"""

from collections.abc import Callable, Iterable, Mapping

from xds.catalog.batches import Batch, Change
from xds.catalog.catalog import Catalog
from xds.catalog.resource import Resource
from xds.catalog.types import ROUTING, Type
from xds.discovery.answer import Item
from xds.discovery.watch import Watch

GRACE = 10.0
"""Seconds that a removal waits on a stream without gates, and a new peer's silence means: not yet."""

FEW = 16
"""Resources in a batch that are quickly looked at one by one, time and again, while clusters are awaited."""

_ROUTES = ROUTING - {Type.LISTENER}

Clock = Callable[[], float]
"""Seconds from some fixed moment on."""


class Order:
    """The gates of one stream, over its watches as they are at the moment."""

    def __init__(
        self, catalog: Catalog, watches: Mapping[str, Watch], clock: Clock, *, aggregated: bool, envoy: bool
    ) -> None:
        self._envoy = envoy
        self._catalog = catalog
        self._watches = watches
        self._clock = clock
        self._aggregated = aggregated
        self._removed_at: dict[tuple[str, str], float] = {}
        self._has_gates = False
        self._now = self._opened_at = self._moved_at = clock()

    def look(self) -> None:
        """Fix the moment that what follows is decided at, and forget each grace that is over by then."""
        self._now = self._clock()
        if self._removed_at:
            self._removed_at = {key: at for key, at in self._removed_at.items() if self._now < at + GRACE}

    def retarget(self, catalog: Catalog) -> None:
        """The stream is to have another catalog."""
        self._catalog = catalog

    def review(self) -> None:
        """The peer asked for something, or gave it up: from now on this stream has gates, or none."""
        self._has_gates = self._aggregated and any(
            type_ in self._watches and self._watches[type_].subscription.wildcard
            for type_ in (Type.CLUSTER, Type.LISTENER)
        )

    def notice(self, changes: Iterable[Change]) -> None:
        """The catalog changed what the peer asked for: a removal's grace begins, or it is back."""
        for change in changes:
            if change.after is None:
                self._removed_at[change.type, change.name] = self._clock()
            elif self._removed_at:
                self._removed_at.pop((change.type, change.name), None)

    def moved(self) -> None:
        """The peer accepted clusters: there may be more of them on their way."""
        self._moved_at = self._clock()

    def next_release(self) -> float | None:
        """When the next grace is over, later than the last look; None where none waits for that."""
        if self._has_gates:
            ends = (self._opened_at + GRACE, self._moved_at + GRACE)
            return min((end for end in ends if end > self._now), default=None)
        if not self._removed_at:
            return None
        return min(self._removed_at.values()) + GRACE

    def may_go(self, type_: str, item: Item) -> bool:
        """Whether the stream may be sent this item now."""
        if not self._has_gates:
            return item.after is not None or item.asked or (type_, item.name) not in self._removed_at
        if self._waits_for_all_clusters(type_):
            return False
        if type_ in ROUTING:
            return item.after is None or _newly_asked(item) or self._clusters_known(item.after)
        if item.after is None and type_ == Type.CLUSTER:
            return self._nothing_routes_to(item)
        if type_ == Type.ENDPOINT and not item.asked:
            return self._cluster_settled(item.name) if item.after is None else not self._is_to_come(item.name)
        return True

    def batch_may_go(self, type_: str, batch: Batch) -> bool | None:
        """Whether a batch may be sent now; None: that is to be asked of each resource in it."""
        if batch.removes:
            return None
        if batch.asked or not self._has_gates:
            return True
        if self._waits_for_all_clusters(type_):
            return False
        clusters = self._watches.get(Type.CLUSTER)
        if type_ == Type.ENDPOINT and clusters is not None and clusters.owed:
            return None
        if type_ not in ROUTING or self._clusters_known(batch):
            return True
        is_long_and_soon = clusters and clusters.in_flight and len(batch.resources) > FEW
        return False if is_long_and_soon and self._is_moving() else None

    def _waits_for_all_clusters(self, type_: str) -> bool:
        return type_ == Type.SCOPED_ROUTE and self._watches[type_].is_new and not self._clusters_settled()

    def _clusters_known(self, resource: Resource | Batch) -> bool:
        clusters = self._watches.get(Type.CLUSTER)
        if clusters is None:
            return self._has_spoken() or not any(
                self._catalog.get(Type.CLUSTER, name) for name in resource.clusters
            )
        missing = clusters.unacknowledged_of(resource.clusters)
        return not any(
            clusters.subscription.covers(name) and self._catalog.get(Type.CLUSTER, name) for name in missing
        )

    def _clusters_settled(self) -> bool:
        """Whether the peer has answered all clusters at some time, or had time to.

        With its first answer of scopes it thinks that it has all, and begins to serve.
        """
        clusters = self._watches.get(Type.CLUSTER)
        return clusters is None or clusters.in_sync or bool(clusters.settled) or not self._is_moving()

    def _is_moving(self) -> bool:
        """Whether the peer has just begun, or took in clusters a moment ago: there may be more to come."""
        return self._now < max(self._opened_at, self._moved_at) + GRACE

    def _has_spoken(self) -> bool:
        """Whether the peer had time to say all that it has."""
        return self._now >= self._opened_at + GRACE

    def _nothing_routes_to(self, item: Item) -> bool:
        cluster, proven = item.name, item.before is not None and not item.before.body
        if self._envoy and proven and not (self._watches.keys() & _ROUTES or self._has_spoken()):
            return False  # it has the cluster from an earlier stream, and routes that it has yet to show
        routing = [watch for type_, watch in self._watches.items() if type_ in ROUTING]
        if self._catalog.names_cluster(cluster):
            return False
        if any(watch.in_flight or watch.rejections.parked for watch in routing):
            return False
        return not any(
            name in watch.unsure or _may_name(held, cluster)
            for watch in routing
            for name, held in watch.owed.items()
        )

    def _is_to_come(self, cluster: str) -> bool:
        """Whether a newer version of a cluster is still to be sent.

        Endpoints that came before it would be lost: an Envoy waits for them anew, and does not ask again. But
        while an earlier version is in flight, they are what that one is waiting for.
        """
        clusters = self._watches.get(Type.CLUSTER)
        if clusters is None or cluster not in clusters.owed or clusters.is_in_flight(cluster):
            return False
        newer = self._catalog.get(Type.CLUSTER, cluster)
        return newer is not None and not clusters.rejections.holds_back(cluster, newer)

    def _cluster_settled(self, cluster: str) -> bool:
        clusters = self._watches.get(Type.CLUSTER)
        return clusters is None or (cluster not in clusters.owed and clusters.acknowledged(cluster))


def _newly_asked(item: Item) -> bool:
    return item.asked and item.before is None


def _may_name(held: Resource | None, cluster: str) -> bool:
    """Whether a route the peer has names the cluster; one known only by version may name any."""
    return held is not None and (not held.body or cluster in held.clusters)
