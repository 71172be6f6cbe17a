"""`canary audit`: who changed what."""

import datetime as dt
from collections.abc import Sequence
from itertools import islice
from typing import Unpack

import click

from xds.cli import names, options, times
from xds.cli.fleet_shapes import audit_data
from xds.cli.output import is_data, print_data, print_names, print_table
from xds.cli.remote import connected

_FEW = 2


@click.command(
    epilog=options.examples(
        "canary audit",
        "canary audit summarization --since 2h",
        "canary audit --author alice --since 2026-11-22 -o json",
    )
)
@click.argument("subject", default="", shell_complete=names.deployments)
@click.option("--author", metavar="NAME", default="", help="Only what they changed.")
@click.option(
    "--since",
    metavar="SPAN|DATE",
    callback=times.as_since,
    help="Only what is newer: 2h, 3d, 2026-11-22 (UTC).",
)
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="Only the newest N.",
)
@options.reading
def audit(
    *, subject: str, author: str, since: dt.datetime | None, limit: int, **asked: Unpack[options.Reading]
) -> None:
    """Show who changed what, newest first.

    SUBJECT is a deployment, a build or a gateway; without: all of them. -o wide names all that a change
    changed, where it is much.
    """
    with connected(asked["server"]) as client:
        entries = list(islice(client.audit(subject, author=author, since=since), limit))
    if is_data(asked["output"]):
        print_data(list(map(audit_data, entries)), asked["output"])
    elif asked["output"] == "name":
        print_names(str(entry.number) for entry in entries)
    elif entries:
        wide = asked["output"] == "wide"
        print_table(
            ("WHEN", "BY", "WHAT", "OF", "OUTCOME", "COMMENT", *(("NUMBER", "REQUEST") if wide else ())),
            (
                (
                    times.exact(entry.at),
                    entry.author,
                    entry.verb,
                    _few(entry.subjects, ", ", wide=wide),
                    _few(entry.outcome.split("; "), "; ", wide=wide),
                    entry.comment,
                    *((str(entry.number), entry.request_id) if wide else ()),
                )
                for entry in entries
            ),
            optional=() if wide else ("COMMENT",),
        )
    else:
        click.echo("nothing was changed that fits", err=True)


def _few(parts: Sequence[str], comma: str, *, wide: bool) -> str:
    """`a, b, c and 5 more`."""
    if wide or len(parts) <= _FEW + 1:
        return comma.join(parts)
    return f"{comma.join(parts[:_FEW])} and {len(parts) - _FEW} more"
