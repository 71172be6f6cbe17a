"""`canary serve`: where its settings come from. What they do is the server's business.

Each setting is an option: given as a flag, else taken from its variable in the environment, else from
the configuration file (which replaces click's defaults), else Canary's own.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypedDict, Unpack

import click
from click.decorators import FC

from xds.cli import options
from xds.cli.config import Config, read_config
from xds.server.settings import Settings
from xds.spec.values import parse_duration


class Flags(TypedDict):
    """The options, under the names `Settings` has for them."""

    xds_listen: str
    admin_listen: str
    http_listen: str
    metrics_listen: str | None
    tls_cert: Path | None
    tls_key: Path | None
    client_ca: Path | None
    admin_tokens: Path | None
    insecure: bool
    specs: Path | None
    store: Path
    health_checks: bool
    keep_builds: float
    push_window: float
    otlp_endpoint: str | None
    ready_file: Path | None
    log_format: str
    log_level: str


def _defaults_from(ctx: click.Context, _param: click.Parameter, file: str | None) -> Config:
    config = read_config(file)
    ctx.default_map = dict(config.settings)
    return config


def _seconds(_ctx: click.Context, _param: click.Parameter, value: object) -> float:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _listen(option: str, default: str, what: str) -> Callable[[FC], FC]:
    return click.option(
        option,
        metavar="HOST:PORT",
        default=default,
        show_default=True,
        callback=options.checked_address,
        help=f"{what}; port 0 picks a free one.",
    )


def _pem(option: str, what: str, envvar: str | None = None) -> Callable[[FC], FC]:
    return click.option(
        option,
        metavar="FILE",
        type=click.Path(path_type=Path),
        envvar=envvar,
        allow_from_autoenv=envvar is None,
        help=what,
    )


@click.command(
    context_settings={"auto_envvar_prefix": "CANARY", "show_default": True},
    epilog=options.examples(
        "canary serve",
        "canary serve --specs deployments/ --config canary.yaml --log-format json",
        "CANARY_STORE=/var/lib/canary.db canary serve --xds-listen 0.0.0.0:18000 \\",
        "    --tls-cert server.crt --tls-key server.key --client-ca ca.crt",
    ),
)
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    is_eager=True,
    callback=_defaults_from,
    help="YAML or JSON: gateways, and any of these settings (xds_listen, ...).",
)
@_listen("--xds-listen", "127.0.0.1:18000", "Where Envoys connect")
@_listen("--admin-listen", "127.0.0.1:18001", "The admin API")
@_listen("--http-listen", "127.0.0.1:18002", "/healthz, /readyz and /metrics")
@click.option(
    "--metrics-listen",
    metavar="HOST:PORT",
    callback=options.checked_address_or_none,
    help="Where Envoys report metrics besides --xds-listen (`canary bootstrap --metrics-to`).",
)
# CANARY_TLS_CERT and CANARY_TLS_KEY are what the client commands show: another certificate than the server's.
@_pem("--tls-cert", "The certificate of the xDS and the admin listener, in PEM.", "CANARY_SERVE_TLS_CERT")
@_pem("--tls-key", "Its private key, in PEM without a password.", "CANARY_SERVE_TLS_KEY")
@_pem("--client-ca", "Envoys, and callers without --admin-tokens, need a certificate of this authority.")
@_pem("--admin-tokens", "Callers of the admin API need a token of this file (see `canary token`).")
@click.option(
    "--insecure", is_flag=True, help="Listen off loopback even without TLS, or without knowing who calls."
)
@click.option(
    "--specs",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Deployment files to apply, now and whenever they change.",
)
@click.option(
    "--store",
    metavar="PATH",
    type=click.Path(dir_okay=False, path_type=Path),
    default="canary.db",
    help="The database; made if it is not there.",
)
@click.option(
    "--health-checks/--no-health-checks",
    default=True,
    help="Look at endpoints every second; main serves for versions without a healthy one.",
)
@click.option(
    "--keep-builds",
    metavar="DURATION",
    default="10m",
    callback=_seconds,
    help="How long a build that nothing refers to keeps its cluster, so that rolling back to it is instant.",
)
@click.option(
    "--push-window",
    metavar="DURATION",
    default="50ms",
    callback=_seconds,
    help="A change is pushed at once; those that follow within this time become one push.",
)
@click.option(
    "--otlp-endpoint",
    metavar="URL",
    help="An OpenTelemetry collector for metrics and traces of changes (needs the extra `otel`).",
)
@click.option(
    "--ready-file",
    metavar="PATH",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Written once the server is ready: the addresses it listens on, as JSON.",
)
@click.option(
    "--log-format", type=click.Choice(["console", "json"]), default="console", help="How logs look."
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    help="The least that is logged.",
)
def serve(*, config: Config, **flags: Unpack[Flags]) -> None:
    """Run the control plane.

    A setting comes from its flag, else from CANARY_<SETTING> in the environment, else from the
    configuration file.
    """
    from xds.server.run import run  # noqa: PLC0415 (a second's worth of modules that help can do without)

    run(
        Settings(
            gateways=config.gateways,
            endpoint_sources=config.endpoint_sources,
            metric_sources=config.metric_sources,
            **flags,
        )
    )
