"""Which gateway an Envoy belongs to: the first whose conditions it meets."""

import pytest

from xds.discovery.node import node_of
from xds.discovery.request import Locality, Node
from xds.fleet.membership import gateway_of
from xds.spec.gateway import Gateway, LocalityMatch, NodeMatch
from xds.stubs import envoy_config_core_v3_pb2 as core

EU = Locality("eu", "eu-1a", "rack-7")
NODE = Node(id="edge-7", cluster="edge", metadata={"tier": "front"}, locality=EU)


def belongs(match: NodeMatch, node: Node = NODE) -> bool:
    """Whether a gateway with this condition takes the node."""
    return gateway_of(node, [Gateway(name="g", nodes=(match,))]) is not None


@pytest.mark.parametrize(
    "match",
    [
        NodeMatch(cluster="edge"),
        NodeMatch(id="edge-7"),
        NodeMatch(id="edge-*"),
        NodeMatch(metadata={"tier": "front"}),
        NodeMatch(locality=LocalityMatch(region="eu")),
        NodeMatch(locality=LocalityMatch(zone="eu-1a")),
        NodeMatch(locality=LocalityMatch(sub_zone="rack-7")),
        NodeMatch(cluster="edge", id="edge-*", locality=LocalityMatch(region="eu", zone="eu-1a")),
    ],
    ids=str,
)
def test_every_condition_can_choose(match: NodeMatch) -> None:
    """Cluster, id, metadata and each part of the locality."""
    assert belongs(match)


@pytest.mark.parametrize(
    "match",
    [
        NodeMatch(cluster="Edge"),
        NodeMatch(id="edge-"),
        NodeMatch(metadata={"tier": "back"}),
        NodeMatch(metadata={"owner": ""}),
        NodeMatch(locality=LocalityMatch(region="us")),
        NodeMatch(cluster="edge", locality=LocalityMatch(region="eu", zone="eu-1b")),
    ],
    ids=str,
)
def test_every_condition_has_to_hold(match: NodeMatch) -> None:
    """One that doesn't is enough to be turned away."""
    assert not belongs(match)


def test_without_conditions_the_cluster_is_the_gateway() -> None:
    """What a bootstrap says is its gateway's name."""
    gateways = [Gateway(name="inner"), Gateway(name="edge")]
    assert gateway_of(NODE, gateways) == gateways[1]


def test_the_first_gateway_that_matches_wins() -> None:
    """Order decides between conditions that overlap."""
    gateways = [Gateway(name=name, nodes=(NodeMatch(id="edge-*"),)) for name in ("one", "two")]
    assert gateway_of(NODE, gateways) == gateways[0]


def test_default_takes_whom_nobody_else_does() -> None:
    """Wherever it stands in the list."""
    gateways = [Gateway(name="default"), Gateway(name="edge")]
    assert gateway_of(NODE, gateways) == gateways[1]
    assert gateway_of(Node(id="x", cluster="elsewhere"), gateways) == gateways[0]


def test_a_node_says_where_it_stands() -> None:
    """Region, zone and sub-zone are copied out of the first request."""
    place = core.Locality(region="eu", zone="eu-1a", sub_zone="rack-7")
    assert node_of(core.Node(id="n", locality=place)).locality == EU
