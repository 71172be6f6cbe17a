"""What an Envoy has of what it is to have, resource by resource."""

from tests.support.talk import Talk, cluster, route
from xds.catalog.types import Type
from xds.discovery.hub import Hub
from xds.discovery.request import Node, Request
from xds.fleet.status import ResourceStatus, State, resources_of, statuses


def status(talk: Talk, name: str) -> ResourceStatus:
    """How the peer stands with one resource."""
    (found,) = (each for each in resources_of(talk.stream) if each.name == name)
    return found


def test_what_was_acknowledged_is_synced() -> None:
    """Applied is what is wanted."""
    talk = Talk(cluster("a", "7"))
    talk.ask(Type.CLUSTER)
    talk.take()
    assert status(talk, "a") == ResourceStatus(Type.CLUSTER, "a", "7", "7", State.SYNCED)


def test_what_was_not_answered_yet_is_sent() -> None:
    """Until then the peer has what it had."""
    talk = Talk(cluster("a", "7"))
    talk.ask(Type.CLUSTER)
    talk.take()
    talk.commit(cluster("a", "8"))
    talk.hear()
    assert status(talk, "a") == ResourceStatus(Type.CLUSTER, "a", "7", "8", State.SENT)


def test_what_has_to_wait_is_waiting() -> None:
    """A changed route waits for a new cluster."""
    talk = Talk(route("r"))
    talk.ask(Type.CLUSTER)
    talk.take()
    talk.ask(Type.ROUTE, "r")
    talk.take()
    talk.commit(cluster("a"), route("r", "a", version="2"))
    talk.hear()
    assert status(talk, "r") == ResourceStatus(Type.ROUTE, "r", "1", "2", State.WAITING)


def test_what_was_refused_says_why() -> None:
    """With the version refused, the one the peer still has, and its own words."""
    talk = Talk(cluster("a", "7"))
    talk.ask(Type.CLUSTER)
    talk.take()
    talk.commit(cluster("a", "8"))
    talk.hear()
    talk.nack("no such file")
    assert status(talk, "a") == ResourceStatus(
        Type.CLUSTER, "a", "7", "8", State.REFUSED, refused="8", text="no such file"
    )


def test_a_mended_resource_is_refused_no_longer() -> None:
    """Once the peer took it, the rejection is history."""
    talk = Talk(cluster("a", "7"))
    talk.ask(Type.CLUSTER)
    talk.hear()
    talk.nack()
    talk.commit(cluster("a", "8"))
    talk.take()
    assert status(talk, "a") == ResourceStatus(Type.CLUSTER, "a", "8", "8", State.SYNCED)


def test_a_removal_that_waits_is_seen() -> None:
    """The peer has it still, and is to have none."""
    talk = Talk(cluster("a"))
    talk.ask(Type.CLUSTER)
    talk.take()
    talk.commit(gone=[(Type.CLUSTER, "a")])
    assert status(talk, "a") == ResourceStatus(Type.CLUSTER, "a", "1", None, State.WAITING)
    talk.take()
    assert list(resources_of(talk.stream)) == []


def test_a_name_nobody_knows_is_unknown() -> None:
    """The peer asked for it, and was told that there is none."""
    talk = Talk()
    talk.ask(Type.ROUTE, "nowhere")
    talk.take()
    assert status(talk, "nowhere") == ResourceStatus(Type.ROUTE, "nowhere", None, None, State.UNKNOWN)


def test_an_envoy_with_a_stream_for_each_type_is_one_envoy() -> None:
    """Its streams are told apart by nothing but their types."""
    hub = Hub(["g"])
    hub.commit("g", [cluster("a"), route("r")])
    for type_ in (Type.CLUSTER, Type.ROUTE):
        hub.open("g", Node(id="n"), aggregated=False).receive(Request(type_, subscribe=("a", "r")))
    (envoy,) = statuses(hub)
    assert {(each.type, each.name) for each in envoy.resources} >= {(Type.CLUSTER, "a"), (Type.ROUTE, "r")}


def test_envoys_come_by_gateway_and_id_and_only_the_wanted() -> None:
    """So that answers can be compared."""
    hub = Hub(["g", "h"])
    for gateway, id_ in (("h", "a"), ("g", "c"), ("g", "b"), ("g", "x")):
        hub.open(gateway, Node(id=id_))
    found = statuses(hub, lambda node: node.id != "x")
    assert [(envoy.gateway, envoy.node.id) for envoy in found] == [("g", "b"), ("g", "c"), ("h", "a")]


def test_routes_that_are_held_at_older_ones_are_listed() -> None:
    """Refused with what the Envoy said; waiting while it isn't known whose fault it is."""
    stream = Hub(["edge"]).open("edge", Node("e"))
    refused, tried = resources_of(stream, {"chat": "bad rewrite", "tried": ""})
    assert (refused.name, refused.state, refused.text) == ("routes of chat", State.REFUSED, "bad rewrite")
    assert (tried.name, tried.state, tried.text) == ("routes of tried", State.WAITING, "")
