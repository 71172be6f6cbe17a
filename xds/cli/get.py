"""`canary get`, `list` and `history`: what is in force, and what was.

`-o yaml` of a deployment is its file, ready to be kept, edited and applied again.
"""

from typing import TYPE_CHECKING

import click

from xds.cli import options, shapes, words
from xds.cli.output import print_data, print_facts, print_json, print_table, print_yaml
from xds.cli.remote import call
from xds.stubs import canary_admin_v1_pb2 as pb

if TYPE_CHECKING:
    from pydantic import JsonValue


@click.command(
    epilog=options.examples(
        "canary get summarization",
        "canary get summarization -o json | jq .weights",
        "canary get summarization -o yaml > summarization.yaml",
    )
)
@click.argument("name", required=False)
@options.server
@options.output
def get(*, name: str | None, server: str, output: str) -> None:
    """Show a deployment: its split, builds and endpoints.

    Without NAME: all of them, as `canary list` does. -o yaml prints the deployment file that, applied,
    changes nothing; endpoints are live and not in it.
    """
    if name is None:
        _list(server, output)
        return
    deployment = call(server, "Get", pb.GetRequest(name=name), pb.Deployment)
    if output == "json":
        print_json(shapes.deployment_data(deployment))
    elif output == "yaml":
        print_yaml(_file(deployment))
    else:
        _show(deployment)


@click.command("list", epilog=options.examples("canary list", "canary list -o yaml > all.yaml"))
@options.server
@options.output
def list_(*, server: str, output: str) -> None:
    """Show all deployments, one a line.

    -o yaml prints them as deployment files, one document each.
    """
    _list(server, output)


@click.command(
    epilog=options.examples("canary history summarization", "canary history summarization -o json")
)
@options.name
@options.server
@options.output
def history(*, name: str, server: str, output: str) -> None:
    """Show a deployment's revisions, newest first."""
    revisions = call(
        server, "ListRevisions", pb.ListRevisionsRequest(name=name), pb.ListRevisionsResponse
    ).revisions
    if output == "table":
        print_table(
            ("REVISION", "CHANGE", "WHEN", "BY", "SPLIT", "COMMENT"),
            (
                (
                    str(revision.number),
                    words.kind(revision),
                    words.moment(revision),
                    revision.author,
                    words.revision_split(revision),
                    revision.comment,
                )
                for revision in revisions
            ),
        )
    else:
        print_data([shapes.revision_data(revision) for revision in revisions], output)


def _file(deployment: pb.Deployment) -> "dict[str, JsonValue]":
    from xds.spec.write import from_json, to_dict  # noqa: PLC0415 (other answers do without the models)

    return to_dict(from_json(deployment.spec_json))


def _list(server: str, output: str) -> None:
    deployments = call(server, "List", pb.ListRequest(), pb.ListResponse).deployments
    if output == "json":
        print_json([shapes.deployment_data(deployment) for deployment in deployments])
    elif output == "yaml":
        print_yaml(*(_file(deployment) for deployment in deployments))
    elif deployments:
        print_table(
            ("NAME", "REVISION", "SPLIT", "CHANGE", "ENVOYS", "NOTES"),
            (
                (
                    deployment.name,
                    str(deployment.revision.number),
                    words.split(deployment),
                    words.kind(deployment.revision),
                    words.in_sync(deployment),
                    "; ".join(words.notes(deployment)),
                )
                for deployment in deployments
            ),
        )
    else:
        click.echo("no deployments yet (canary apply -f FILE makes one)", err=True)


def _show(deployment: pb.Deployment) -> None:
    print_facts(words.facts(deployment))
    click.echo()
    print_table(
        ("VERSION", "WEIGHT", "NOW", "BUILD", "CLUSTER", "ENDPOINTS"),
        (
            (
                version.label,
                words.percent(version.weight),
                words.percent(version.effective_weight),
                version.build,
                version.cluster,
                ", ".join(version.endpoints) or "waiting for endpoints",
            )
            for version in deployment.versions
        ),
    )
