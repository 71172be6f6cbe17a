"""All that Envoys report, and the answers.

Counters come as what was counted since Envoy's last report, so they only have to be added up: an Envoy
that restarts begins at nothing, one that comes back goes on, and two that share a node id by mistake
are told apart by their streams, and both count. What must not happen is that a report counts twice: on
a stream the times of reports grow, and the latest reports of a node are remembered across its streams.

Gauges are a stream's until it says otherwise; health, until a report leaves the cluster out. When it
ends, or falls silent for three of its intervals, they go: an Envoy that was killed had requests in
flight a moment ago, and isn't heard to finish them.

A rate is of the time that reports cover, which isn't quite the time that was asked about: reports come
every few seconds. So each gateway has a clock: every report puts it on by the time since the one before,
divided by how many Envoys report.

A number counts to the deployment's revision at the time it came in.
"""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from xds.telemetry.archive import Archive, Minute, RevisionOf
from xds.telemetry.feed import Feed, Gauges, Seen
from xds.telemetry.message import Report, Sample
from xds.telemetry.records import Intake, Point, Reporter, Scope, Summary
from xds.telemetry.series import DAY, HOUR, MINUTE, STEP
from xds.telemetry.summing import point, summed
from xds.telemetry.votes import Envoys, Votes
from xds.telemetry.window import Window

MOST_CLUSTERS = 50_000
"""Of which an Envoy's gauges are kept; several times what any can bear."""

_SHORTEST, _LONGEST = 0.5, 300.0
"""Seconds between two reports, as far as that is believed. It is Envoy's own time: its reports may have
had to wait on their way."""


