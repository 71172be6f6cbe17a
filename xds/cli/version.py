"""`canary version`: of this command, and of the server it would talk to."""

from typing import TYPE_CHECKING, Unpack

import click

from xds import __version__
from xds.cli import options
from xds.cli.output import is_data, print_data, print_names

if TYPE_CHECKING:
    from xds.errors import CanaryError

_PATIENCE = 1.0
"""Seconds."""


@click.command(epilog=options.examples("canary version", "canary version --client", "canary version -o json"))
@click.option("--client", "alone", is_flag=True, help="Only of this command; no server is asked.")
@options.reading
def version(*, alone: bool, **asked: Unpack[options.Reading]) -> None:
    """Print the versions of this command and of the server.

    A server that doesn't answer within a second is left out, which is no error.
    """
    server, trouble = ("", None) if alone else _server(asked["server"])
    if is_data(asked["output"]):
        data = {"version": __version__, "server": {"address": asked["server"], "version": server or None}}
        print_data(data if not alone else {"version": __version__}, asked["output"])
    elif asked["output"] == "name":
        print_names([__version__])
    else:
        click.echo(f"canary {__version__}")
        if server:
            click.echo(f"server {server} ({asked['server']})")
        elif trouble is not None:
            click.echo(f"no server's version: {trouble}", err=True)


def _server(address: str) -> "tuple[str, CanaryError | None]":
    """Its version, or why there is none to be had."""
    from xds.client import CanaryError, Client  # noqa: PLC0415 (only where a server is asked)

    insecure = bool(click.get_current_context().meta.get(options.INSECURE)) or None
    try:
        with Client(address, insecure=insecure, timeout=_PATIENCE, retry=0.0) as client:
            return client.server_info().version, None
    except CanaryError as error:
        return "", error
