"""`canary version`."""

import click

from xds import __version__


@click.command(epilog="Example: canary version")
def version() -> None:
    """Print the version of this command."""
    click.echo(f"canary {__version__}")
