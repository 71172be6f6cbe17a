"""`canary bootstrap`: the file an Envoy of a gateway starts with."""

from pathlib import Path

import click

from xds.cli import options
from xds.cli.failures import Failure
from xds.cli.output import print_yaml, write_yaml
from xds.translate.bootstrap import bootstrap as envoy_bootstrap

STDOUT = "-"


@click.command(
    epilog=options.examples(
        "canary bootstrap --gateway default --xds 127.0.0.1:18000 --node-id edge-1 \\",
        "    --envoy-admin 127.0.0.1:9901 --out envoy.yaml",
        "envoy -c envoy.yaml",
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
    "--node-id", metavar="ID", required=True, help="What this Envoy is called; unique in its gateway."
)
@click.option(
    "--envoy-admin",
    metavar="HOST:PORT",
    default="127.0.0.1:9901",
    show_default=True,
    callback=options.as_address,
    help="Where Envoy's own admin interface listens.",
)
@click.option("--out", metavar="FILE", default=STDOUT, help="Where to write it; without, or -: stdout.")
def bootstrap(
    *, gateway: str, xds: tuple[str, int], node_id: str, envoy_admin: tuple[str, int], out: str
) -> None:
    """Write the file an Envoy starts with.

    It says who the Envoy is and where its control plane is; everything else is pushed to it.
    """
    content = envoy_bootstrap(gateway=gateway, xds=xds, node_id=node_id, envoy_admin=envoy_admin)
    if out == STDOUT:
        print_yaml(content)
        return
    try:
        Path(out).write_text(write_yaml(content), encoding="utf-8")
    except OSError as error:
        raise Failure(f"{out}: {error.strerror} (name a file that can be written)") from error
