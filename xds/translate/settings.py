"""Inherited settings: a version's own, its deployment's, the gateway's `defaults`, ours.

Ours fit inference: answers stream for as long as they take, connections are many and long-lived,
and only what never reached the model is tried again.
"""

from xds.spec.upstream import (
    CircuitBreakers,
    ClusterSettings,
    HeaderEdits,
    Headers,
    LoadBalancing,
    Retry,
    RouteSettings,
    UpstreamSettings,
)

MANY = 65_536
"""Bounds that protect the Envoy, not the model: its own admission control knows better."""

OURS = UpstreamSettings(
    protocol="http1",
    connect_timeout=5.0,
    circuit_breakers=CircuitBreakers(
        max_connections=MANY, max_pending_requests=MANY, max_requests=MANY, max_retries=64
    ),
    load_balancing=LoadBalancing(),
    headers=Headers(request=HeaderEdits(), response=HeaderEdits()),
    timeout=0.0,
    idle_timeout=5 * 60.0,
    retry=Retry(),
)


def cluster_settings(*levels: ClusterSettings) -> ClusterSettings:
    """The settings of a build's cluster; the first level that says something wins."""
    return ClusterSettings(**_inherited(ClusterSettings, levels))


def route_settings(*levels: RouteSettings) -> RouteSettings:
    """The settings of a deployment's routes; the first level that says something wins."""
    return RouteSettings(**_inherited(RouteSettings, levels))


def _inherited(
    model: type[ClusterSettings | RouteSettings], levels: tuple[ClusterSettings | RouteSettings, ...]
) -> dict[str, object]:
    said = {}
    for field in model.model_fields:
        values = (getattr(level, field) for level in (*levels, OURS))
        said[field] = next((value for value in values if value is not None), None)
    return said
