"""What Envoys find of a cluster's endpoints, and what most of them find.

A vote for each node id, however many streams of reports it opens, and only while it has a stream for
configuration too: who merely reports has no say. Of several streams by one id the oldest one counts.
"""

from collections import Counter
from collections.abc import Callable, Iterable

from xds.telemetry.feed import Feed

Envoys = Callable[[], Iterable[tuple[str, str]]]
"""Those that have a stream for configuration: node id and gateway."""

_VALID = 1.0
"""Seconds until it is asked again who has such a stream."""


class Votes:
    """The votes of all streams of reports, by cluster.

    Args:
        envoys: who may vote.
    """

    def __init__(self, envoys: Envoys) -> None:
        self._envoys = envoys
        self._votes: dict[str, dict[Feed, bool]] = {}
        self._against: Counter[str] = Counter()
        self._voters: frozenset[tuple[str, str]] = frozenset()
        self._asked = float("-inf")
        self._verdicts: dict[str, bool | None] = {}
        """Those that were made up since."""

    def cast(self, cluster: str, feed: Feed, vote: bool | None) -> None:  # noqa: FBT001 (as it was cast)
        """A stream knows a healthy endpoint, or none but others; None: it knows none at all any more."""
        votes = self._votes.setdefault(cluster, {})
        self._against[cluster] += (vote is False) - (votes.get(feed) is False)
        if not self._against[cluster]:
            del self._against[cluster]
        if vote is None:
            votes.pop(feed, None)
        else:
            votes[feed] = vote
        if not votes:
            del self._votes[cluster]
        self._verdicts.pop(cluster, None)

    def verdict(self, cluster: str, now: float) -> bool | None:
        """Whether half of those who vote, or more, can use an endpoint; None where nobody votes."""
        if not 0 <= now - self._asked <= _VALID:
            self._voters, self._asked = frozenset(self._envoys()), now
            self._verdicts.clear()
        if cluster not in self._verdicts:
            self._verdicts[cluster] = self._count(self._votes.get(cluster, {}))
        return self._verdicts[cluster]

    def doubted(self) -> frozenset[str]:
        """The clusters of which a stream knows no healthy endpoint."""
        return frozenset(self._against)

    def _count(self, votes: dict[Feed, bool]) -> bool | None:
        by_node: dict[str, bool] = {}
        for feed in sorted(votes, key=lambda feed: feed.opened):
            if (feed.node, feed.gateway) in self._voters:
                by_node.setdefault(feed.node, votes[feed])
        return 2 * sum(by_node.values()) >= len(by_node) if by_node else None
