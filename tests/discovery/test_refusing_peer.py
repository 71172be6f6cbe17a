"""A peer that refuses everything costs a bounded number of answers, whatever there is."""

import pytest

from xds.catalog.resource import Resource
from xds.catalog.types import Type
from xds.discovery import sotw
from xds.discovery.dialect import DELTA, STATE_OF_THE_WORLD, Dialect
from xds.discovery.hub import Hub
from xds.discovery.request import Node, Request
from xds.discovery.stream import Stream

HOW_MANY = {Type.CLUSTER: 3000, Type.ENDPOINT: 3000, Type.LISTENER: 20, Type.SECRET: 50, Type.ROUTE: 200}


def ask_for_everything(stream: Stream) -> None:
    """By wildcard where Envoy does so, by name elsewhere."""
    for type_, count in HOW_MANY.items():
        names = (
            () if type_ in (Type.CLUSTER, Type.LISTENER) else tuple(f"{type_.name}{n}" for n in range(count))
        )
        if stream.dialect is DELTA:
            stream.receive(Request(type_, subscribe=names))
        else:
            sotw.receive(stream, sotw.StateRequest(type_, names=names))


def refuse_until_silence(stream: Stream) -> int:
    """How many answers come to somebody who takes none."""
    answers = 0
    while (answer := stream.next_answer()) is not None:
        answers += 1
        assert answers <= 100
        if stream.dialect is DELTA:
            stream.receive(Request(answer.type, nonce=answer.nonce, error="no"))
        else:
            sotw.receive(stream, sotw.StateRequest(answer.type, nonce=answer.nonce, error="no"))
    return answers


@pytest.mark.parametrize("dialect", [DELTA, STATE_OF_THE_WORLD], ids=lambda dialect: dialect.name)
def test_at_most_thirty_answers_in_all(dialect: Dialect) -> None:
    """Over five types with thousands of resources, on one stream."""
    hub = Hub(["g"])
    hub.commit(
        "g",
        [
            Resource(type_, f"{type_.name}{n}", "1", b"x" * 100)
            for type_, count in HOW_MANY.items()
            for n in range(count)
        ],
    )
    stream = hub.open("g", Node(), dialect)
    ask_for_everything(stream)
    assert refuse_until_silence(stream) <= 30
