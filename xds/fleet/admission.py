"""Who is let in: Envoys that belong to a gateway. Who doesn't is told what to mend, and remembered.

An Envoy that is turned away tries again every few seconds and serves nothing; its own log is the last
place where somebody looks. So the newest of them are kept, with what they were told.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping

from xds.discovery.hub import Target
from xds.discovery.order import Clock
from xds.discovery.request import Node
from xds.errors import CanaryError
from xds.fleet.membership import gateway_of
from xds.fleet.profile import target_of
from xds.spec.gateway import Gateway, NodeMatch

REMEMBERED = 100
"""Nodes; beyond that the one that tried least recently is forgotten."""

_LONGEST = 200
"""Characters of an id or a cluster that are kept and repeated."""


_NAMED = 10
"""Gateways whose conditions are told: the answer travels in a header."""


class NotAdmitted(CanaryError):
    """A node belongs to no gateway. Its stream is refused with the message, which says the mend."""

    def __init__(self, node: "TurnedAway") -> None:
        self.node = node
        super().__init__(node.reason)


@dataclasses.dataclass(frozen=True)
class TurnedAway:
    """A node that was not let in.

    Attributes:
        id: `node.id`.
        cluster: `node.cluster`.
        reason: what it was told.
        times: how often, since it is remembered.
        last: when it tried last, by the clock of the admission.
    """

    id: str
    cluster: str
    reason: str
    times: int
    last: float


class Admission:
    """Finds each node's target, and keeps a list of those that have none.

    Args:
        gateways: in the order in which they are tried.
        clock: seconds, for the list.
    """

    def __init__(self, gateways: Iterable[Gateway], clock: Clock = lambda: 0.0) -> None:
        self._gateways = tuple(gateways)
        self._clock = clock
        self._turned_away: dict[tuple[str, str], TurnedAway] = {}
        self.refusals = 0
        """How often anybody was turned away."""

    def admit(self, node: Node | None) -> Target:
        """What a node is to have.

        Args:
            node: who it says it is; None where it doesn't.

        Raises:
            NotAdmitted: it belongs nowhere.
        """
        gateway = gateway_of(node, self._gateways) if node else None
        if node is None or gateway is None:
            raise NotAdmitted(self._turn_away(node))
        return target_of(gateway.name, node)

    def turned_away(self) -> tuple[TurnedAway, ...]:
        """The nodes that were not let in, the latest first."""
        return tuple(reversed(self._turned_away.values()))

    def _turn_away(self, node: Node | None) -> TurnedAway:
        key = (node.id[:_LONGEST], node.cluster[:_LONGEST]) if node else ("", "")
        reason = self._reason(*key) if node else "the first request on a stream says which node it is from"
        earlier = self._turned_away.pop(key, None)
        times = earlier.times + 1 if earlier else 1
        self._turned_away[key] = refused = TurnedAway(*key, reason, times, self._clock())
        if len(self._turned_away) > REMEMBERED:
            del self._turned_away[next(iter(self._turned_away))]
        self.refusals += 1
        return refused

    def _reason(self, id_: str, cluster: str) -> str:
        return (
            f"node {id_!r} of cluster {cluster!r} belongs to no gateway; {_wishes(self._gateways[:_NAMED])}; "
            "change node in its bootstrap, or the nodes of a gateway"
        )


def _wishes(gateways: Iterable[Gateway]) -> str:
    """`edge takes cluster edge or id edge-*`, of each gateway."""
    return ", ".join(
        f"{gateway.name} takes "
        + " or ".join(map(_wish, gateway.nodes or (NodeMatch(cluster=gateway.name),)))
        for gateway in gateways
    )


def _wish(match: NodeMatch) -> str:
    return " with ".join(_conditions(match.model_dump(exclude_defaults=True)))


def _conditions(said: Mapping[str, object]) -> Iterator[str]:
    for key, value in said.items():
        if isinstance(value, Mapping):
            yield from (f"{key}.{condition}" for condition in _conditions(value))
        else:
            yield f"{key} {value}"
