"""`canary gateways`: groups of Envoys, what they had, and all of it back as it was."""

from collections.abc import Sequence
from itertools import islice
from textwrap import shorten
from typing import Unpack

import click

from xds.cli import names, options, times
from xds.cli.fleet_shapes import gateway_data, snapshot_data
from xds.cli.output import is_data, print_data, print_names, print_table, warn
from xds.cli.remote import connected
from xds.cli.report import print_changes
from xds.cli.shapes import change_data
from xds.cli.verbs import Verbs
from xds.cli.waiting import settle, verdicts, write_args
from xds.cli.words import plan_sentence, warnings_of
from xds.client import Client, WriteArgs
from xds.errors import NotFound
from xds.stubs import canary_admin_v1_pb2 as pb

_LONGEST = 60
"""Characters of what a change was; -o wide has all of them."""
_name = click.argument("name", shell_complete=names.gateways)


@click.group(
    cls=Verbs,
    subcommand_metavar="[VERB] [ARGS]...",
    epilog=options.examples(
        "canary gateways",
        "canary gateways history default",
        "canary gateways rollback default --to 12",
    ),
)
def gateways() -> None:
    """Show gateways, or return one to what it was.

    Without a verb: all of them, with their Envoys in sync, of those connected.
    """


@gateways.command(epilog=options.examples("canary gateways", "canary gateways -o json"))
@options.reading
def show(**asked: Unpack[options.Reading]) -> None:
    """Show all gateways."""
    with connected(asked["server"]) as client:
        found = list(client.gateways())
    if is_data(asked["output"]):
        print_data(list(map(gateway_data, found)), asked["output"])
    elif asked["output"] == "name":
        print_names(gateway.name for gateway in found)
    else:
        print_table(
            ("NAME", "MODE", "LISTENERS", "DEPLOYMENTS", "ENVOYS", "RESOURCES", "SNAPSHOT"),
            (
                (
                    gateway.name,
                    gateway.mode,
                    ", ".join(gateway.listeners),
                    str(gateway.deployments),
                    f"{gateway.in_sync}/{gateway.envoys}",
                    str(gateway.resources or ""),
                    str(gateway.snapshot or ""),
                )
                for gateway in found
            ),
        )


@gateways.command(
    epilog=options.examples("canary gateways history default", "canary gateways history default --limit 5")
)
@_name
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="Only the newest N.")
@options.reading
def history(*, name: str, limit: int | None, **asked: Unpack[options.Reading]) -> None:
    """Show what a gateway had after each change, newest first.

    A snapshot's number counts the changes of all gateways; canary gateways rollback --to takes it.
    """
    with connected(asked["server"]) as client:
        found = list(islice(client.snapshots(name), limit))
    if is_data(asked["output"]):
        print_data(list(map(snapshot_data, found)), asked["output"])
    elif asked["output"] == "name":
        print_names(str(snapshot.number) for snapshot in found)
    elif found:
        longest = None if asked["output"] == "wide" else _LONGEST
        print_table(
            ("SNAPSHOT", "WHEN", "BY", "CHANGE", "BROUGHT", "COMMENT"),
            (
                (
                    str(snapshot.number),
                    times.exact(snapshot.created_at),
                    snapshot.author,
                    shorten(snapshot.change, longest or len(snapshot.change), placeholder=" ..."),
                    ", ".join(f"{each} {number}" for each, number in sorted(snapshot.revisions.items())),
                    snapshot.comment,
                )
                for snapshot in found
            ),
            optional=() if longest is None else ("COMMENT",),
        )
    else:
        click.echo(f"nothing of gateway {name} ever changed", err=True)


@gateways.command(
    epilog=options.examples(
        "canary gateways rollback default --to 12 --dry-run",
        "canary gateways rollback default --to 12 --comment 'before the move'",
    )
)
@_name
@click.option("--to", "snapshot", metavar="N", type=click.IntRange(min=1), required=True, help="Its number.")
@options.writing
def rollback(*, name: str, snapshot: int, **asked: Unpack[options.Writing]) -> None:
    """Return all deployments of a gateway to what they were at a snapshot.

    All or nothing. Endpoints stay as they are now. What it will do is said first, and done only if nobody
    changes anything in between.
    """
    said = write_args(asked)
    with connected(asked["server"]) as client:
        # A repetition with an id of its own is answered as the first was: there is nothing to look at.
        if not asked["request_id"] and not asked["dry_run"]:
            _plan(client, name, snapshot, said)
        changes = client.rollback_gateway(name, snapshot, **said).changes
        _report(client, name, snapshot, changes, asked)


def _plan(client: Client, name: str, snapshot: int, said: WriteArgs) -> None:
    """Say what will be done, and let it be done only to what was looked at."""
    newest = {gateway.name: gateway.snapshot for gateway in client.gateways()}
    if name not in newest:
        raise NotFound(f"no gateway {name!r} (there are: {', '.join(newest)})")
    look: WriteArgs = {**said, "dry_run": True}
    for change in client.rollback_gateway(name, snapshot, **look).changes:
        click.echo(plan_sentence(change), err=True)
    if said["expected_revision"] is None:
        said["expected_revision"] = newest[name]


def _report(
    client: Client, name: str, snapshot: int, changes: Sequence[pb.Change], asked: options.Writing
) -> None:
    done = f"returned to snapshot {snapshot}"
    if is_data(asked["output"]):
        settle(client, changes, asked)
        print_data({"gateway": name, "changes": list(map(change_data, changes))}, asked["output"])
    else:
        print_changes(changes, done, asked)
        if not changes and asked["output"] != "name":
            click.echo(f"gateway '{name}' unchanged: it is as at snapshot {snapshot}")
        settle(client, changes, asked)
    for change in changes:
        warn(*warnings_of(change.deployment))
    verdicts(changes)
