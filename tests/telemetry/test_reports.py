"""Messages as Envoy writes them, and as nobody should."""

import hypothesis
import pytest
from hypothesis import strategies as st

from tests.support.metric_messages import Message
from xds.telemetry.message import COUNTERS, Garbage, Sample, decode

LABEL = {"envoy.cluster_name": "d_v1"}


def sample(message: Message) -> Sample:
    """What it says about the one cluster in it."""
    (only,) = decode(message.raw(), first=False)[1].samples.values()
    return only


def counts(message: Message) -> dict[str, int]:
    """The same by names, added up."""
    summed: dict[str, int] = {}
    for place, value in sample(message).counts:
        summed[COUNTERS[place]] = summed.get(COUNTERS[place], 0) + value
    return summed


def test_counters_have_their_names() -> None:
    """Classes, gRPC statuses, and what goes wrong on the way."""
    message = Message().requests("d_v1", ok=7, failed=2)
    message.counter("cluster.grpc.14", 3, **LABEL)
    message.counter("cluster.upstream_rq_timeout", 1, **LABEL)
    message.counter("cluster.upstream_rq_per_try_timeout", 1, **LABEL)
    message.counter("cluster.upstream_rq_rx_reset", 4, **LABEL)
    assert counts(message) == {"2xx": 7, "5xx": 2, "grpc 14": 3, "timeouts": 2, "resets": 4}


def test_copies_are_taken_away_from_users_requests() -> None:
    """Counts and times: a mirrored version looks as its own users see it."""
    message = Message().requests("d_v1", [10, 10, 900], ok=3)
    message.counter("cluster.mirrored.upstream_rq_xx", 1, **LABEL, **{"envoy.response_code_class": "2"})
    message.histogram("cluster.mirrored.upstream_rq_time", [900], LABEL)
    assert counts(message) == {"2xx": 2, "mirrored": 1}
    measured = sample(message).time
    assert measured is not None
    assert (sum(measured.counts), measured.total) == (2, 20)


def test_only_answers_that_had_begun_were_cut() -> None:
    """The details say whether they had."""
    message = Message()
    for details, times in (
        ("upstream_reset_after_response_started{connection_termination}", 3),
        ("upstream_reset_before_response_started{connection_termination}", 5),
    ):
        message.counter("canary.cut", times, cluster="d_v1", details=details)
    assert counts(message) == {"resets_after_first_byte": 3}


def test_other_buckets_are_left_out_and_counted() -> None:
    """Their percentiles would be wrong; requests still count."""
    message = Message().counter("cluster.upstream_rq_retry", 1, **LABEL)
    message.histogram("cluster.upstream_rq_time", [3.0], LABEL, [1.0, 5.0, 10.0])
    _, report = decode(message.raw(), first=False)
    assert report.unbucketed == 1
    assert report.samples["d_v1"].time is None


def test_whose_it_is_stands_in_the_first() -> None:
    """And in no other: what a later one says is not looked at."""
    raw = Message(node="e1", cluster="edge").requests("d_v1", ok=1).raw()
    node, _ = decode(raw, first=True)
    assert node is not None
    assert (node.id, node.cluster) == ("e1", "edge")
    assert decode(raw, first=False)[0] is None


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), 1e300])
def test_impossible_numbers_are_garbage(value: float) -> None:
    """Nothing of the message counts."""
    message = Message().counter("cluster.upstream_rq_timeout", value, **LABEL)
    with pytest.raises(Garbage, match="no count"):
        decode(message.raw(), first=False)


@hypothesis.given(st.binary(max_size=300))
def test_bytes_are_a_message_or_garbage(raw: bytes) -> None:
    """Never anything else."""
    try:
        decode(raw, first=True)
    except Garbage:
        return


@hypothesis.given(st.data())
def test_a_broken_message_is_a_message_or_garbage(data: st.DataObject) -> None:
    """Whichever byte is another."""
    message = Message(node="e1").requests("d_v1", [5.0, 80.0], ok=2).active("d_v1", 1)
    raw = bytearray(message.counter("canary.cut", 1, cluster="d_v1", details="upstream").raw())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode(bytes(raw), first=True)
    except Garbage:
        return
