"""Inherited settings: a version's own, its deployment's, the gateway's `defaults`, ours.

Each setting is that of the first level that says it, as a whole. Two are merged instead, because
half of them is worth saying: bounds one by one, and header edits name by name. So a version that
lowers one bound stays protected by the others, and a gateway's `remove` holds until somebody speaks
of that header.

Ours fit inference: answers stream for as long as they take, connections are many and long-lived,
and only what never reached the model is tried again.
"""

import functools
from collections.abc import Iterable

from xds.spec.upstream import (
    CircuitBreakers,
    ClusterSettings,
    HeaderEdits,
    Headers,
    LoadBalancing,
    Model,
    Retry,
    RouteSettings,
    UpstreamSettings,
)

MANY = 65_536
"""Bounds that protect the Envoy, not the model: its own admission control knows better."""

BOUNDS = CircuitBreakers(max_connections=MANY, max_pending_requests=MANY, max_requests=MANY, max_retries=64)
OURS = UpstreamSettings(
    protocol="http1",
    connect_timeout=5.0,
    circuit_breakers=BOUNDS,
    load_balancing=LoadBalancing(),
    headers=Headers(),
    timeout=0.0,
    idle_timeout=5 * 60.0,
    retry=Retry(),
)

_CLUSTER = tuple(ClusterSettings.model_fields)
_ROUTE = tuple(RouteSettings.model_fields)
_BOUNDS = tuple(CircuitBreakers.model_fields)


class _Levels(tuple[ClusterSettings, ...]):
    """Levels that are found again by identity: settings are asked for entry by entry, and are deep."""

    __slots__ = ()

    def __hash__(self) -> int:
        return hash(tuple(map(id, self)))


def cluster_settings(*levels: ClusterSettings) -> ClusterSettings:
    """The settings of a build's cluster and of its entries in the split, the first level the strongest."""
    return _cluster_settings(_Levels(levels))


def route_settings(*levels: RouteSettings) -> RouteSettings:
    """The settings of a deployment's routes, the first level the strongest."""
    return OURS.model_copy(update=_first_said(_ROUTE, levels))


@functools.lru_cache(maxsize=4096)
def _cluster_settings(levels: _Levels) -> ClusterSettings:
    said = _first_said(_CLUSTER, levels)
    if "circuit_breakers" in said:
        said["circuit_breakers"] = _bounds([level.circuit_breakers for level in levels])
    if "headers" in said:
        said["headers"] = _headers([level.headers for level in levels])
    return OURS.model_copy(update=said)


def _first_said(names: Iterable[str], levels: tuple[Model, ...]) -> dict[str, object]:
    said: dict[str, object] = {}
    for level in reversed(levels):
        said |= {name: value for name in names if (value := getattr(level, name)) is not None}
    return said


def _bounds(levels: list[CircuitBreakers | None]) -> CircuitBreakers:
    said = tuple(level for level in levels if level is not None)
    return BOUNDS.model_copy(update=_first_said(_BOUNDS, said))


def _headers(levels: list[Headers | None]) -> Headers:
    said = [level for level in levels if level is not None]
    return Headers(
        request=_edits(level.request for level in said), response=_edits(level.response for level in said)
    )


def _edits(levels: Iterable[HeaderEdits]) -> HeaderEdits:
    """Every edit of every level, but for names that a stronger one speaks of."""
    values: dict[str, str] = {}
    removed: list[str] = []
    spoken_of: set[str] = set()
    for level in levels:
        values |= {name: value for name, value in level.set.items() if name.lower() not in spoken_of}
        removed += [name for name in level.remove if name.lower() not in spoken_of]
        spoken_of |= {name.lower() for name in (*level.set, *level.remove)}
    return HeaderEdits(set=values, remove=tuple(removed))
