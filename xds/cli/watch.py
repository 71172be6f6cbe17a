"""`canary watch` and `canary wait`: what happens next."""

import json
from collections.abc import Sequence
from typing import Unpack

import click

from xds.cli import options, shapes, words
from xds.cli.draining import wait_drained
from xds.cli.output import is_data, print_data, print_yaml, printable
from xds.cli.remote import connected, watching
from xds.cli.waiting import follow, judge
from xds.client import Wait
from xds.stubs import canary_admin_v1_pb2 as pb


@click.command(
    epilog=options.examples(
        "canary watch",
        "canary watch summarization -o json | jq -c '[.name, .weights]'",
    )
)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@options.reading
def watch(*, names: Sequence[str], **asked: Unpack[options.Reading]) -> None:
    """Show deployments as they are, then each when it changes.

    A line each: its revision, endpoints or Envoys are other than before. -o json prints an object a line.
    Ends when interrupted.
    """
    with watching(asked["server"]) as client:
        for event in client.watch(*names):
            match event.WhichOneof("event"):
                case "deployment":
                    _print(event.deployment, asked["output"])
                case "deleted":
                    _print_deleted(event.deleted, asked["output"])
                case _:
                    pass


def _condition(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[str, str]:
    what, given, version = value.partition("=")
    if (what == "applied" and not given) or (what == "drained" and version):
        return what, version
    raise click.BadParameter(f"{value!r} is no condition; write applied, or drained=VERSION")


@click.command(
    epilog=options.examples(
        "canary wait summarization --for applied",
        "canary wait summarization --for applied --share 90% --timeout 2m",
        "canary wait summarization --for drained=a --timeout 10m && kubectl scale deploy/a --replicas 0",
    )
)
@options.name
@click.option(
    "--for",
    "condition",
    metavar="CONDITION",
    required=True,
    callback=_condition,
    help="applied: the Envoys have acknowledged it. drained=VERSION: nothing is in flight on it, nor can be.",
)
@click.option("--revision", metavar="N", type=click.IntRange(min=1), help="This one; without: that in force.")
@options.waiting
@options.reading
def wait(
    *,
    name: str,
    condition: tuple[str, str],
    revision: int | None,
    timeout: float,
    share: float,
    **asked: Unpack[options.Reading],
) -> None:
    """Wait until something is so.

    Exits with 3 when an Envoy rejects it, 4 when another change takes its place, 5 when it takes too long
    or no Envoy is connected. VERSION may be a build's tag as well, where it has no label any more; it is
    drained when all connected Envoys reported, since they sent it nothing new, that nothing is in flight.
    """
    what, version = condition
    if what == "drained":
        if revision is not None or share < 1:
            raise click.UsageError("drained is of all Envoys, whatever the revision; leave them out.")
        wait_drained(name, version, timeout, asked)
        return
    with connected(asked["server"]) as client:
        said = follow(client, name, revision or 0, Wait(share, timeout))
    if is_data(asked["output"]):
        print_data(shapes.confirmation_data(said), asked["output"])
    judge(said)


def _print(deployment: pb.Deployment, output: str) -> None:
    match output:
        case "json":
            click.echo(json.dumps(shapes.deployment_data(deployment), ensure_ascii=False))
        case "yaml":
            click.echo("---")
            print_yaml(shapes.deployment_data(deployment))
        case "name":
            click.echo(deployment.name)
        case _:
            click.echo(printable(words.line(deployment)))


def _print_deleted(name: str, output: str) -> None:
    match output:
        case "json":
            click.echo(json.dumps({"name": name, "deleted": True}))
        case "yaml":
            click.echo("---")
            print_yaml({"name": name, "deleted": True})
        case "name":
            click.echo(name)
        case _:
            click.echo(f"{name}: deleted")
