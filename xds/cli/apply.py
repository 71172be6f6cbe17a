"""`canary apply`: deployment files to the server, as they are.

The texts are sent raw, so there is one reader of deployment files, the server's, and its messages name
the files as they were named here.
"""

from collections.abc import Sequence

import click

from xds.cli import options
from xds.cli.files import read_sources
from xds.cli.output import print_data, warn
from xds.cli.remote import call
from xds.cli.shapes import change_data, endpoints_data
from xds.cli.words import change_sentence, endpoints_sentence, warnings_of
from xds.stubs import canary_admin_v1_pb2 as pb


@click.command(
    epilog=options.examples(
        "canary apply -f summarization.yaml",
        "canary apply -f deployments/ --comment 'a gets 20 %'",
        "canary get summarization -o yaml | canary apply -f -",
    )
)
@options.files
@options.strict
@options.comment
@options.server
@options.output
def apply(*, sources: Sequence[str], strict: bool, comment: str, server: str, output: str) -> None:
    """Apply deployment files: all of them, or none.

    A folder stands for its *.yaml, *.yml and *.json files. If anything is wrong, every fault of every
    file is printed and nothing is changed. What no file mentions stays as it is.
    """
    files = [pb.File(name=name, text=text) for name, text in read_sources(sources, strict=strict)]
    request = pb.ApplyRequest(files=files, strict=strict, options=pb.WriteOptions(comment=comment))
    answer = call(server, "Apply", request, pb.ApplyResponse)
    if output == "table":
        for change in answer.changes:
            click.echo(change_sentence(change, "applied"))
        for edit in answer.endpoints:
            click.echo(endpoints_sentence(edit))
    else:
        changes = [change_data(change) for change in answer.changes]
        endpoints = [endpoints_data(edit) for edit in answer.endpoints]
        print_data({"changes": changes, "endpoints": endpoints, "warnings": list(answer.warnings)}, output)
    warn(*answer.warnings)
    for change in answer.changes:
        warn(*warnings_of(change.deployment))
    warn(*(f"no deployment uses '{edit.build}' yet" for edit in answer.endpoints if not edit.deployments))