class Telemetry:
    """What Envoys report about versions, and how they do.

    Args:
        revision_of: which revision a number counts to.
        envoys: whose word on health counts.
    """

    def __init__(self, revision_of: RevisionOf, envoys: Envoys = tuple) -> None:
        self._revision_of = revision_of
        self._archive = Archive(revision_of)
        self._votes = Votes(envoys)
        self._feeds: list[Feed] = []
        self._connected: Counter[str] = Counter()
        """Open streams by gateway."""
        self._streams: Counter[str] = Counter()
        """Open streams by node."""
        self._seen: dict[str, Seen] = {}
        """By node."""
        self._active: Counter[tuple[str, str]] = Counter()
        """Requests in flight, by cluster and gateway."""
        self._aged = 0.0
        self._intake: Counter[str] = Counter()

    # What comes in

    def join(self, node: str, gateway: str, now: float) -> Feed:
        """An Envoy opens a stream; whoever it is has been let in."""
        feed = Feed(node, gateway, opened=now, last=now)
        if not self._streams[node]:  # else it is one of two by that name, with a clock of its own
            feed.latest = max(self._seen.get(node, Seen()).times, default=0)
        self._feeds.append(feed)
        self._connected[gateway] += 1
        self._streams[node] += 1
        return feed

    def leave(self, feed: Feed) -> None:
        """Its stream has ended; its gauges stay until it would have been silent for long."""
        feed.connected = False
        self._connected[feed.gateway] -= 1
        self._streams[feed.node] -= 1
        if not self._streams[feed.node]:
            del self._streams[feed.node]

    def take(self, feed: Feed, report: Report, size: int, now: float) -> None:
        """Take in a report, unless it was before.

        Args:
            feed: whose.
            report: what it says.
            size: bytes of the message.
            now: when it came.
        """
        if self._is_replayed(feed, report, now):
            self._intake["replayed"] += 1
            return
        if not feed.reported:
            self._replace(feed)
        self._cover(feed, now)
        self._intake.update(messages=1, bytes=size, unbucketed=report.unbucketed)
        for cluster, sample in report.samples.items():
            self._take_sample(feed, cluster, sample, now)
        for cluster in feed.gauges.keys() - report.samples.keys():  # it has it no more
            self._take_members(feed, cluster, feed.gauges[cluster], 0, 0)
        self._age_once_a_second(now)

    def refuse(self) -> None:
        """Somebody sent something that is no report."""
        self._intake["garbage"] += 1

    def intake(self) -> Intake:
        """What came in, for whoever watches the watcher."""
        return Intake(**self._intake, crowded=self._archive.crowded)

    # What there is to know

    def summary(self, scope: Scope, span: float, now: float) -> Summary:
        """A scope over the last `span` seconds, the present window included.

        Up to an hour ago it is known to 5 s, up to a day to a minute.
        """
        begins = _begin(now - min(span, DAY), now)
        gateways: defaultdict[str, Window] = defaultdict(Window)
        revisions = set()
        for key in self._archive.matching(scope):
            for _, window in self._archive.windows(key, begins, now):
                gateways[key[2]].add(window)
                revisions.add(key[3])
        clocks = {
            name: sum(seconds for _, seconds in self._archive.covered(name, begins, now)) for name in gateways
        }
        return dataclasses.replace(
            summed(scope, gateways, clocks),
            begins=begins,
            ends=now,
            in_flight=self._in_flight(scope, now),
            revisions=tuple(sorted(revisions)),
            envoys=self._reporting(scope, now),
        )

    def series(self, scope: Scope, step: float, span: float, now: float) -> list[Point]:
        """The same in steps of a multiple of 5 s (beyond an hour: of a minute), oldest first."""
        span = min(span, DAY)
        unit = MINUTE if span > HOUR + STEP else STEP
        width = max(unit, round(step / unit) * unit)
        begins = int(now - span) // width * width
        steps: defaultdict[int, defaultdict[str, Window]] = defaultdict(lambda: defaultdict(Window))
        clocks: defaultdict[int, dict[str, float]] = defaultdict(dict)
        matching = self._archive.matching(scope)
        for key in matching:
            for start, window in self._archive.windows(key, begins, now):
                steps[start // width * width][key[2]].add(window)
        for gateway in {key[2] for key in matching}:
            for start, seconds in self._archive.covered(gateway, begins, now):
                at = clocks[start // width * width]
                at[gateway] = at.get(gateway, 0.0) + seconds
        return [
            point(at, summed(scope, steps[at], clocks[at]), steps[at].values())
            for at in range(begins, int(now) + 1, width)
        ]

    def in_flight(self, deployment: str, build: str, now: float) -> int | None:
        """Requests on a build at this moment, copies included; None where no live Envoy reports."""
        return self._in_flight(Scope(deployment, build), now)

    def in_flight_by_node(self, deployment: str, build: str, now: float) -> Mapping[str, int]:
        """The same by the node ids of the live Envoys; those without any as well."""
        self._age(now)
        cluster = f"{deployment}_{build}"
        found: Counter[str] = Counter()
        for feed in self._live(now):
            found[feed.node] += feed.gauges[cluster].active if cluster in feed.gauges else 0
        return found

    def all_in_flight(self, now: float) -> Mapping[tuple[str, str], int] | None:
        """The same of every build that has any, by deployment and build; None where no live Envoy reports."""
        self._age(now)
        if next(self._live(now), None) is None:
            return None
        found: Counter[tuple[str, str]] = Counter()
        for (cluster, _), active in self._active.items():
            deployment, _, build = cluster.partition("_")
            found[deployment, build] += active
        return found

    def scopes(self, deployment: str | None = None) -> Iterable[Scope]:
        """Everything there are numbers of: each with build, gateway and revision."""
        return self._archive.scopes(deployment)

    def totals(self) -> Mapping[tuple[str, str, str], Window]:
        """All that was counted since the server began, by deployment, build and gateway; they only grow."""
        return self._archive.totals()

    def envoys(self, now: float) -> tuple[Reporter, ...]:
        """Who reports, and who did until a short while ago."""
        self._age(now)
        return tuple(
            Reporter(
                feed.node,
                feed.gateway,
                feed.opened,
                feed.last,
                feed.interval,
                feed.connected,
                feed.reported,
                feed.is_live(now),
            )
            for feed in self._feeds
        )

    def healthy_by_quorum(self, deployment: str, build: str, now: float) -> bool | None:
        """Whether half of the Envoys that know endpoints of a build, or more, can use one of them.

        None where no live Envoy knows one. It has one vote, and only while it is one of `envoys`.
        """
        self._age_once_a_second(now)
        return self._votes.verdict(f"{deployment}_{build}", now)

    def doubted(self) -> frozenset[str]:
        """The clusters of which an Envoy, or more, can use no endpoint."""
        return self._votes.doubted()

    # What is kept

    def take_unsaved(self, now: float, *, final: bool = False) -> list[Minute]:
        """Minutes to save: those that ended since this was asked last; `final`: and the present ones.

        One that was saved before is to be replaced by its newer self.
        """
        return self._archive.take_unsaved(now, final=final)

    def restore(self, minutes: Iterable[Minute], now: float) -> None:
        """What was saved; by beginning, oldest first."""
        self._archive.restore(minutes, now)

    def _is_replayed(self, feed: Feed, report: Report, now: float) -> bool:
        if not report.samples:
            return False
        seen = self._seen.setdefault(feed.node, Seen())
        if report.at <= feed.latest or report.at in seen.times:
            return True
        if feed.reported:
            feed.interval = min(_LONGEST, max(_SHORTEST, (report.at - feed.latest) / 1000))
        feed.latest = report.at
        seen.times.append(report.at)
        seen.last = now
        return False

    def _cover(self, feed: Feed, now: float) -> None:
        passed = max(0.0, now - feed.last)
        feed.last, feed.reported = now, True
        self._archive.advance(feed.gateway, passed / max(1, self._connected[feed.gateway]), now)

    def _take_sample(self, feed: Feed, cluster: str, sample: Sample, now: float) -> None:
        deployment, _, build = cluster.partition("_")
        revision = self._revision_of(deployment, build)
        if revision is None:
            self._intake["foreign"] += 1
            return
        self._intake["samples"] += 1
        active = self._gauge(feed, cluster, sample)
        if sample.counts or sample.time is not None or sample.first_byte is not None or active:
            window = self._archive.window((deployment, build, feed.gateway, revision), now)
            if window is not None:
                window.take(sample)
                window.active = max(window.active, active)

    def _gauge(self, feed: Feed, cluster: str, sample: Sample) -> int:
        """Remember a stream's gauges; returns the requests in flight on its whole gateway."""
        gauges = feed.gauges.get(cluster)
        if gauges is None:
            if len(feed.gauges) >= MOST_CLUSTERS:
                return 0
            gauges = feed.gauges[cluster] = Gauges()
        place = (cluster, feed.gateway)
        if sample.active is not None and sample.active != gauges.active:
            self._active[place] += sample.active - gauges.active
            gauges.active = sample.active
        self._take_members(feed, cluster, gauges, sample.healthy, sample.total)
        return self._active.get(place, 0)

    def _take_members(
        self, feed: Feed, cluster: str, gauges: Gauges, healthy: int | None, total: int | None
    ) -> None:
        before = gauges.vote
        if healthy is not None:
            gauges.healthy = healthy
        if total is not None:
            gauges.total = total
        if gauges.vote is not before:
            self._votes.cast(cluster, feed, gauges.vote)

    def _replace(self, feed: Feed) -> None:
        """An Envoy is back: what it said on streams that ended is over."""
        for old in self._feeds:
            if old.node == feed.node and old.gateway == feed.gateway and not old.connected:
                self._drop_gauges(old)

    def _drop_gauges(self, feed: Feed) -> None:
        for cluster, gauges in feed.gauges.items():
            place = (cluster, feed.gateway)
            self._active[place] -= gauges.active
            if not self._active[place]:
                del self._active[place]
            self._votes.cast(cluster, feed, None)
        feed.gauges = {}

    def _age_once_a_second(self, now: float) -> None:
        if now - self._aged > 1 or now < self._aged:
            self._age(now)

    def _age(self, now: float) -> None:
        """Let go of the streams that are over or silent."""
        self._aged = now
        for feed in self._feeds:
            if not feed.is_live(now):
                self._drop_gauges(feed)
        self._feeds = [feed for feed in self._feeds if feed.connected or feed.is_live(now)]
        self._seen = {node: seen for node, seen in self._seen.items() if now - seen.last < HOUR}

    def _live(self, now: float, gateway: str | None = None) -> Iterator[Feed]:
        """The streams that say something; those of a gateway, or all."""
        for feed in self._feeds:
            if feed.reported and feed.is_live(now) and gateway in (None, feed.gateway):
                yield feed

    def _in_flight(self, scope: Scope, now: float) -> int | None:
        feeds = list(self._live(now, scope.gateway))
        if not feeds:
            return None
        if scope.build is not None:
            cluster = f"{scope.deployment}_{scope.build}"
            return sum(feed.gauges[cluster].active for feed in feeds if cluster in feed.gauges)
        prefix = f"{scope.deployment}_"
        return sum(
            gauges.active
            for feed in feeds
            for cluster, gauges in feed.gauges.items()
            if cluster.startswith(prefix)
        )

    def _reporting(self, scope: Scope, now: float) -> int:
        prefix = f"{scope.deployment}_"
        cluster = f"{prefix}{scope.build}"
        return sum(
            cluster in feed.gauges
            if scope.build is not None
            else any(name.startswith(prefix) for name in feed.gauges)
            for feed in self._live(now, scope.gateway)
        )


def _begin(at: float, now: float) -> int:
    """The beginning of the window that a time is in."""
    unit = MINUTE if at < now - HOUR - STEP else STEP
    return int(at) // unit * unit
