"""What a server is started with. The command reads it from a file, the environment and flags."""

import dataclasses
from pathlib import Path

from xds.revisions.history import KEEP_BUILDS
from xds.spec.gateway import Gateway, default_gateway
from xds.spec.metric_sources import PrometheusSource
from xds.spec.service_discovery import EndpointSource


@dataclasses.dataclass(frozen=True)
class Settings:
    """Addresses are `HOST:PORT`; port 0 takes a free one."""

    xds_listen: str = "127.0.0.1:18000"
    """Where Envoys connect."""
    admin_listen: str = "127.0.0.1:18001"
    """Where the command, the SDK and the console connect."""
    http_listen: str = "127.0.0.1:18002"
    """Health, readiness and metrics."""
    metrics_listen: str | None = None
    """Where Envoys report metrics, besides `xds_listen`."""
    tls_cert: Path | None = None
    """The certificate of the xDS and the admin listener (PEM, with its chain); with `tls_key`."""
    tls_key: Path | None = None
    client_ca: Path | None = None
    """Of whom Envoys must have a certificate, and callers of the admin API unless they have tokens."""
    admin_tokens: Path | None = None
    """A file of names and hashes (`canary token`): callers of the admin API must send a token."""
    insecure: bool = False
    """Whether it may listen off loopback without TLS, or without knowing who calls."""
    specs: Path | None = None
    """A folder of deployment files to follow."""
    store: Path = Path("canary.db")
    gateways: tuple[Gateway, ...] = dataclasses.field(default_factory=lambda: (default_gateway(),))
    endpoint_sources: tuple[EndpointSource, ...] = ()
    """Where endpoints are polled from."""
    metric_sources: tuple[PrometheusSource, ...] = ()
    """Who is asked for metrics besides the Envoys."""
    otlp_endpoint: str | None = None
    """The URL of an OpenTelemetry collector (OTLP over HTTP) for metrics, and traces of changes."""
    health_checks: bool = True
    """Whether the server looks at endpoints itself, and has `main` serve for those that don't answer."""
    keep_builds: float = KEEP_BUILDS
    """Seconds for which a build nobody references keeps its cluster."""
    push_window: float = 0.05
    """Seconds in which changes are gathered into one push; one a second to 10,000 streams fills a core."""
    ready_file: Path | None = None
    """Written, with the ports taken, once the first load is done."""
    log_format: str = "console"
    """`console` for people, `json` for machines."""
    log_level: str = "info"
