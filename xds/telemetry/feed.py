"""One stream of reports: whose it is, when it was heard, and what it said last."""

import dataclasses
from collections import deque

_SILENT = 3
"""Intervals after which a stream's gauges go."""
_INTERVAL = 5.0
"""Seconds, for a stream that reported once."""
_REMEMBERED = 32
"""Reports of a node, to know them again on another stream."""


@dataclasses.dataclass(slots=True)
class Gauges:
    """What a stream said last of a cluster."""

    active: int = 0
    healthy: int = 0
    total: int = 0

    @property
    def vote(self) -> bool | None:
        """Whether an endpoint can be used; None where none is known."""
        return self.healthy > 0 if self.total else None


@dataclasses.dataclass(slots=True)
class Seen:
    """A node's latest reports, by its own times of them; and when the last one came."""

    times: deque[int] = dataclasses.field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    last: float = 0.0


@dataclasses.dataclass(eq=False)
class Feed:
    """One stream of reports.

    Attributes:
        latest: Envoy's own time of its latest report.
        gauges: by cluster.
    """

    node: str
    gateway: str
    opened: float
    last: float
    interval: float = _INTERVAL
    latest: int = 0
    connected: bool = True
    reported: bool = False
    gauges: dict[str, Gauges] = dataclasses.field(default_factory=dict)

    def is_live(self, now: float) -> bool:
        """Whether it was heard lately."""
        return now - self.last <= _SILENT * self.interval
