"""Waiting for the Envoys after a write: the stream of its progress, as a bar on stderr.

The change is made when this begins. Interrupting it undoes nothing.
"""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

import click

from xds.cli import options
from xds.cli.failures import NoAnswer
from xds.cli.remote import unconfirmed
from xds.client import Client, Wait, WriteArgs
from xds.client import errors as client_errors
from xds.client.errors import verdict
from xds.stubs import canary_admin_v1_pb2 as pb

_GLANCE = 0.01
"""Seconds for a change that is looked at when the time for waiting is over."""


class Show(Protocol):
    """Shows how far it is."""

    def __call__(self, confirmation: pb.Confirmation) -> None:
        """Show this."""


def wait_of(asked: options.Writing) -> Wait:
    """How long to wait, and for how many."""
    return Wait(asked["share"], asked["timeout"], rollback_on_reject=asked["on_reject"] == "rollback")


def write_args(asked: options.Writing) -> WriteArgs:
    """What a write is told, except to wait: that is done afterwards, where it can be watched."""
    return WriteArgs(
        comment=asked["comment"],
        request_id=asked["request_id"],
        dry_run=asked["dry_run"],
        expected_revision=asked["expected_revision"],
        force=asked["force"],
    )


def waiting_args(asked: options.Writing) -> WriteArgs:
    """What a write is told that has no progress to watch: the server waits, and answers once."""
    args = write_args(asked)
    if options.waits(asked):
        args["wait"] = wait_of(asked)
    return args


def settle(client: Client, changes: Iterable[pb.Change], asked: options.Writing) -> None:
    """Wait for the changes, where waiting was asked for, and note in each what came of it.

    All have the same time: when one has used it up, the others are looked at as they are. What was in
    force before has nothing to do with this command, which then undoes nothing.
    """
    if not options.waits(asked):
        return
    wait = wait_of(asked)
    end = time.monotonic() + wait.timeout
    left = wait.timeout
    for change in changes:
        deployment = change.deployment
        own = Wait(wait.share, left, rollback_on_reject=wait.rollback_on_reject and change.changed)
        try:
            said = follow(client, deployment.name, deployment.revision.number, own)
        except client_errors.NoAnswer as error:
            raise NoAnswer(f"{deployment.name} is changed, but not known to be confirmed: {error}") from error
        change.confirmation.CopyFrom(said)
        left = max(_GLANCE, end - time.monotonic())


def verdicts(changes: Iterable[pb.Change]) -> None:
    """Say what came of waiting: a line for all that fared alike.

    Raises:
        Failure: a change was not confirmed; with the exit code for why.
    """
    waited = [change for change in changes if change.confirmation.state != pb.Confirmation.STATE_UNSPECIFIED]
    if len(waited) == 1:
        judge(waited[0].confirmation)
        return
    alike: dict[str, list[pb.Change]] = {}
    for change in waited:
        alike.setdefault(verdict(change.confirmation), []).append(change)
    failures = []
    for text, group in alike.items():
        names = ", ".join(change.deployment.name for change in group)
        if group[0].confirmation.state == pb.Confirmation.CONFIRMED:
            click.echo(f"{names}: {text}", err=True)
        else:
            failures.append(unconfirmed(group[0].confirmation, of=names))
    for failure in failures[1:]:
        failure.show()
    if failures:
        raise failures[0]


def judge(confirmation: pb.Confirmation, undo: str = "canary rollback") -> None:
    """Say what the Envoys made of a change; end the command if they have not confirmed it."""
    if confirmation.state == pb.Confirmation.CONFIRMED:
        click.echo(verdict(confirmation), err=True)
    elif confirmation.state != pb.Confirmation.STATE_UNSPECIFIED:
        raise unconfirmed(confirmation, undo)


def follow(client: Client, name: str, revision: int, wait: Wait) -> pb.Confirmation:
    """The last word on a revision (0: the one in force); until then a bar."""
    last = pb.Confirmation(state=pb.Confirmation.TIMED_OUT)
    try:
        with _bar(name) as show:
            for confirmation in client.progress(name, revision, wait):
                last = confirmation
                show(confirmation)
    except KeyboardInterrupt as interrupt:
        reached = f"{last.confirmed} of {last.envoys} Envoys have it"
        raise NoAnswer(
            f"interrupted; {name} is as it was asked for, {reached} (`canary status {name}`)"
        ) from interrupt
    return last


@contextmanager
def _bar(name: str) -> Iterator[Show]:
    if not sys.stderr.isatty():
        yield lambda confirmation: None  # noqa: ARG005 (nobody is looking)
        return
    from rich.console import Console  # noqa: PLC0415 (only where somebody is looking)
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("Envoys"))
    with Progress(*columns, console=Console(stderr=True, markup=False), transient=True) as progress:
        task = progress.add_task(name, total=None)
        yield lambda confirmation: progress.update(
            task, completed=confirmation.confirmed, total=confirmation.envoys or None
        )
