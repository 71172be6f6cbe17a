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
from xds.translate.adoption import merge
from xds.translate.bootstrap import Dialect, Json
from xds.translate.bootstrap import bootstrap as envoy_bootstrap

STDOUT = "-"


class Ours(TypedDict):
    """The options that say what an Envoy joins."""

    gateway: str
    xds: tuple[str, int]
    envoy_admin: tuple[str, int]
    dialect: Dialect


@click.command(
    epilog=options.examples(
        "canary bootstrap --gateway default --xds 127.0.0.1:18000 --node-id edge-1 \\",
        "    --envoy-admin 127.0.0.1:9901 --out envoy.yaml",
        "envoy -c envoy.yaml",
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
@click.option("--out", metavar="FILE", default=STDOUT, help="Where to write it; without, or -: stdout.")
def bootstrap(*, existing: str | None, node_id: str | None, out: str, **ours: Unpack[Ours]) -> None:
    """Write the file an Envoy starts with.

    It says who the Envoy is and where its control plane is; everything else is pushed to it. With --merge
    it is the Envoy's own file with those parts added, and what is left to do by hand is said on stderr.
    """
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
    )
    if findings.faults:
        raise Faulty(findings.faults)
    for note in findings.warnings:
        click.echo(printable(str(note)), err=True)
    return content
