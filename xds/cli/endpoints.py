"""`canary endpoints`: where builds run. Live state, never part of a revision.

A target is a build's tag or `DEPLOYMENT@VERSION`. Each source owns its own list: these verbs change the
API's, except that drain overrides all.
"""

from collections.abc import Callable, Sequence
from typing import Unpack

import click

from xds.cli import names, options, places, times
from xds.cli.edits import made
from xds.cli.fleet_shapes import build_data, edit_data, source_data
from xds.cli.output import is_data, print_data, print_names, print_table, warn
from xds.cli.register import register
from xds.cli.remote import connected
from xds.cli.verbs import Verbs
from xds.cli.waiting import judge, waiting_args
from xds.cli.words import bare_problem, source_problem
from xds.client import Client, WriteArgs
from xds.stubs import canary_admin_v1_pb2 as pb


@click.group(
    cls=Verbs,
    subcommand_metavar="[TARGET] | VERB [ARGS]...",
    epilog=options.examples(
        "canary endpoints",
        "canary endpoints summarization",
        "canary endpoints add summarization:t226 10.0.0.11:3000 10.0.0.12:3000",
        "canary endpoints drain summarization@a 10.0.0.11:3000",
        "canary endpoints register summarization:t226 10.0.0.11:3000 --ttl 30s",
    ),
)
def endpoints() -> None:
    """Show where builds run, or change it.

    Without a verb: the endpoints of TARGET, a build's tag, DEPLOYMENT@VERSION or a deployment; without
    TARGET of all builds. STATE tells which get requests, SOURCES on whose lists they are.
    """


@endpoints.command(
    epilog=options.examples("canary endpoints", "canary endpoints summarization -o json"),
)
@click.argument("target", default="", shell_complete=names.builds)
@options.reading
def show(*, target: str, **asked: Unpack[options.Reading]) -> None:
    """Show where builds run.

    TARGET is a build's tag, DEPLOYMENT@VERSION, or a deployment for all its versions.
    """
    with connected(asked["server"]) as client:
        builds = list(client.endpoints(target))
        polled = client.endpoint_sources(target)
    if is_data(asked["output"]):
        print_data(list(map(build_data, builds)), asked["output"])
    elif asked["output"] == "name":
        print_names(f"{build.build} {places.text(each)}" for build in builds for each in build.endpoints)
    elif builds:
        _print_builds(builds, wide=asked["output"] == "wide")
    else:
        click.echo("no builds yet (canary endpoints add TARGET HOST:PORT adds an endpoint)", err=True)
    warn(*(f"{source_problem(source)} (its last good list stays)" for source in polled if source.problem))


@endpoints.command(epilog=options.examples("canary endpoints sources", "canary endpoints sources -o json"))
@options.reading
def sources(**asked: Unpack[options.Reading]) -> None:
    """Show where endpoints are polled from, and what is wrong there.

    A source that fails or returns nothing keeps its last good list.
    """
    with connected(asked["server"]) as client:
        polled = client.endpoint_sources()
    if is_data(asked["output"]):
        print_data(list(map(source_data, polled)), asked["output"])
    elif asked["output"] == "name":
        print_names(source.name for source in polled)
    elif polled:
        print_table(
            ("SOURCE", "ENDPOINTS", "READ", "PROBLEM"),
            (
                (
                    source.name,
                    str(source.endpoints),
                    times.ago(source.read_at) or "never",
                    bare_problem(source),
                )
                for source in polled
            ),
        )
    else:
        click.echo("no endpoints are polled (canary serve --config names sources)", err=True)


@endpoints.command(
    "set",
    epilog=options.examples("canary endpoints set summarization:t226 10.0.0.11:3000 10.0.0.12:3000"),
)
@places.target
@places.some
@places.placing
@options.editing
def set_(
    *, target: str, where: Sequence[str], weight: int, zone: str, **asked: Unpack[options.Writing]
) -> None:
    """Replace the API's list of a build.

    What other sources list stays.
    """
    _edit(Client.set_endpoints, target, places.messages(where, weight, zone), "set", asked)


@endpoints.command(
    epilog=options.examples(
        "canary endpoints add summarization:t226 10.0.0.11:3000",
        "canary endpoints add summarization@a 10.0.0.12:3000 --weight 2 --zone eu-1",
    )
)
@places.target
@places.some
@places.placing
@options.editing
def add(
    *, target: str, where: Sequence[str], weight: int, zone: str, **asked: Unpack[options.Writing]
) -> None:
    """Add endpoints to a build."""
    _edit(Client.add_endpoints, target, places.messages(where, weight, zone), "added", asked)


