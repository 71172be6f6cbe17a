"""Inherited settings: a version's own, its deployment's, the gateway's `defaults`, ours.

How levels go together is `xds.spec.levels`'s to know; here are ours, below all of them. They fit
inference: answers stream for as long as they take, connections are many and long-lived, and only what
never reached the model is tried again.
"""

import functools
import operator
from typing import Literal, TypeAlias

from xds.spec.levels import cluster_said, first_said
from xds.spec.upstream import (
    CircuitBreakers,
    ClusterSettings,
    LoadBalancing,
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
    timeout=0.0,
    idle_timeout=5 * 60.0,
    retry=Retry(),
    lend_when="unhealthy",
)
_LAST = ClusterSettings(circuit_breakers=BOUNDS)
"""What is merged even where another level says it."""

_SILENT = UpstreamSettings()
_CLUSTER, _ROUTE = tuple(ClusterSettings.model_fields), tuple(RouteSettings.model_fields)
_KEPT = 4096

LendWhen: TypeAlias = Literal["unhealthy", "empty", "never"]
"""When `main` serves a canary's share."""


Said: TypeAlias = tuple[tuple[object, ...], ...]
"""The values of each level, the strongest first. Most deployments say the same, so what follows from it
is found again."""

_of_cluster = operator.attrgetter(*_CLUSTER)
_of_route = operator.attrgetter(*_ROUTE)


def cluster_settings(*levels: ClusterSettings) -> ClusterSettings:
    """The settings of a build's cluster and of its entries in the split, the first level the strongest."""
    return settled(said_of_cluster(*levels))


def said_of_cluster(*levels: ClusterSettings) -> Said:
    """What levels say of a build's cluster and of its entries in the split."""
    return tuple(map(_of_cluster, levels))


@functools.lru_cache(_KEPT)
def settled(said: Said) -> ClusterSettings:
    """What becomes of it."""
    return OURS.model_copy(update=cluster_said((*_levels(_CLUSTER, said), _LAST)))


def route_settings(*levels: RouteSettings) -> RouteSettings:
    """The settings of a deployment's routes, the first level the strongest."""
    return _route_settings(tuple(map(_of_route, levels)))


def lend_when(*levels: RouteSettings) -> LendWhen:
    """When a deployment's builds lend their slots, the first level the strongest."""
    return next((level.lend_when for level in levels if level.lend_when is not None), "unhealthy")


@functools.lru_cache(_KEPT)
def _route_settings(said: Said) -> RouteSettings:
    return OURS.model_copy(update=first_said(_ROUTE, _levels(_ROUTE, said)))


def _levels(names: tuple[str, ...], said: Said) -> list[UpstreamSettings]:
    return [_SILENT.model_copy(update=dict(zip(names, each, strict=True))) for each in said]
