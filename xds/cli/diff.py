"""`canary diff`: two revisions, or files and what is in force."""

from collections.abc import Sequence
from typing import Unpack

import click

from xds.cli import names, options
from xds.cli.files import read_sources
from xds.cli.output import is_data, print_data, print_diff, print_names
from xds.cli.remote import connected
from xds.cli.shapes import difference_data
from xds.cli.words import moved
from xds.stubs import canary_admin_v1_pb2 as pb


@click.command(
    epilog=options.examples(
        "canary diff summarization        # what the last change changed",
        "canary diff summarization 3 5",
        "canary diff -f deployments/      # what applying them would change",
    )
)
@click.argument("name", required=False, shell_complete=names.deployments)
@click.argument("before", metavar="[FROM]", type=click.IntRange(min=1), required=False)
@click.argument("after", metavar="[TO]", type=click.IntRange(min=1), required=False)
@options.sources("Compare what is in force with these.")
@options.reading
@click.pass_context
def diff(
    ctx: click.Context,
    *,
    name: str | None,
    before: int | None,
    after: int | None,
    sources: Sequence[str],
    **asked: Unpack[options.Reading],
) -> None:
    """Show what differs: exits with 1 if anything does.

    Between two revisions of a deployment (without TO: FROM and the one in force; without both: the one in
    force and the one before it), or between files and what is in force.
    """
    if (name is None) == (not sources):
        raise click.UsageError("Give a deployment, or files with -f.")
    with connected(asked["server"]) as client:
        if name is None:
            files = [pb.File(name=file, text=text) for file, text in read_sources(sources)]
            differences = client.diff_files(*files).differences
        else:
            differences = client.diff(name, before or 0, after or 0).differences
    found = [difference for difference in differences if difference.text]
    if is_data(asked["output"]):
        print_data([difference_data(difference) for difference in differences], asked["output"])
    elif asked["output"] == "name":
        print_names(difference.name for difference in found)
    else:
        for difference in found:
            _show(difference)
    if found:
        ctx.exit(1)


def _show(difference: pb.Difference) -> None:
    click.echo(f"{difference.name}: {difference.before} -> {difference.after}{moved(difference.moved)}")
    print_diff(difference.text)
