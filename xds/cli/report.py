"""What a write says it did: a line for each deployment, or data."""

from collections.abc import Iterable

import click

from xds.cli import options
from xds.cli.output import is_data, print_data, warn
from xds.cli.shapes import change_data
from xds.cli.waiting import settle, verdicts
from xds.cli.words import change_sentence, warnings_of
from xds.client import Client
from xds.stubs import canary_admin_v1_pb2 as pb


def report(client: Client, change: pb.Change, done: str, asked: options.Writing) -> None:
    """Print what became of one deployment, and wait for the Envoys if that was asked for.

    Args:
        client: whom to wait with.
        change: what was done, or with `--dry-run` would be.
        done: the past tense of what was asked for.
        asked: the command's options.
    """
    if is_data(asked["output"]):
        settle(client, [change], asked)
        print_data(change_data(change), asked["output"])
        warn(*warnings_of(change.deployment))
    else:
        print_changes([change], done, asked)
        warn(*warnings_of(change.deployment))
        settle(client, [change], asked)
    verdicts([change])


def print_changes(changes: Iterable[pb.Change], done: str, asked: options.Writing) -> None:
    """Print a line for each deployment: a sentence, or its name."""
    for change in changes:
        if asked["output"] == "name":
            click.echo(change.deployment.name)
        else:
            click.echo(change_sentence(change, done, dry=asked["dry_run"]))
