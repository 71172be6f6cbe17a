"""`canary resources`: Envoy resources that people give a gateway besides its deployments.

`-o yaml` prints them as `canary resources set -f` takes them.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Unpack

import click

from xds.cli import names, options, times
from xds.cli.edits import made
from xds.cli.files import read_sources
from xds.cli.fleet_shapes import resource_contents, resources_data
from xds.cli.output import counted, is_data, print_data, print_facts, print_names, print_table, print_yaml
from xds.cli.remote import connected
from xds.cli.shapes import Data, confirmation_data
from xds.cli.verbs import Verbs
from xds.cli.waiting import judge, waiting_args
from xds.client import WriteArgs
from xds.stubs import canary_admin_v1_pb2 as pb

_gateway = click.argument("gateway", shell_complete=names.gateways)


@click.group(
    cls=Verbs,
    subcommand_metavar="GATEWAY | VERB [ARGS]...",
    epilog=options.examples(
        "canary resources default",
        "canary resources default -o yaml > resources.yaml",
        "canary resources set default -f resources.yaml",
        "canary resources rollback default",
    ),
)
def resources() -> None:
    """Show or set Envoy resources of your own.

    Those that a gateway was given besides what its deployments come to. Without a verb: those of GATEWAY.
    """


@resources.command(
    epilog=options.examples("canary resources default", "canary resources default -o yaml"),
)
@_gateway
@click.option("--number", metavar="N", type=click.IntRange(min=1), default=None, help="Earlier ones.")
@options.reading
def show(*, gateway: str, number: int | None, **asked: Unpack[options.Reading]) -> None:
    """Show the resources that a gateway was given.

    -o yaml prints them as canary resources set -f takes them.
    """
    with connected(asked["server"]) as client:
        given = client.resources(gateway, number or 0)
    match asked["output"]:
        case "json":
            print_data(resources_data(given), "json")
        case "yaml":
            print_yaml(*resource_contents(given))
        case "name":
            print_names(name for _, name in map(_named, resource_contents(given)))
        case _ if not given.number:
            click.echo(f"gateway {gateway} was given none (canary resources set gives it some)", err=True)
        case _:
            _print(given)


@resources.command(
    "set",
    epilog=options.examples(
        "canary resources set default -f resources.yaml --dry-run",
        "canary resources set default -f listeners.yaml -f clusters.yaml --wait --on-reject rollback",
    ),
)
@_gateway
@options.files
@options.writing
def set_(*, gateway: str, sources: Sequence[str], **asked: Unpack[options.Writing]) -> None:
    """Give a gateway these resources, in place of all it was given before.

    All or nothing. YAML or JSON, one document or several, each with its @type.
    """
    files = [pb.File(name=file, text=text) for file, text in read_sources(sources, deployments=False)]
    said: WriteArgs = waiting_args(asked)
    with connected(asked["server"]) as client:
        answer = made(lambda: client.set_resources(gateway, files, **said), pb.ResourcesResponse)
    _report(answer, "set", asked)


@resources.command(epilog=options.examples("canary resources rollback default"))
@_gateway
@options.writing
def rollback(*, gateway: str, **asked: Unpack[options.Writing]) -> None:
    """Return to the resources a gateway was given before.

    Repeated, it walks further back.
    """
    said: WriteArgs = waiting_args(asked)
    with connected(asked["server"]) as client:
        answer = made(lambda: client.rollback_resources(gateway, **said), pb.ResourcesResponse)
    _report(answer, f"rolled back to {answer.resources.source or 'none'}", asked)


@resources.command(
    epilog=options.examples("canary resources history default", "canary resources history default -o json")
)
@_gateway
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="Only the newest N.")
@options.reading
def history(*, gateway: str, limit: int | None, **asked: Unpack[options.Reading]) -> None:
    """Show what a gateway was given, newest first.

    canary resources show GATEWAY --number N shows earlier ones.
    """
    with connected(asked["server"]) as client:
        found = list(islice(client.resource_history(gateway), limit))
    if is_data(asked["output"]):
        print_data([resources_data(given, contents=False) for given in found], asked["output"])
    elif asked["output"] == "name":
        print_names(str(given.number) for given in found)
    elif found:
        print_table(
            ("NUMBER", "CHANGE", "WHEN", "BY", "COMMENT"),
            (
                (str(given.number), _kind(given), times.exact(given.created_at), given.author, given.comment)
                for given in found
            ),
        )
    else:
        click.echo(f"gateway {gateway} was never given any", err=True)


def _report(answer: pb.ResourcesResponse, done: str, asked: options.Writing) -> None:
    given = answer.resources
    if is_data(asked["output"]):
        data = {"changed": answer.changed, "confirmation": confirmation_data(answer.confirmation)}
        print_data({**data, **resources_data(given)}, asked["output"])
    elif asked["output"] == "name":
        print_names([given.gateway])
    else:
        outcome = (f"would be {done}" if asked["dry_run"] else done) if answer.changed else "unchanged"
        what = counted(len(given.contents_json), "resource")
        click.echo(f"resources of gateway '{given.gateway}' {outcome}: number {given.number} ({what})")
    judge(answer.confirmation, f"canary resources rollback {given.gateway}")


def _print(given: pb.Resources) -> None:
    by = f" by {given.author}" if given.author else ""
    why = f": {given.comment}" if given.comment else ""
    far = given.convergence
    print_facts(
        [
            ("Gateway", given.gateway),
            ("Number", f"{given.number} ({_kind(given)}{by}, {times.exact(given.created_at)}{why})"),
            *([("Envoys", f"{far.in_sync}/{far.envoys} in sync")] if given.HasField("convergence") else []),
            *(("Rejected", rejection) for rejection in far.rejections),
        ]
    )
    click.echo()
    print_table(("TYPE", "NAME"), map(_named, resource_contents(given)))


def _named(content: Data) -> tuple[str, str]:
    """Its type's own name, and its name in xDS."""
    kind = str(content.get("@type", "")).rpartition(".")[2]
    name = content.get("name") or content.get("cluster_name") or content.get("clusterName")
    return kind, str(name or "")


def _kind(given: pb.Resources) -> str:
    return f"{given.kind} to {given.source}" if given.source else given.kind
