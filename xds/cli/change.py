"""`canary set-weight`, `abort` and `rollback`: one deployment, one revision each."""

from collections.abc import Sequence

import click

from xds.cli import options
from xds.cli.output import print_data, warn
from xds.cli.remote import call
from xds.cli.shapes import change_data
from xds.cli.words import change_sentence, warnings_of
from xds.stubs import canary_admin_v1_pb2 as pb


def _as_weights(_ctx: click.Context, _param: click.Parameter, values: Sequence[str]) -> dict[str, float]:
    weights: dict[str, float] = {}
    for value in values:
        label, _, share = value.partition("=")
        if not label or label in weights:
            problem = "names a version twice" if label else "names no version"
            raise click.BadParameter(f"{value!r} {problem}; write each once: a=20 b=5.5")
        try:
            weights[label] = float(share.removesuffix("%"))
        except ValueError as error:
            raise click.BadParameter(f"{value!r} is no VERSION=PERCENT; write for example a=20") from error
    return weights


@click.command(
    "set-weight",
    epilog=options.examples(
        "canary set-weight summarization a=20",
        "canary set-weight summarization a=12.5 b=0 --comment 'b is too slow'",
    ),
)
@options.name
@click.argument("weights", metavar="VERSION=PERCENT...", nargs=-1, required=True, callback=_as_weights)
@options.comment
@options.server
@options.output
def set_weight(*, name: str, weights: dict[str, float], comment: str, server: str, output: str) -> None:
    """Change who gets which version.

    In percent, with up to two decimals. Versions that are not named keep theirs; main gets the rest.
    """
    request = pb.SetWeightsRequest(name=name, weights=weights, options=pb.WriteOptions(comment=comment))
    _report(call(server, "SetWeights", request, pb.ChangeResponse).change, "shifted", output)


@click.command(epilog=options.examples("canary abort summarization --comment 'errors in a'"))
@options.name
@options.comment
@options.server
@options.output
def abort(*, name: str, comment: str, server: str, output: str) -> None:
    """Put all traffic on main. Always works.

    Doing it twice does no harm. Requests and streams under way end where they began.
    """
    request = pb.AbortRequest(name=name, options=pb.WriteOptions(comment=comment))
    _report(call(server, "Abort", request, pb.ChangeResponse).change, "aborted", output)


@click.command(
    epilog=options.examples("canary rollback summarization", "canary history summarization  # what there is")
)
@options.name
@options.comment
@options.server
@options.output
def rollback(*, name: str, comment: str, server: str, output: str) -> None:
    """Return to the revision before.

    Every user gets the version they had then. Repeated, it walks further back: a revision that was left by
    a rollback or an abort is never returned to. Endpoints stay as they are now.
    """
    request = pb.RollbackRequest(name=name, options=pb.WriteOptions(comment=comment))
    change = call(server, "Rollback", request, pb.ChangeResponse).change
    _report(change, f"rolled back to revision {change.deployment.revision.source}", output)


def _report(change: pb.Change, done: str, output: str) -> None:
    if output == "table":
        click.echo(change_sentence(change, done))
    else:
        print_data(change_data(change), output)
    warn(*warnings_of(change.deployment))
