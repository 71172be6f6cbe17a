"""Reports of many Envoys: everything counts once, to the build and revision it belongs to."""

import random

import pytest

from tests.support.metric_messages import Message
from xds.telemetry import archive as module
from xds.telemetry.feed import Feed
from xds.telemetry.message import decode
from xds.telemetry.records import Scope
from xds.telemetry.summing import counts_of
from xds.telemetry.telemetry import Telemetry

NOW = 1_800_000_000.0
REVISIONS = {"d": 3}
ENVOYS = ("e0", "e1", "e2", "new")


def known(deployment: str, build: str) -> int | None:
    """`d` has the builds v1 and v2."""
    return REVISIONS.get(deployment) if build in ("v1", "v2") else None


@pytest.fixture
def telemetry() -> Telemetry:
    """One that knows `d`, and that four Envoys may vote."""
    return Telemetry(known, lambda: [(node, "default") for node in ENVOYS])


def take(telemetry: Telemetry, feed: Feed, message: Message, now: float = NOW) -> None:
    """Take in a message."""
    raw = message.raw()
    telemetry.take(feed, decode(raw, first=False)[1], len(raw), now)


def requests(telemetry: Telemetry, now: float = NOW, **scope: str | int) -> int:
    """How many there were in the last hour."""
    return telemetry.summary(Scope("d", **scope), 3600, now).counts.requests  # type: ignore[arg-type]  # by name


def test_reports_add_up(telemetry: Telemetry) -> None:
    """Over Envoys, gateways, builds and time; and can be told apart by each."""
    for node, gateway, build, count in (
        ("e1", "default", "v1", 1),
        ("e2", "default", "v1", 10),
        ("e3", "edge", "v1", 100),
        ("e3", "edge", "v2", 1000),
    ):
        feed = telemetry.join(node + build, gateway, NOW)
        take(telemetry, feed, Message(1).requests(f"d_{build}", ok=count))
        take(telemetry, feed, Message(2).requests(f"d_{build}", ok=count), NOW + 5)
    assert requests(telemetry, NOW + 9) == 2222
    assert requests(telemetry, NOW + 9, build="v1") == 222
    assert requests(telemetry, NOW + 9, gateway="default") == 22
    assert requests(telemetry, NOW + 9, gateway="default", build="v2") == 0


