"""Who belongs nowhere is told what to mend, and can be seen afterwards."""

import itertools

import pytest

from xds.discovery.hub import Target
from xds.discovery.request import Node
from xds.fleet.admission import REMEMBERED, Admission, NotAdmitted
from xds.spec.gateway import Gateway, LocalityMatch, NodeMatch

EDGE = Gateway(name="edge")
INNER = Gateway(
    name="inner",
    nodes=(
        NodeMatch(id="inner-*", metadata={"tier": "back"}),
        NodeMatch(locality=LocalityMatch(region="eu")),
    ),
)


def refuse(admission: Admission, node: Node | None) -> str:
    """What a node that belongs nowhere is told."""
    with pytest.raises(NotAdmitted) as refusal:
        admission.admit(node)
    return str(refusal.value)


def test_a_node_of_a_gateway_is_let_in() -> None:
    """And is not on the list."""
    admission = Admission([EDGE])
    assert admission.admit(Node(id="e", cluster="edge")) == Target("edge")
    assert admission.turned_away() == ()


def test_the_answer_says_what_would_have_been_accepted() -> None:
    """Each gateway with its conditions, and where to change what."""
    assert refuse(Admission([EDGE, INNER]), Node(id="x", cluster="y")) == (
        "node 'x' of cluster 'y' belongs to no gateway; edge takes cluster edge, "
        "inner takes id inner-* with metadata.tier back or locality.region eu; "
        "change node in its bootstrap, or the nodes of a gateway"
    )


def test_a_stream_without_a_node_is_told_so() -> None:
    """Nobody can say where it belongs."""
    assert refuse(Admission([EDGE]), None) == "the first request on a stream says which node it is from"


def test_the_latest_comes_first_with_how_often_it_tried() -> None:
    """The list is for people: what is happening now is on top."""
    admission = Admission([EDGE], itertools.count(1.0).__next__)
    for name in ("a", "b", "a"):
        refuse(admission, Node(id=name, cluster="y"))
    assert [(gone.id, gone.times, gone.last) for gone in admission.turned_away()] == [
        ("a", 2, 3),
        ("b", 1, 2),
    ]
    assert admission.refusals == 3


def test_the_list_is_bounded_in_length_and_width() -> None:
    """Whatever comes, memory doesn't grow."""
    admission = Admission([EDGE])
    for number in range(REMEMBERED + 10):
        refuse(admission, Node(id=f"{number}".zfill(10_000), cluster="y" * 10_000))
        refuse(admission, Node(id=f"n{number}"))
    assert len(admission.turned_away()) == REMEMBERED
    assert max(len(gone.id + gone.cluster + gone.reason) for gone in admission.turned_away()) < 1_500
