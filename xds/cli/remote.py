"""The server as a command sees it: the SDK, with its errors as exit codes.

`connected` is for everything a client command does. What it raises besides these (NotFound and the like)
ends the command with 1 and the server's own sentence.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

from xds import errors
from xds.cli.failures import Conflict, Failure, Faulty, NoAnswer, Refused
from xds.cli.flags import as_typed
from xds.cli.options import INSECURE
from xds.client import Client
from xds.client import errors as client_errors
from xds.stubs import canary_admin_v1_pb2 as pb

TIMEOUT = 10.0
"""Seconds for an answer."""
RETRY = 1.0
"""Seconds to go on trying to reach the server: as long as one may take to restart."""


@contextmanager
def connected(server: str) -> Iterator[Client]:
    """A client of the server, whose errors end the command.

    Raises:
        Failure: what was asked for was refused, failed or not answered; its exit code says which.
    """
    try:
        with Client(server, insecure=_insecure(), timeout=TIMEOUT, retry=RETRY) as client:
            yield client
    except errors.InvalidInput as error:
        raise Faulty(map(as_typed, error.faults)) from error
    except errors.Conflict as error:
        raise Conflict(str(error)) from error
    except client_errors.NotConfirmed as error:
        raise unconfirmed(error.confirmation) from error
    except client_errors.NoAnswer as error:
        raise (NoAnswer if error.reached else Failure)(str(error)) from error
    except errors.CanaryError as error:
        raise Failure(str(error)) from error


@contextmanager
def watching(server: str) -> Iterator[Client]:
    """As `connected`, for what goes on until somebody interrupts it: that is its good end."""
    with suppress(KeyboardInterrupt), connected(server) as client:
        yield client


def _insecure() -> bool | None:
    """`--insecure` of the command that runs (options.server); None: as the environment says."""
    context = click.get_current_context(silent=True)
    return True if context is not None and context.meta.get(INSECURE) else None


def unconfirmed(confirmation: pb.Confirmation, undo: str = "canary rollback", of: str = "") -> Failure:
    """How a command ends that waited in vain.

    Args:
        confirmation: what the Envoys made of the change.
        undo: the command that undoes it.
        of: what was changed, where that isn't plain.
    """
    verdict = client_errors.verdict(confirmation, undo)
    text = f"{of}: {verdict}" if of else verdict
    match confirmation.state:
        case pb.Confirmation.REJECTED:
            return Refused(text)
        case pb.Confirmation.SUPERSEDED:
            return Conflict(text)
        case _:
            return NoAnswer(text)
