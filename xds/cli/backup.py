"""`canary backup` and `canary restore`: the store as a file, without a server between."""

from pathlib import Path

import click

from xds.cli import options
from xds.cli.output import counted
from xds.store import backup as copies

_store = click.option(
    "--store",
    metavar="PATH",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="CANARY_STORE",
    show_envvar=True,
    default="canary.db",
    show_default=True,
    help="The database.",
)


@click.command(
    epilog=options.examples(
        "canary backup -o canary-backup.db",
        "canary backup --store /var/lib/canary.db -o /backups/canary.db --force",
    )
)
@_store
@click.option(
    "-o",
    "--output",
    "out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file to make.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def backup(*, store: Path, out: Path, force: bool) -> None:
    """Copy the store to a file, while its server runs or not.

    Run it where the store is. The copy is one moment of it, is checked, and is whole once it has its name.
    """
    click.echo(f"{store} backed up to {out}: {_counted(copies.backup(store, out, force=force))}")


@click.command(
    epilog=options.examples(
        "canary restore canary-backup.db --store canary.db",
        "canary restore /backups/canary.db --store /var/lib/canary.db --force",
    )
)
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@_store
@click.option("--force", is_flag=True, help="Replace the store if it is there; what it has is lost.")
def restore(*, file: Path, store: Path, force: bool) -> None:
    """Put a backup in the store's place; its server must be stopped.

    A server that starts on it goes on from there, and Envoys get what it says.
    """
    click.echo(f"{file} restored to {store}: {_counted(copies.restore(file, store, force=force))}")


def _counted(contents: copies.Contents) -> str:
    return f"{counted(contents.deployments, 'deployment')}, {counted(contents.revisions, 'revision')}"
