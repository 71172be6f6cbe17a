"""What ends a command: a message on stderr that says what to do, and an exit code to script by.

    0  done
    1  refused, failed, or no server there: nothing was done
    2  wrong usage
    3  an Envoy rejected the change
    4  a conflict: somebody else was faster
    5  done, but not confirmed (in time, or by any Envoy); or no answer in time, and perhaps done

Click prints a usage error by itself and exits with 2; everything else that goes wrong is one of these.
"""

from collections.abc import Iterable
from typing import IO

import click


class Failure(click.ClickException):
    """What was asked for was refused or failed."""

    exit_code = 1


class Faulty(Failure):
    """Files or values are wrong: one line for each fault, each complete in itself."""

    def __init__(self, faults: Iterable[object]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))

    def show(self, file: IO[str] | None = None) -> None:
        """Print the lines as they are, so that editors can jump to `file:line`."""
        click.echo(self.format_message(), file=file, err=file is None)


class Refused(Failure):
    """An Envoy refused the change."""

    exit_code = 3


class Conflict(Failure):
    """Somebody else changed it meanwhile."""

    exit_code = 4


class NoAnswer(Failure):
    """What was asked for is done, or may be, but nobody confirmed it in time."""

    exit_code = 5
