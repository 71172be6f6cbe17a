"""The verbs of one deployment: one revision each."""

from collections.abc import Sequence
from typing import Unpack

import click

from xds.cli import options
from xds.cli.remote import connected
from xds.cli.report import report
from xds.cli.waiting import write_args
from xds.cli.words import moved, split
from xds.client import WriteArgs


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
        "canary set-weight summarization a=50 --wait --on-reject rollback",
    ),
)
@options.name
@click.argument("weights", metavar="VERSION=PERCENT...", nargs=-1, required=True, callback=_as_weights)
@options.writing
def set_weight(*, name: str, weights: dict[str, float], **asked: Unpack[options.Writing]) -> None:
    """Change who gets which version.

    In percent, with up to two decimals. Versions that are not named keep theirs; main gets the rest.
    """
    with connected(asked["server"]) as client:
        report(client, client.set_weights(name, weights, **write_args(asked)), "shifted", asked)


@click.command(
    epilog=options.examples(
        "canary promote summarization", "canary promote summarization a --comment 'all is well'"
    )
)
@options.name
@click.argument("version", default="")
@options.writing
def promote(*, name: str, version: str, **asked: Unpack[options.Writing]) -> None:
    """Make a canary main, with all traffic.

    VERSION can be left out where there is only one canary. Its label goes; other canaries are kept at 0.
    One revision, one push: one rollback undoes all of it.
    """
    with connected(asked["server"]) as client:
        report(client, client.promote(name, version, **write_args(asked)), "promoted", asked)


@click.command(epilog=options.examples("canary abort summarization --comment 'errors in a'"))
@options.name
@options.aborting
def abort(*, name: str, **given: Unpack[options.Aborting]) -> None:
    """Put all traffic on main. Always works.

    Doing it twice does no harm. Requests and streams under way end where they began.
    """
    asked: options.Writing = {**given, "expected_revision": None, "force": False}
    with connected(asked["server"]) as client:
        report(client, client.abort(name, **write_args(asked)), "aborted", asked)


@click.command(
    epilog=options.examples(
        "canary rollback summarization",
        "canary rollback summarization --to-stable",
        "canary rollback summarization --to-revision 3  # canary history shows which there are",
    )
)
@options.name
@click.option("--to-revision", metavar="N", type=click.IntRange(min=1), help="This revision.")
@click.option("--to-stable", is_flag=True, help="The last one with main at 100 %.")
@options.writing
def rollback(
    *, name: str, to_revision: int | None, to_stable: bool, **asked: Unpack[options.Writing]
) -> None:
    """Return to the revision before.

    Every user gets the version they had then. It undoes the last change, whatever that was; repeated, it
    walks further back, past aborts and what they took out of traffic. Endpoints stay as they are now. What
    it will return to is said first, and done only if nobody changes anything in between.
    """
    if to_revision is not None and to_stable:
        raise click.UsageError("--to-revision and --to-stable are two targets; give one of them.")
    said = write_args(asked)
    with connected(asked["server"]) as client:
        # A repetition with an id of its own is answered as the first was: there is nothing to look at.
        if not asked["request_id"] and not asked["dry_run"]:
            look: WriteArgs = {**said, "dry_run": True}
            found = client.rollback(name, to_revision=to_revision, to_stable=to_stable, **look)
            if found.changed:
                target = found.deployment.revision.source
                click.echo(
                    f"plan: to revision {target}: {split(found.deployment)}{moved(found.moved)}", err=True
                )
                if said["expected_revision"] is None:
                    said["expected_revision"] = found.previous
        change = client.rollback(name, to_revision=to_revision, to_stable=to_stable, **said)
        report(client, change, f"rolled back to revision {change.deployment.revision.source}", asked)


@click.command(epilog=options.examples("canary delete summarization --comment 'moved to chat'"))
@options.name
@options.writing
def delete(*, name: str, **asked: Unpack[options.Writing]) -> None:
    """Take a deployment out of service.

    Its history is kept: canary undelete brings it back as it was.
    """
    with connected(asked["server"]) as client:
        report(client, client.delete(name, **write_args(asked)), "deleted", asked)


@click.command(epilog=options.examples("canary undelete summarization"))
@options.name
@options.writing
def undelete(*, name: str, **asked: Unpack[options.Writing]) -> None:
    """Bring a deleted deployment back as it was.

    With the versions, weights and users it had; endpoints are those there are now.
    """
    with connected(asked["server"]) as client:
        report(client, client.undelete(name, **write_args(asked)), "brought back", asked)
