"""`canary bootstrap`: the file an Envoy of a gateway starts with."""

from pathlib import Path
from typing import TypedDict, Unpack

import click

from xds.cli import options
from xds.cli.failures import Failure, Faulty
from xds.cli.files import read_sources
from xds.cli.output import print_yaml, printable, write_yaml
from xds.spec.complaint import show
from xds.spec.source import parts_of
from xds.spec.values import parse_duration
from xds.translate.adoption import merge
from xds.translate.bootstrap import ControlPlaneTls, Dialect, Json
from xds.translate.bootstrap import bootstrap as envoy_bootstrap

STDOUT = "-"
_SHORTEST, _LONGEST = 0.5, 60.0
"""Seconds. Envoy counts in memory between two reports; what it has when it is killed is lost."""


class Joined(TypedDict):
    """What an Envoy joins."""

    gateway: str
    xds: tuple[str, int]
    envoy_admin: tuple[str, int]
    dialect: Dialect


class Ours(Joined):
    """The same, for the functions that write it."""

    tls: ControlPlaneTls | None
    report_every: float | None
    metrics_to: tuple[str, int] | None


class Given(Joined):
    """The same, as options; the paths are Envoy's, and not looked at here."""

    tls_ca: str | None
    tls_cert: str | None
    tls_key: str | None
    tls_server_name: str | None
    metrics: bool
    metrics_to: tuple[str, int] | None
    metrics_interval: float


def _interval(_ctx: click.Context, _param: click.Parameter, value: object) -> float:
    try:
        seconds = parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    if not _SHORTEST <= seconds <= _LONGEST:
        raise click.BadParameter(f"{value} is not between {_SHORTEST:g}s and {_LONGEST:g}s")
    return seconds


@click.command(
    epilog=options.examples(
        "canary bootstrap --gateway default --xds 127.0.0.1:18000 --node-id edge-1 \\",
        "    --envoy-admin 127.0.0.1:9901 --out envoy.yaml",
        "envoy -c envoy.yaml",
        "canary bootstrap --xds canary.internal:18000 --node-id edge-1 --tls-ca /etc/envoy/ca.crt \\",
        "    --tls-cert /etc/envoy/edge-1.crt --tls-key /etc/envoy/edge-1.key --out envoy.yaml",
        "canary bootstrap --merge /etc/envoy/envoy.yaml --gateway edge --out merged.yaml",
    )
)
@click.option(
    "--gateway", metavar="NAME", default="default", show_default=True, help="Whose listeners it serves."
)
@click.option(
    "--xds",
    metavar="HOST:PORT",
    default="127.0.0.1:18000",
    show_default=True,
    callback=options.as_address,
    help="The control plane (--xds-listen of `canary serve`), as this Envoy reaches it.",
)
@click.option(
    "--node-id",
    metavar="ID",
    help="What this Envoy is called; unique in its gateway. Needed without --merge.",
)
@click.option(
    "--envoy-admin",
    metavar="HOST:PORT",
    default="127.0.0.1:9901",
    show_default=True,
    callback=options.as_address,
    help="Where Envoy's own admin interface listens (of no use with --merge).",
)
@click.option(
    "--dialect",
    type=click.Choice(["delta", "sotw"]),
    default="delta",
    show_default=True,
    help="How the control plane speaks: what changed, or the state of the world each time.",
)
@click.option(
    "--merge",
    "existing",
    metavar="FILE|-",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="An Envoy's bootstrap: what it lacks to join is added, everything else is kept.",
)
@click.option(
    "--tls-ca",
    metavar="PATH",
    help="TLS: whom the control plane's certificate comes from. Paths are those of Envoy's machine.",
)
@click.option("--tls-cert", metavar="PATH", help="The certificate this Envoy shows.")
@click.option("--tls-key", metavar="PATH", help="Its private key.")
@click.option(
    "--tls-server-name",
    metavar="NAME",
    help="Whom the control plane's certificate is for, if not for the host of --xds.",
)
@click.option(
    "--metrics/--no-metrics",
    default=True,
    show_default=True,
    help="Report to the control plane how versions do.",
)
@click.option(
    "--metrics-to",
    metavar="HOST:PORT",
    callback=options.as_address_or_none,
    help="Where to (--metrics-listen of `canary serve`); without: where --xds is.",
)
@click.option(
    "--metrics-interval",
    metavar="DURATION",
    default="5s",
    show_default=True,
    callback=_interval,
    help="How often it reports.",
)
@click.option("--out", metavar="FILE", default=STDOUT, help="Where to write it; without, or -: stdout.")
def bootstrap(*, existing: str | None, node_id: str | None, out: str, **given: Unpack[Given]) -> None:
    """Write the file an Envoy starts with.

    It says who the Envoy is and where its control plane is; everything else is pushed to it. With --merge
    it is the Envoy's own file with those parts added, and what is left to do by hand is said on stderr.
    """
    ours = Ours(
        gateway=given["gateway"],
        xds=given["xds"],
        envoy_admin=given["envoy_admin"],
        dialect=given["dialect"],
        tls=_tls(given),
        report_every=given["metrics_interval"] if given["metrics"] else None,
        metrics_to=given["metrics_to"] if given["metrics"] else None,
    )
    if existing is not None:
        content = _merged(existing, node_id, ours)
    elif node_id is not None:
        content = envoy_bootstrap(node_id=node_id, **ours)
    else:
        raise click.UsageError("Missing option '--node-id'.")
    if out == STDOUT:
        print_yaml(content)
        return
    try:
        Path(out).write_text(write_yaml(content), encoding="utf-8")
    except OSError as error:
        raise Failure(f"{out}: {error.strerror} (name a file that can be written)") from error


def _tls(given: Given) -> ControlPlaneTls | None:
    ca, certificate, key = given["tls_ca"], given["tls_cert"], given["tls_key"]
    if (certificate is None) != (key is None):
        raise click.UsageError("--tls-cert and --tls-key go together: give both, or neither.")
    if ca is not None:
        return ControlPlaneTls(ca, certificate, key, given["tls_server_name"])
    if certificate is not None or given["tls_server_name"] is not None:
        raise click.UsageError("TLS needs --tls-ca: whom the control plane's certificate comes from.")
    return None


def _merged(existing: str, node_id: str | None, ours: Ours) -> Json:
    ((name, text),) = read_sources([existing])
    parts, faults = parts_of(name, text)
    if faults or len(parts) != 1:
        raise Faulty(faults or [f"{name}: {len(parts)} documents are no bootstrap (keep one)"])
    value, findings = parts[0].value, parts[0].findings
    if not isinstance(value, dict):
        raise Failure(f"{name}: {show(value)} is no bootstrap (it is a mapping)")
    content = merge(
        value,
        findings,
        gateway=ours["gateway"],
        xds=ours["xds"],
        node_id=node_id,
        dialect=ours["dialect"],
        tls=ours["tls"],
        report_every=ours["report_every"],
        metrics_to=ours["metrics_to"],
    )
    if findings.faults:
        raise Faulty(findings.faults)
    for note in findings.warnings:
        click.echo(printable(str(note)), err=True)
    return content
