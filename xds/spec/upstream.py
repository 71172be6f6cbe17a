"""How a gateway talks to a build: the settings of clusters and of routes.

A setting that is absent (`None`) is inherited: version, then deployment, then the gateway's
`defaults`, then Canary's own (`xds.translate.settings`). Cluster settings can differ between
versions; route settings cannot, because a route is chosen before its version is.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from xds.spec.values import Duration, Percent


class Model(BaseModel):
    """Base of everything a file can say: immutable, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Tls(Model):
    """TLS towards the upstream; `{}` alone means: TLS, certificate not verified."""

    sni: str | None = None
    ca_file: str | None = None
    """Path, on the Envoy's machine, of the authorities the upstream's certificate must come from."""
    cert_file: str | None = None
    key_file: str | None = None


class HealthCheck(Model):
    """Active HTTP (or gRPC, or TCP) checks, done by Envoy."""

    type: Literal["http", "grpc", "tcp"] = "http"
    path: str = "/healthz"
    interval: Duration = 5.0
    timeout: Duration = 2.0
    unhealthy_threshold: Annotated[int, Field(ge=1)] = 3
    healthy_threshold: Annotated[int, Field(ge=1)] = 1


class OutlierDetection(Model):
    """Passive ejection of single endpoints that fail."""

    consecutive_5xx: Annotated[int, Field(ge=1)] = 5
    interval: Duration = 10.0
    base_ejection_time: Duration = 30.0
    max_ejection_percent: Percent = 50.0


class CircuitBreakers(Model):
    """Upper bounds per Envoy and build."""

    max_connections: Annotated[int, Field(ge=1)] | None = None
    max_pending_requests: Annotated[int, Field(ge=1)] | None = None
    max_requests: Annotated[int, Field(ge=1)] | None = None
    max_retries: Annotated[int, Field(ge=1)] | None = None


class LoadBalancing(Model):
    """Which endpoint of a build takes a request."""

    policy: Literal["least_request", "round_robin", "ring_hash"] = "least_request"
    header: str | None = None
    """The header `ring_hash` hashes by."""


class SlowStart(Model):
    """New endpoints get their share gradually over `window`."""

    window: Duration = 30.0


class Retry(Model):
    """Retries of what never reached the model; 0 attempts turns them off."""

    attempts: Annotated[int, Field(ge=0, le=10)] = 2
    per_try_timeout: Duration | None = None


class HeaderEdits(Model):
    """Headers set (overwriting), or removed."""

    set: dict[str, str] = {}
    remove: tuple[str, ...] = ()


class Headers(Model):
    """Edits on the way to the upstream and on the way back."""

    request: HeaderEdits = HeaderEdits()
    response: HeaderEdits = HeaderEdits()


class ClusterSettings(Model):
    """What belongs to a build's cluster, or to its entry in the split: a version may override it."""

    protocol: Literal["http1", "http2", "grpc"] | None = None
    connect_timeout: Duration | None = None
    tls: Tls | None = None
    health_check: HealthCheck | None = None
    outlier_detection: OutlierDetection | None = None
    circuit_breakers: CircuitBreakers | None = None
    load_balancing: LoadBalancing | None = None
    slow_start: SlowStart | None = None
    headers: Headers | None = None


class RouteSettings(Model):
    """What belongs to the route: the same for every version of a deployment."""

    timeout: Duration | None = None
    """Of the whole answer; 0 and the default are: none, because answers stream."""
    idle_timeout: Duration | None = None
    max_stream_duration: Duration | None = None
    retry: Retry | None = None


class UpstreamSettings(ClusterSettings, RouteSettings):
    """All of them: a deployment's, or a gateway's `defaults`."""