def test_a_new_revision_begins_anew(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a promotion doesn't mix what was a canary with what is main."""
    feed = telemetry.join("e1", "default", NOW)
    take(telemetry, feed, Message(1).requests("d_v1", ok=5))
    monkeypatch.setitem(REVISIONS, "d", 4)
    take(telemetry, feed, Message(2).requests("d_v1", ok=7))
    assert requests(telemetry, revision=3) == 5
    assert requests(telemetry, revision=4) == 7
    assert telemetry.summary(Scope("d", "v1"), 60, NOW).revisions == (3, 4)


def test_a_replayed_report_is_ignored(telemetry: Telemetry) -> None:
    """On its stream, on another, late or out of order; and counted."""
    feed = telemetry.join("e1", "default", NOW)
    first, second = Message(1_000).requests("d_v1", ok=1), Message(2_000).requests("d_v1", ok=1)
    for message in (first, second, first, second):
        take(telemetry, feed, message)
    beside = telemetry.join("e1", "default", NOW)
    take(telemetry, beside, second)
    telemetry.leave(beside)
    telemetry.leave(feed)
    again = telemetry.join("e1", "default", NOW + 60)
    take(telemetry, again, first, NOW + 60)
    assert requests(telemetry, NOW + 60) == 2
    assert telemetry.intake().replayed == 4


def test_one_that_comes_back_goes_on(telemetry: Telemetry) -> None:
    """Its stream was new, or it was."""
    for number in range(3):
        feed = telemetry.join("e1", "default", NOW)
        take(telemetry, feed, Message(number + 1).requests("d_v1", ok=4).active("d_v1", 2))
        telemetry.leave(feed)
    assert requests(telemetry) == 12
    assert telemetry.in_flight("d", "v1", NOW) == 2


def test_two_of_one_name_both_count(telemetry: Telemetry) -> None:
    """Though their clocks differ: each stream has its own order."""
    one, two = telemetry.join("e1", "default", NOW), telemetry.join("e1", "default", NOW)
    for number in range(1, 4):
        take(telemetry, one, Message(100_000 + number).requests("d_v1", ok=1).active("d_v1", 3))
        take(telemetry, two, Message(number).requests("d_v1", ok=1).active("d_v1", 4))
    assert requests(telemetry) == 6
    assert telemetry.in_flight("d", "v1", NOW) == 7


@pytest.mark.parametrize("politely", [True, False])
def test_one_that_vanished_ages_out(telemetry: Telemetry, *, politely: bool) -> None:
    """After three of its intervals nothing of it is in flight; until then it may still be."""
    feed = telemetry.join("e1", "default", NOW)
    for number in range(3):
        take(telemetry, feed, Message(2_000 * number + 1).active("d_v1", 9), NOW + 2 * number)
    if politely:
        telemetry.leave(feed)
    assert telemetry.in_flight("d", "v1", NOW + 10) == 9
    assert telemetry.in_flight("d", "v1", NOW + 10.1) is None
    assert [each.node for each in telemetry.envoys(NOW + 11)] == ([] if politely else ["e1"])


def test_a_version_that_nobody_mentions_has_nothing_in_flight(telemetry: Telemetry) -> None:
    """Envoy has no statistics of a cluster before its first request."""
    take(telemetry, telemetry.join("e1", "default", NOW), Message(1).active("d_v1", 9))
    assert telemetry.in_flight("d", "v2", NOW) == 0


def test_clusters_that_are_not_ours_take_no_room(telemetry: Telemetry) -> None:
    """Whatever an Envoy makes up: builds that never were, deployments, names."""
    feed = telemetry.join("e1", "default", NOW)
    message = Message(1)
    for number in range(500):
        message.requests(f"d_x{number}", ok=1).active(f"x{number}_v1", 1).members(f"{number}", 1, 1)
    take(telemetry, feed, message)
    assert telemetry.intake().foreign == 1500
    assert list(telemetry.scopes()) == []
    assert feed.gauges == {}


def test_series_are_bounded(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted stays; what there is no room for is counted as such, and said nowhere else."""
    monkeypatch.setattr(module, "MOST_SERIES", 10)
    feed = telemetry.join("e1", "default", NOW)
    for number in range(1, 50):
        monkeypatch.setitem(REVISIONS, "d", number)
        take(telemetry, feed, Message(number).requests("d_v1", ok=1), NOW + number)
    assert len(list(telemetry.scopes())) == 9  # and the gateway's clock
    assert requests(telemetry, NOW + 50) == 9
    assert telemetry.intake().crowded == 40


def test_one_series_too_many_ousts_none_that_is_counted(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would be the next that is needed, and all would be lost in turn."""
    monkeypatch.setattr(module, "MOST_SERIES", 2)
    feed = telemetry.join("e1", "default", NOW)
    for number in range(1, 21):
        both = Message(number).requests("d_v1", ok=1).requests("d_v2", ok=1)
        take(telemetry, feed, both, NOW + 5 * number)
    assert requests(telemetry, NOW + 100, build="v1") == 20
    assert requests(telemetry, NOW + 100, build="v2") == 0
    assert telemetry.intake().crowded == 20


def test_a_series_that_was_silent_for_an_hour_makes_room(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that was used last the longest ago, whenever it was made; totals keep what it counted."""
    monkeypatch.setattr(module, "MOST_SERIES", 3)
    feed = telemetry.join("e1", "default", NOW)
    for number, build in enumerate(("v1", "v2", "v1", "v1"), 1):
        take(telemetry, feed, Message(number).requests(f"d_{build}", ok=1), NOW + 1200 * number)
    monkeypatch.setitem(REVISIONS, "d", 4)
    take(telemetry, feed, Message(9).requests("d_v1", ok=1), NOW + 6001)
    assert [(each.build, each.revision) for each in telemetry.scopes()] == [("v1", 3), ("v1", 4)]
    assert telemetry.intake().crowded == 0
    assert {place[1]: sum(window.counts) for place, window in telemetry.totals().items()} == {
        "v1": 4,
        "v2": 1,
    }


def test_a_rate_is_of_the_time_that_was_covered(telemetry: Telemetry) -> None:
    """Three Envoys with 20 requests a second each, whenever in their five seconds they report."""
    chance = random.Random(7)
    events = []
    for node in range(3):
        feed = telemetry.join(f"e{node}", "default", NOW)
        at = NOW + chance.uniform(0, 5)
        while at < NOW + 300:
            events.append((at, feed))
            at += 5.01
    last = {feed: NOW for _, feed in events}
    for number, (at, feed) in enumerate(sorted(events, key=lambda event: event[0]), 1):
        count = round((at - last[feed]) * 20)
        last[feed] = at
        take(telemetry, feed, Message(number).requests("d_v1", ok=count), at)
    for span in (10, 30, 60, 200):
        assert telemetry.summary(Scope("d"), span, NOW + 299).rate == pytest.approx(60, rel=0.02)


def test_rates_of_gateways_add_up(telemetry: Telemetry) -> None:
    """Though one reports more often."""
    for gateway, every in (("default", 1), ("edge", 5)):
        feed = telemetry.join(gateway, gateway, NOW)
        for at in range(every, 61, every):
            take(telemetry, feed, Message(at).requests("d_v1", ok=10 * every), NOW + at)
    assert telemetry.summary(Scope("d"), 60, NOW + 60).rate == pytest.approx(20, rel=0.01)


def test_a_series_is_the_summary_in_steps(telemetry: Telemetry) -> None:
    """Empty steps too; together they are what the summary says."""
    feed = telemetry.join("e1", "default", NOW)
    for at in (1, 2, 7, 31):
        take(telemetry, feed, Message(at).requests("d_v1", [5.0], ok=1).active("d_v1", at), NOW + at)
    points = telemetry.series(Scope("d"), 10, 40, NOW + 35)
    assert [point.at - NOW for point in points] == [-10, 0, 10, 20, 30]
    assert [point.counts.requests for point in points] == [0, 3, 0, 0, 1]
    assert [point.in_flight for point in points] == [0, 7, 0, 0, 31]


def test_grpc_failures_are_failures(telemetry: Telemetry) -> None:
    """HTTP says 200; what a caller did wrong isn't the version's failure."""
    message = Message(1).requests("d_v1", ok=10)
    for status, count in (("0", 4), ("14", 3), ("3", 2), ("13", 1)):
        message.counter(f"cluster.grpc.{status}", count, **{"envoy.cluster_name": "d_v1"})
    take(telemetry, telemetry.join("e1", "default", NOW), message)
    summary = telemetry.summary(Scope("d", "v1"), 60, NOW)
    assert summary.counts.grpc == {"0": 4, "14": 3, "3": 2, "13": 1}
    assert (summary.counts.failures, summary.success_rate) == (4, 0.6)


def test_a_call_that_envoy_answered_itself_failed_once(telemetry: Telemetry) -> None:
    """It counts as 503 and as UNAVAILABLE."""
    message = Message(1).requests("d_v1", ok=5, failed=5)
    for status in ("0", "14"):
        message.counter(f"cluster.grpc.{status}", 5, **{"envoy.cluster_name": "d_v1"})
    take(telemetry, telemetry.join("e1", "default", NOW), message)
    assert telemetry.summary(Scope("d", "v1"), 60, NOW).counts.failures == 5


def failures(telemetry: Telemetry) -> list[int]:
    """Of `d`'s v1: in the last minute, and ever."""
    windows = telemetry.totals().values()
    return [
        telemetry.summary(Scope("d", "v1"), 60, NOW).counts.failures,
        *(counts_of(window).failures for window in windows),
    ]


def grpc(message: Message, status: int, count: int) -> Message:
    """Calls of `d`'s v1 that ended so."""
    return message.counter(f"cluster.grpc.{status}", count, **{"envoy.cluster_name": "d_v1"})


def test_streams_that_are_open_change_no_failures(telemetry: Telemetry) -> None:
    """After a hundred calls that Envoy answered itself; nor when they end."""
    feed = telemetry.join("e1", "default", NOW)
    take(telemetry, feed, grpc(Message(1).requests("d_v1", failed=100), 14, 100))
    assert failures(telemetry) == [100, 100]
    take(telemetry, feed, Message(2).requests("d_v1", ok=50))
    assert failures(telemetry) == [100, 100]
    take(telemetry, feed, grpc(Message(3), 0, 50))
    assert failures(telemetry) == [100, 100]


def test_streams_that_end_hide_no_failures(telemetry: Telemetry) -> None:
    """Of requests that are no gRPC, or that another Envoy had."""
    feed = telemetry.join("e1", "default", NOW)
    take(telemetry, feed, Message(1).requests("d_v1", ok=50))
    take(telemetry, feed, grpc(Message(2).requests("d_v1", failed=10), 0, 50))
    assert failures(telemetry) == [10, 10]
    other = telemetry.join("e2", "default", NOW)
    take(telemetry, other, grpc(Message(1).requests("d_v1", ok=5), 14, 5))
    assert failures(telemetry) == [15, 15]


def test_a_version_with_both_has_the_failures_of_both(telemetry: Telemetry) -> None:
    """Where it answered itself, with how long it took: 5xx here, failed calls there."""
    message = Message(1).requests("d_v1", [5.0] * 20, ok=13, failed=7)
    take(telemetry, telemetry.join("e1", "default", NOW), grpc(message, 14, 3))
    assert failures(telemetry) == [10, 10]


def test_a_success_rate_is_never_below_nothing(telemetry: Telemetry) -> None:
    """Though calls fail that began long before the only request of that time."""
    message = grpc(Message(1).requests("d_v1", ok=1), 14, 50)
    take(telemetry, telemetry.join("e1", "default", NOW), message)
    assert telemetry.summary(Scope("d", "v1"), 60, NOW).success_rate == 0.0


def test_totals_never_fall(telemetry: Telemetry) -> None:
    """Though what a copy is to be taken away for is reported a flush later."""
    feed = telemetry.join("e1", "default", NOW)
    take(telemetry, feed, Message(1).requests("d_v1", ok=1, failed=3))
    assert failures(telemetry) == [3, 3]
    labels = {"envoy.cluster_name": "d_v1", "envoy.response_code_class": "5"}
    take(telemetry, feed, Message(2).counter("cluster.mirrored.upstream_rq_xx", 2, **labels))
    assert failures(telemetry) == [1, 3]
    take(telemetry, feed, Message(3).requests("d_v1", failed=3))
    assert failures(telemetry) == [4, 4]


@pytest.mark.parametrize(
    ("seen", "verdict"), [([], None), ([1], True), ([0], False), ([0, 0, 1], False), ([0, 1, 1], True)]
)
def test_health_is_what_most_envoys_see(
    telemetry: Telemetry, seen: list[int], *, verdict: bool | None
) -> None:
    """One that is cut off from a version, alone, decides nothing; nor does one without its endpoints."""
    take(telemetry, telemetry.join("new", "default", NOW), Message(1).members("d_v1", 0, 0))
    for number, healthy in enumerate(seen):
        feed = telemetry.join(f"e{number}", "default", NOW)
        take(telemetry, feed, Message(1).members("d_v1", healthy, 2))
    assert telemetry.healthy_by_quorum("d", "v1", NOW) is verdict
    assert telemetry.healthy_by_quorum("d", "v1", NOW + 60) is None


def test_an_envoy_has_one_vote(telemetry: Telemetry) -> None:
    """However many streams it opens; the oldest one counts."""
    for number, healthy in enumerate((1, 0, 0, 0)):
        feed = telemetry.join("e1", "default", NOW + number)
        take(telemetry, feed, Message(number + 1).members("d_v1", healthy, 2), NOW + 3)
    assert telemetry.healthy_by_quorum("d", "v1", NOW + 3) is True


def test_who_asks_for_no_configuration_has_no_vote(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor at another gateway than its own; nor any more, a second after it left."""
    for node, gateway in (("stranger", "default"), ("e2", "edge")):
        take(telemetry, telemetry.join(node, gateway, NOW), Message(1).members("d_v1", 0, 2))
    assert telemetry.healthy_by_quorum("d", "v1", NOW) is None
    take(telemetry, telemetry.join("e1", "default", NOW), Message(1).members("d_v1", 1, 2))
    assert telemetry.healthy_by_quorum("d", "v1", NOW) is True
    monkeypatch.setattr(f"{__name__}.ENVOYS", ())
    assert telemetry.healthy_by_quorum("d", "v1", NOW + 2) is None


def test_whoever_has_a_version_no_more_has_no_say(telemetry: Telemetry) -> None:
    """Its last word on it is none any more, nor that of an Envoy that changed its mind."""
    first, second = (telemetry.join(name, "default", NOW) for name in ("e1", "e2"))
    take(telemetry, first, Message(1).members("d_v1", 0, 2))
    take(telemetry, second, Message(1).members("d_v1", 0, 2))
    assert telemetry.doubted() == {"d_v1"}
    take(telemetry, first, Message(2).members("d_v2", 1, 2))
    assert telemetry.healthy_by_quorum("d", "v1", NOW) is False
    take(telemetry, second, Message(2).members("d_v1", 1, 2))
    assert telemetry.healthy_by_quorum("d", "v1", NOW) is True
    assert telemetry.doubted() == frozenset()


def test_what_was_saved_goes_on_where_it_was(telemetry: Telemetry) -> None:
    """Counts, rates, revisions: the same before and after a restart."""
    feed = telemetry.join("e1", "default", NOW)
    for at in range(1, 151):
        take(telemetry, feed, Message(at).requests("d_v1", [float(at)], ok=2), NOW + at)
    before = telemetry.summary(Scope("d"), 3000, NOW + 150)
    saved = telemetry.take_unsaved(NOW + 130) + telemetry.take_unsaved(NOW + 150, final=True)
    after = Telemetry(known)
    after.restore(sorted(saved, key=lambda minute: minute[1]), NOW + 152)
    again = after.summary(Scope("d"), 3000, NOW + 152)
    assert (again.counts, again.revisions) == (before.counts, before.revisions)
    assert again.rate == pytest.approx(before.rate)
    assert again.latency == before.latency
