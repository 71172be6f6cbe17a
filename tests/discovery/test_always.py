"""What always holds on a stream of either dialect, whatever comes in whatever order."""

import dataclasses
import random
from contextlib import ExitStack
from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support.peer import Peer
from xds.catalog.resource import Resource
from xds.catalog.types import Type
from xds.discovery.dialect import DELTA, STATE_OF_THE_WORLD
from xds.discovery.hub import Hub
from xds.discovery.request import Node

CLUSTERS = [f"c{n}" for n in range(5)]
ROUTES = [f"r{n}" for n in range(3)]


class AnyStream(RuleBasedStateMachine):
    """One Envoy, one catalog, and everything that can happen between them."""

    dialect = DELTA

    @initialize(seed=st.integers(0, 1000), in_batches=st.booleans())
    def begin(self, seed: int, in_batches: bool) -> None:  # noqa: FBT001
        self.scope = ExitStack()
        if in_batches:  # as with a thousand resources, of which a message takes a few
            for size in ("xds.catalog.batches.MOST", "xds.discovery.watch.MANY", "xds.discovery.order.FEW"):
                self.scope.enter_context(patch(size, 1))
            if self.dialect is DELTA:
                self.dialect = dataclasses.replace(DELTA, max_answer=1)
        self.hub = Hub(["g"])
        self.catalog = self.hub.catalogs["g"]
        self.versions = 0
        self.bad: set[str] = set()
        chance = random.Random(seed)
        self.peer = Peer(self.catalog, lambda r: r.version in self.bad, self.dialect, chance)
        self.reconnect()
        for name in ("c0", "c1", "c2"):
            self.put_cluster(name, bad=False)
        for name, picks in (("r0", {"c0", "c1"}), ("r1", {"c1", "c2"})):
            self.put_route(name, picks, bad=False)
            self.subscribe(name)
        self.settle()

    def teardown(self) -> None:
        if hasattr(self, "scope"):
            self.scope.close()

    @rule()
    def reconnect(self) -> None:
        if self.peer.stream in self.hub.streams("g"):
            self.hub.close(self.peer.stream)
        self.peer.connect(self.hub.open("g", Node(), self.dialect))

    @rule(name=st.sampled_from(CLUSTERS), bad=st.booleans())
    def put_cluster(self, name: str, bad: bool) -> None:  # noqa: FBT001
        self.hub.commit("g", [self._new(Type.CLUSTER, name, bad=bad and name != "c0")])

    @rule(name=st.sampled_from(CLUSTERS))
    def bring_back_an_old_version(self, name: str) -> None:
        self.hub.commit("g", [Resource(Type.CLUSTER, name, "old", b"old")])

    @rule(name=st.sampled_from(ROUTES), picks=st.sets(st.sampled_from(CLUSTERS)), bad=st.booleans())
    def put_route(self, name: str, picks: set[str], bad: bool) -> None:  # noqa: FBT001
        there = frozenset(picks & self.catalog.all(Type.CLUSTER).keys())
        self.hub.commit("g", [self._new(Type.ROUTE, name, there, bad=bad)])

    @rule(name=st.sampled_from(CLUSTERS))
    def remove_cluster_and_its_routes(self, name: str) -> None:
        routes = self.catalog.all(Type.ROUTE).values()
        naming = [route for route in routes if name in route.clusters]
        without = [self._new(Type.ROUTE, route.name, route.clusters - {name}) for route in naming]
        self.hub.commit("g", without, [(Type.CLUSTER, name)])

    @rule(name=st.sampled_from(["l0", "l1"]))
    def put_listener(self, name: str) -> None:
        self.hub.commit("g", [self._new(Type.LISTENER, name)])

    @rule(name=st.sampled_from(ROUTES))
    def subscribe(self, name: str) -> None:
        self.peer.subscribe(Type.ROUTE, name)

    @rule(name=st.sampled_from(ROUTES))
    def unsubscribe(self, name: str) -> None:
        # A state-of-the-world request that crosses an answer is stale and ignored: a name dropped by
        # one, and asked for again by the next, was never dropped as far as the server can know.
        whole = not self.dialect.tells_removals
        crossing = whole and any(answer.type == Type.ROUTE for answer in self.peer.unanswered)
        if name in self.peer.subscribed.get(Type.ROUTE, ()) and not crossing:
            self.peer.unsubscribe(Type.ROUTE, name)

    @rule()
    def listen(self) -> None:
        self.peer.listen()

    @precondition(lambda self: self.peer.unanswered)
    @rule()
    def reply(self) -> None:
        self.peer.reply()

    @rule()
    def settle(self) -> None:
        self.peer.settle()
        for type_ in (Type.CLUSTER, Type.LISTENER, Type.ROUTE):
            self._has_its_target(type_)

    @invariant()
    def owes_only_what_was_asked_for(self) -> None:
        for watch in self.peer.stream.watches.values() if hasattr(self, "peer") else ():
            assert all(watch.subscription.covers(name) for name in watch.owed)

    def _has_its_target(self, type_: Type) -> None:
        held = self.peer.held.get(type_, {})
        target = dict(self.catalog.all(type_))
        if type_ == Type.ROUTE:
            target = {name: r for name, r in target.items() if name in self.peer.subscribed.get(type_, ())}
        for name in held.keys() | target.keys():
            want = target.get(name)
            if want is not None and (want.version in self.bad or self._waits_for_a_refused_cluster(want)):
                continue
            if want is None and type_ not in self.dialect.whole and not self.dialect.tells_removals:
                continue
            if want is None and type_ == Type.CLUSTER and self._a_refused_route_may_name(name):
                continue
            assert (held.get(name) or None) == want

    def _waits_for_a_refused_cluster(self, route: Resource) -> bool:
        clusters = {name: self.catalog.get(Type.CLUSTER, name) for name in route.clusters}
        return any(cluster and cluster.version in self.bad for cluster in clusters.values())

    def _a_refused_route_may_name(self, cluster: str) -> bool:
        return bool(cluster) and any(
            route.version in self.bad or self._waits_for_a_refused_cluster(route)
            for route in self.catalog.all(Type.ROUTE).values()
        )

    def _new(
        self, type_: str, name: str, clusters: frozenset[str] = frozenset(), *, bad: bool = False
    ) -> Resource:
        self.versions += 1
        version = str(self.versions)
        if bad:
            self.bad.add(version)
        return Resource(type_, name, version, version.encode(), clusters)


class StateOfTheWorldStream(AnyStream):
    """The same in the other dialect."""

    dialect = STATE_OF_THE_WORLD


EXAMPLES = 10_000 if settings.get_current_profile_name() == "long" else 150
AnyStream.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=40, deadline=None)
StateOfTheWorldStream.TestCase.settings = AnyStream.TestCase.settings
TestDeltaStream = pytest.mark.timeout(3600)(AnyStream.TestCase)
TestStateOfTheWorldStream = pytest.mark.timeout(3600)(StateOfTheWorldStream.TestCase)
