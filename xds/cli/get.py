"""`canary get`, `list` and `history`: what is in force, and what was.

`-o yaml` of a deployment is its file, ready to be kept, edited and applied again.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from textwrap import shorten
from typing import TYPE_CHECKING, Unpack

import click

from xds.cli import names, options, shapes, times, words
from xds.cli.output import print_data, print_facts, print_json, print_names, print_table, print_yaml, warn
from xds.cli.remote import connected
from xds.client import Client
from xds.stubs import canary_admin_v1_pb2 as pb

if TYPE_CHECKING:
    from pydantic import JsonValue

_LONGEST = 40
"""Characters of a comment; -o wide has all of them."""


@click.command(
    epilog=options.examples(
        "canary get summarization",
        "canary get summarization -o json | jq .weights",
        "canary get summarization -o yaml > summarization.yaml",
    )
)
@click.argument("name", required=False, shell_complete=names.deployments)
@options.reading
def get(*, name: str | None, **asked: Unpack[options.Reading]) -> None:
    """Show a deployment: its split, builds and endpoints.

    Without NAME: all of them, as `canary list` does. -o yaml prints the deployment file that, applied,
    changes nothing; endpoints are live and not in it.
    """
    with connected(asked["server"]) as client:
        if name is None:
            _list(client, asked["output"])
            return
        deployment = client.get(name)
    match asked["output"]:
        case "json":
            print_json(shapes.deployment_data(deployment))
        case "yaml":
            print_yaml(_file(deployment))
            warn(*(f"{deployment.name}: {note}" for note in deployment.notes))
        case "name":
            print_names([deployment.name])
        case form:
            show(deployment, wide=form == "wide")


@click.command(
    "list", epilog=options.examples("canary list", "canary list -o yaml > all.yaml", "canary list --deleted")
)
@click.option("--deleted", is_flag=True, help="Those that canary undelete can bring back.")
@options.reading
def list_(*, deleted: bool, **asked: Unpack[options.Reading]) -> None:
    """Show all deployments, one a line.

    -o yaml prints them as deployment files, one document each.
    """
    with connected(asked["server"]) as client:
        _list(client, asked["output"], deleted=deleted)


@click.command(
    epilog=options.examples(
        "canary history summarization",
        "canary history summarization --limit 5",
        "canary history summarization -o json",
    )
)
@options.name
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="Only the newest N.")
@options.reading
def history(*, name: str, limit: int | None, **asked: Unpack[options.Reading]) -> None:
    """Show a deployment's revisions, newest first.

    CAN RETURN says whether canary rollback --to-revision works now, or why not.
    """
    with connected(asked["server"]) as client:
        revisions = list(islice(client.history(name), limit))
    match asked["output"]:
        case "json" | "yaml" as form:
            print_data([shapes.revision_data(revision) for revision in revisions], form)
        case "name":
            print_names(str(revision.number) for revision in revisions)
        case form:
            print_table(
                ("REVISION", "CHANGE", "WHEN", "BY", "SPLIT", "CAN RETURN", "COMMENT"),
                (_past(revision, wide=form == "wide") for revision in revisions),
                optional=("COMMENT",),
            )


def show(deployment: pb.Deployment, *, wide: bool = False) -> None:
    """Print a deployment for people."""
    print_facts(words.facts(deployment))
    click.echo()
    more = ("USABLE", "NEEDS") if wide else ()
    print_table(
        ("VERSION", "WEIGHT", "NOW", "BUILD", "CLUSTER", *more, "ENDPOINTS"),
        (
            (
                version.label,
                words.percent(version.weight),
                words.percent(version.effective_weight),
                version.build,
                version.cluster,
                *((words.usable(version), str(version.min_endpoints)) if wide else ()),
                ", ".join(version.endpoints) or "waiting for endpoints",
            )
            for version in deployment.versions
        ),
    )


def _past(revision: pb.Revision, *, wide: bool) -> Sequence[str]:
    return (
        str(revision.number),
        words.kind(revision),
        words.moment(revision) if wide else times.ago(revision.created_at),
        revision.author,
        words.revision_split(revision),
        revision.not_returnable or "yes",
        revision.comment if wide else shorten(revision.comment, _LONGEST, placeholder=" ..."),
    )


def _file(deployment: pb.Deployment) -> "dict[str, JsonValue]":
    from xds.spec.write import from_json, to_dict  # noqa: PLC0415 (other answers do without the models)

    return to_dict(from_json(deployment.spec_json))


def _list(client: Client, output: str, *, deleted: bool = False) -> None:
    deployments = list(client.list(deleted=deleted))
    match output:
        case "json":
            print_json([shapes.deployment_data(deployment) for deployment in deployments])
        case "yaml":
            print_yaml(*(_file(deployment) for deployment in deployments))
        case "name":
            print_names(deployment.name for deployment in deployments)
        case _ if deployments and deleted:
            _print_deleted(deployments)
        case form if deployments:
            _print_list(deployments, wide=form == "wide")
        case _ if deleted:
            click.echo("no deployment is deleted", err=True)
        case _:
            click.echo("no deployments yet (canary apply -f FILE makes one)", err=True)


def _print_list(deployments: Iterable[pb.Deployment], *, wide: bool) -> None:
    more = ("WHEN", "BY", "BUILDS", "ENDPOINTS") if wide else ()
    print_table(
        ("NAME", "REVISION", "SPLIT", "CHANGE", "ENVOYS", *more, "NOTES"),
        (
            (
                deployment.name,
                str(deployment.revision.number),
                words.split(deployment),
                words.kind(deployment.revision),
                words.in_sync(deployment),
                *(_more(deployment) if wide else ()),
                "; ".join(words.notes(deployment)),
            )
            for deployment in deployments
        ),
    )


def _print_deleted(deployments: Iterable[pb.Deployment]) -> None:
    print_table(
        ("NAME", "REVISION", "DELETED", "BY", "SPLIT", "COMMENT"),
        (
            (
                deployment.name,
                str(deployment.revision.number),
                words.moment(deployment.revision),
                deployment.revision.author,
                words.split(deployment),
                deployment.revision.comment,
            )
            for deployment in deployments
        ),
        optional=("COMMENT",),
    )


def _more(deployment: pb.Deployment) -> Sequence[str]:
    return (
        words.moment(deployment.revision),
        deployment.revision.author,
        ", ".join(version.build for version in deployment.versions),
        ", ".join(words.usable(version) for version in deployment.versions),
    )
