"""How a gateway talks to a build: the settings of clusters and of routes.

A setting that is absent (`None`) is inherited: version, then deployment, then the gateway's
`defaults`, then Canary's own (`xds.translate.settings`). Cluster settings can differ between
versions; route settings cannot, because a route is chosen before its version is.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from xds.spec.complaint import wrong
from xds.spec.names import HeaderName, HeaderValue, KeyHeader
from xds.spec.places import HttpPath
from xds.spec.values import Attempts, Count, Duration, Percent, PositiveDuration, Text


class Model(BaseModel):
    """Base of everything a file can say: immutable, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Tls(Model):
    """TLS towards the upstream; `{}` alone means: TLS, certificate not verified."""

    sni: Text | None = None
    """The server name to ask for."""
    ca_file: Text | None = None
    """Path, on the Envoy's machine, of the authorities the upstream's certificate must come from."""
    cert_file: Text | None = None
    """Path, on the Envoy's machine, of the certificate to show; with `key_file`."""
    key_file: Text | None = None
    """Path, on the Envoy's machine, of its private key; with `cert_file`."""


class HealthCheck(Model):
    """Active HTTP (or gRPC, or TCP) checks, done by Envoy."""

    type: Literal["http", "grpc", "tcp"] = "http"
    path: HttpPath = "/healthz"
    """What an http check asks for; anything but 200 is a failure."""
    interval: PositiveDuration = 5.0
    timeout: PositiveDuration = 2.0
    unhealthy_threshold: Count = 3
    """Failures in a row that take an endpoint out."""
    healthy_threshold: Count = 1
    """Successes in a row that bring it back."""


class OutlierDetection(Model):
    """Passive ejection of single endpoints that fail."""

    consecutive_5xx: Count = 5
    """Failures in a row that eject an endpoint."""
    interval: PositiveDuration = 10.0
    """How often ejections are looked over."""
    base_ejection_time: PositiveDuration = 30.0
    """How long a first ejection lasts; each further one is longer."""
    max_ejection_percent: Percent = 50.0
    """At most this share of a build's endpoints is ejected at a time."""


class CircuitBreakers(Model):
    """Upper bounds per Envoy and build."""

    max_connections: Count | None = None
    max_pending_requests: Count | None = None
    max_requests: Count | None = None
    max_retries: Count | None = None


class LoadBalancing(Model):
    """Which endpoint of a build takes a request."""

    policy: Literal["least_request", "round_robin", "ring_hash"] = "least_request"
    header: KeyHeader | None = None
    """The header `ring_hash` hashes by; only on a deployment."""


class SlowStart(Model):
    """New endpoints get their share gradually over `window`."""

    window: PositiveDuration = 30.0


class Retry(Model):
    """Retries of what never reached the model, and of other failures where asked for; 0 attempts: none."""

    attempts: Attempts = 2
    """How often a request is tried again."""
    per_try_timeout: PositiveDuration | None = None
    """How long each try may take; absent: as long as the whole answer may."""
    on_other_version: bool = False
    """Try again on another version, until there is none left that wasn't tried (at most 8 times)."""
    on_5xx: bool = False
    """Try again as well what the build did get: a 5xx, a connection that broke. Of any method."""


def _has_attempts(retry: Retry) -> Retry:
    asked = " and ".join(key for key in ("on_other_version", "on_5xx") if getattr(retry, key))
    if asked and not retry.attempts:
        raise wrong(f"asks for {asked} in 0 attempts", "leave attempts out, or the rest")
    return retry


def _by_name(headers: dict[str, str]) -> dict[str, str]:
    """In one order whatever the file's, so that equal settings become equal bytes."""
    return dict(sorted(headers.items()))


class HeaderEdits(Model):
    """Headers set (overwriting), or removed."""

    set: Annotated[dict[HeaderName, HeaderValue], AfterValidator(_by_name)] = Field(default_factory=dict)
    remove: tuple[HeaderName, ...] = ()

    def __hash__(self) -> int:
        return hash((*self.set.items(), *self.remove))


class Headers(Model):
    """Edits on the way to the upstream and on the way back."""

    request: HeaderEdits = HeaderEdits()
    """Of requests, on their way to the build."""
    response: HeaderEdits = HeaderEdits()
    """Of answers, on their way back."""


class ClusterSettings(Model):
    """What belongs to a build's cluster, or to its entry in the split: a version may override it."""

    protocol: Literal["http1", "http2", "grpc"] | None = None
    """What the build speaks; grpc is http2."""
    connect_timeout: PositiveDuration | None = None
    """How long a connection to an endpoint may take to open."""
    tls: Tls | None = None
    """TLS towards the build; `{}`: the certificate is not verified."""
    health_check: HealthCheck | None = None
    """Active checks of the endpoints, done by Envoy."""
    outlier_detection: OutlierDetection | None = None
    """Ejection of single endpoints that fail."""
    circuit_breakers: CircuitBreakers | None = None
    """Upper bounds per Envoy and build."""
    load_balancing: LoadBalancing | None = None
    """Which endpoint takes a request."""
    slow_start: SlowStart | None = None
    """New endpoints get their share gradually."""
    headers: Headers | None = None
    """Headers set or removed on the way to the build and back."""


class RouteSettings(Model):
    """What belongs to the route: the same for every version of a deployment."""

    timeout: Duration | None = None
    """Of the whole answer; 0 and the default are: none, because answers stream."""
    idle_timeout: Duration | None = None
    """How long a request may go without a byte either way; 0: forever."""
    max_stream_duration: Duration | None = None
    """How long a stream may last in all; 0: forever."""
    retry: Annotated[Retry, AfterValidator(_has_attempts)] | None = None
    """Retries of what never reached the build."""
    lend_when: Literal["unhealthy", "empty", "never"] | None = None
    """When a canary's share is `main`'s to serve: none of its endpoints is healthy, it has none, or never."""


class UpstreamSettings(ClusterSettings, RouteSettings):
    """All of them: a deployment's, or a gateway's `defaults`."""
