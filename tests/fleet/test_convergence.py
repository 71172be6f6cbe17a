"""How far the Envoys of a deployment have got."""

from tests.support.talk import cluster
from xds.catalog.types import Type
from xds.discovery.hub import Hub
from xds.discovery.request import Node, Request
from xds.discovery.stream import Stream
from xds.fleet.convergence import convergence
from xds.revisions.record import Note, Revision
from xds.slots.table import SlotTable
from xds.spec.deployment import Deployment

SPEC = Deployment(name="s", bento="s:1")
REVISION = Revision(1, "apply", SPEC, {"main": "1"}, {"1": "s:1"}, SlotTable.whole("1"), Note("test", 0.0))


class Innocent:
    """Nobody's routes are held, and a cluster is its deployment's up to the underscore."""

    def shares(self, stream: Stream, scope: str, deployment: str) -> bool | None:  # noqa: ARG002
        return None

    def owner(self, resource: str) -> str | None:
        return resource.partition("_")[0]

    def objection(self, stream: Stream, deployment: str) -> str | None:  # noqa: ARG002 (none)
        return None


def test_an_envoy_counts_once_however_many_streams_it_has() -> None:
    """It is in sync when all of them are."""
    hub = Hub(["g"])
    hub.commit("g", [cluster("s_1")])
    streams = [hub.open("g", Node(id="n"), aggregated=False) for _ in range(2)]
    streams[0].receive(Request(Type.CLUSTER))
    before = convergence(REVISION, hub, ["g"], Innocent(), pending=False)
    answer = streams[0].next_answer()
    assert answer is not None
    streams[0].receive(Request(Type.CLUSTER, nonce=answer.nonce))
    after = convergence(REVISION, hub, ["g"], Innocent(), pending=False)
    assert [(each.envoys, each.in_sync) for each in (before, after)] == [(1, 0), (1, 1)]


def test_nobody_is_in_sync_with_what_was_not_published_yet() -> None:
    """A change that waits for its window is not converged."""
    hub = Hub(["g"])
    hub.open("g", Node(id="n"))
    assert convergence(REVISION, hub, ["g"], Innocent(), pending=True).in_sync == 0


def test_a_refusal_names_the_envoy_and_its_words() -> None:
    """As `canary get` shows it."""
    hub = Hub(["g"])
    hub.commit("g", [cluster("s_1")])
    stream = hub.open("g", Node(id="n"))
    stream.receive(Request(Type.CLUSTER))
    answer = stream.next_answer()
    assert answer is not None
    stream.receive(Request(Type.CLUSTER, nonce=answer.nonce, error="no such file"))
    assert convergence(REVISION, hub, ["g"], Innocent(), pending=False).rejections == (
        "n: Cluster s_1: no such file",
    )


def test_a_refused_build_that_is_no_longer_in_force_delays_nobody() -> None:
    """After a rollback it only keeps its cluster for a while."""
    hub = Hub(["g"])
    hub.commit("g", [cluster("s_retired")])
    stream = hub.open("g", Node(id="n"))
    stream.receive(Request(Type.CLUSTER))
    answer = stream.next_answer()
    assert answer is not None
    stream.receive(Request(Type.CLUSTER, nonce=answer.nonce, error="no such file"))
    assert convergence(REVISION, hub, ["g"], Innocent(), pending=False).in_sync == 1