@endpoints.command(epilog=options.examples("canary endpoints remove summarization:t226 10.0.0.11:3000"))
@places.target
@places.some
@options.editing
def remove(*, target: str, where: Sequence[str], **asked: Unpack[options.Writing]) -> None:
    """Remove endpoints from a build.

    From the API's list, and leases end. Endpoints of other sources can be drained. The last one that can
    be used is kept without --force.
    """
    _edit(Client.remove_endpoints, target, places.messages(where), "removed", asked)


@endpoints.command(
    epilog=options.examples(
        "canary endpoints drain summarization:t226 10.0.0.11:3000",
        "canary endpoints drain summarization@a    # the whole build",
    )
)
@places.target
@places.none_or_some
@options.editing
def drain(*, target: str, where: Sequence[str], **asked: Unpack[options.Writing]) -> None:
    """Give endpoints no new requests, whatever the sources say.

    None named: the whole build. canary endpoints undrain ends it.
    """
    _edit(Client.drain, target, places.messages(where), "drained", asked)


@endpoints.command(
    epilog=options.examples(
        "canary endpoints undrain summarization:t226 10.0.0.11:3000",
        "canary endpoints undrain summarization@a",
    )
)
@places.target
@places.none_or_some
@options.editing
def undrain(*, target: str, where: Sequence[str], **asked: Unpack[options.Writing]) -> None:
    """Give drained endpoints requests again.

    None named: the whole build.
    """
    _edit(Client.undrain, target, places.messages(where), "undrained", asked)


endpoints.add_command(register)

_Edit = Callable[..., pb.EndpointsResponse]


def _edit(verb: _Edit, target: str, given: Sequence[pb.Endpoint], done: str, asked: options.Writing) -> None:
    said: WriteArgs = waiting_args(asked)
    with connected(asked["server"]) as client:
        answer = made(lambda: verb(client, target, given, **said), pb.EndpointsResponse)
    if is_data(asked["output"]):
        print_data(edit_data(answer), asked["output"])
    elif asked["output"] == "name":
        print_names([answer.build.build])
    else:
        click.echo(_sentence(answer, done, dry=asked["dry_run"]))
    if not answer.build.versions:
        warn(f"no deployment uses '{answer.build.build}' yet")
    for confirmation in answer.confirmations:
        judge(confirmation)


def _sentence(answer: pb.EndpointsResponse, done: str, *, dry: bool) -> str:
    build = answer.build
    outcome = (f"would be {done}" if dry else done) if answer.changed else "unchanged"
    users = f" (used by {', '.join(build.versions)})" if build.versions else ""
    whole = ", the build is drained" if build.drained else ""
    count = f"{build.usable} of {len(build.endpoints)} usable"
    return f"endpoints of '{build.build}' {outcome}: {count}{whole}{users}"


def _print_builds(builds: Sequence[pb.BuildEndpoints], *, wide: bool) -> None:
    print_table(
        (
            "BUILD",
            "ENDPOINT",
            "STATE",
            "WEIGHT",
            "ZONE",
            "SOURCES",
            "LEASE",
            *(("VERSIONS",) if wide else ()),
        ),
        (row for build in builds for row in _rows(build, wide=wide)),
        optional=() if wide else ("ZONE", "LEASE"),
    )


def _state(build: pb.BuildEndpoints, endpoint: pb.Endpoint) -> str:
    if endpoint.drained or build.drained:
        return "drained"
    return f"unhealthy: {endpoint.unhealthy}" if endpoint.unhealthy else "usable"


def _rows(build: pb.BuildEndpoints, *, wide: bool) -> Sequence[Sequence[str]]:
    more = (", ".join(build.versions),) if wide else ()
    if not build.endpoints:
        return [(build.build, "none", "drained" if build.drained else "", "", "", "", "", *more)]
    return [
        (
            build.build,
            places.text(endpoint),
            _state(build, endpoint),
            str(endpoint.weight or 1),
            endpoint.zone,
            ", ".join(endpoint.sources),
            times.exact(endpoint.expires_at) if wide else times.ahead(endpoint.expires_at),
            *more,
        )
        for endpoint in build.endpoints
    ]
