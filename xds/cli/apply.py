"""`canary apply`, `create` and `update`: deployment files to the server, as they are.

The texts are sent raw, so there is one reader of deployment files, the server's, and its messages name
the files as they were named here. What will happen is asked for first and said on stderr; where one
deployment is concerned it is done only if nobody changes it in between.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias, Unpack

import click

from xds.cli import options
from xds.cli.files import read_sources
from xds.cli.output import is_data, print_data, warn
from xds.cli.remote import connected
from xds.cli.report import print_changes
from xds.cli.shapes import change_data, endpoints_data
from xds.cli.waiting import settle, verdicts, write_args
from xds.cli.words import endpoints_sentence, plan_sentence, warnings_of
from xds.client import Client, WriteArgs
from xds.stubs import canary_admin_v1_pb2 as pb

Verb: TypeAlias = Callable[[list[pb.File], WriteArgs], pb.ApplyResponse]


@click.command(
    epilog=options.examples(
        "canary apply -f summarization.yaml",
        "canary apply -f deployments/ --comment 'a gets 20 %' --wait",
        "canary apply -f deployments/ --dry-run",
        "canary get summarization -o yaml | canary apply -f -",
    )
)
@options.files
@options.strict
@options.writing
def apply(*, sources: Sequence[str], strict: bool, **asked: Unpack[options.Writing]) -> None:
    """Apply deployment files: all of them, or none.

    A folder stands for its *.yaml, *.yml and *.json files. If anything is wrong, every fault of every
    file is printed and nothing is changed. What no file mentions stays as it is.
    """
    files = _read(sources, strict=strict)
    with connected(asked["server"]) as client:
        _run(client, lambda given, args: client.apply(*given, strict=strict, **args), files, "applied", asked)


@click.command(epilog=options.examples("canary create -f summarization.yaml"))
@options.files
@options.strict
@options.writing
def create(*, sources: Sequence[str], strict: bool, **asked: Unpack[options.Writing]) -> None:
    """Make deployments that aren't there yet: all of them, or none.

    As canary apply does, except that a deployment that is there is an error.
    """
    files = _read(sources, strict=strict)
    with connected(asked["server"]) as client:
        _run(
            client, lambda given, args: client.create(*given, strict=strict, **args), files, "created", asked
        )


@click.command(
    epilog=options.examples(
        "canary update -f change.yaml",
        "echo '{name: summarization, timeout: 60s}' | canary update -f -",
    )
)
@options.files
@options.strict
@options.writing
def update(*, sources: Sequence[str], strict: bool, **asked: Unpack[options.Writing]) -> None:
    """Change deployments in the keys given, and only these.

    A file needs the name and what is to change; null takes a key away. A deployment that isn't there is
    an error.
    """
    files = _read(sources, strict=strict)
    with connected(asked["server"]) as client:
        _run(
            client, lambda given, args: client.update(*given, strict=strict, **args), files, "updated", asked
        )


def _read(sources: Sequence[str], *, strict: bool) -> list[pb.File]:
    return [pb.File(name=name, text=text) for name, text in read_sources(sources, strict=strict)]


def _run(client: Client, verb: Verb, files: list[pb.File], done: str, asked: options.Writing) -> None:
    said = write_args(asked)
    if not (asked["dry_run"] or asked["request_id"]):
        _announce(verb(files, {**said, "dry_run": True}), said)
    answer = verb(files, said)
    if is_data(asked["output"]):
        settle(client, answer.changes, asked)
        _print_data(answer, asked["output"])
    else:
        print_changes(answer.changes, done, asked)
        if asked["output"] != "name":
            for edit in answer.endpoints:
                click.echo(endpoints_sentence(edit, dry=asked["dry_run"]))
    _warn(answer)
    if not is_data(asked["output"]):
        settle(client, answer.changes, asked)
    verdicts(answer.changes)


def _announce(plan: pb.ApplyResponse, said: WriteArgs) -> None:
    for change in plan.changes:
        if change.changed:
            click.echo(plan_sentence(change), err=True)
    if len(plan.changes) == 1 and said["expected_revision"] is None:
        said["expected_revision"] = plan.changes[0].previous


def _print_data(answer: pb.ApplyResponse, output: str) -> None:
    changes = [change_data(change) for change in answer.changes]
    endpoints = [endpoints_data(edit) for edit in answer.endpoints]
    print_data({"changes": changes, "endpoints": endpoints, "warnings": list(answer.warnings)}, output)


def _warn(answer: pb.ApplyResponse) -> None:
    warn(*answer.warnings)
    for change in answer.changes:
        warn(*warnings_of(change.deployment))
    warn(*(f"no deployment uses '{edit.build}' yet" for edit in answer.endpoints if not edit.deployments))
