"""What several commands take, said once.

Values are checked in callbacks rather than in parameter types: a callback can say in full what is wrong
and how to mend it. `reading` and `writing` bundle what every command of a kind takes.
"""

import sys
from collections.abc import Callable
from typing import TypedDict

import click
from click.decorators import FC

from xds.cli import names

DEFAULT_SERVER = "127.0.0.1:18001"
_HIGHEST_PORT = 65535
_WHOLE = 100.0


def examples(*lines: str) -> str:
    """Write the end of a command's help: examples to copy, which click must not re-wrap."""
    title = "Examples:" if len(lines) > 1 else "Example:"
    return "\n".join(["\b", title, *(f"  {line}" for line in lines)])


def parse_address(text: str) -> tuple[str, int]:
    """Read `HOST:PORT` or `[IPV6]:PORT`.

    Returns:
        Host (without brackets) and port, 0-65535.

    Raises:
        ValueError: it is neither.
    """
    host, _, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    bracketed = len(host) == len(bare) + 2
    digits = port.isascii() and port.isdecimal()
    if not (bare and digits and int(port) <= _HIGHEST_PORT and bracketed == (":" in bare)):
        raise ValueError(f"{text!r} is no HOST:PORT; write for example 127.0.0.1:18001 or [::1]:18001")
    return bare, int(port)


def as_address(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[str, int]:
    """Click callback: host and port."""
    try:
        return parse_address(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def checked_address(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """Click callback: the text as it is, once it is known to be `HOST:PORT`."""
    as_address(ctx, param, value)
    return value


def checked_address_or_none(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Click callback: the same, of an option that may be left out."""
    return None if value is None else checked_address(ctx, param, value)


def as_address_or_none(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[str, int] | None:
    """Click callback: host and port, of an option that may be left out."""
    return None if value is None else as_address(ctx, param, value)


INSECURE = "canary.insecure"
"""Where a command's context keeps `--insecure`: whom it concerns is far from who takes it."""


def _keep_insecure(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001 (click's)
    ctx.meta[INSECURE] = value


_insecure = click.option(
    "--insecure",
    is_flag=True,
    expose_value=False,
    envvar="CANARY_INSECURE",
    show_envvar=True,
    callback=_keep_insecure,
    help="Send the token to another machine even without TLS.",
)

_server = click.option(
    "--server",
    metavar="HOST:PORT",
    envvar="CANARY_SERVER",
    default=DEFAULT_SERVER,
    show_default=True,
    show_envvar=True,
    callback=checked_address,
    help="The admin API. CANARY_TOKEN and CANARY_TLS_CA, _CERT, _KEY, _SERVER_NAME say how to call it.",
)


def server(command: FC) -> FC:
    """Add `--server`, and `--insecure`."""
    return _server(_insecure(command))


output = click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "wide", "json", "yaml", "name"]),
    default="table",
    show_default=True,
    help="What to print; wide: a table with all columns; name: names only.",
)


def sources(help: str, *, required: bool = False) -> Callable[[FC], FC]:  # noqa: A002 (click's name)
    """Make an option that takes deployment files."""
    return click.option(
        "-f",
        "--file",
        "sources",
        metavar="FILE|DIR|-",
        type=click.Path(exists=True, allow_dash=True),
        multiple=True,
        required=required,
        help=help,
    )


files = sources(
    "A deployment file, a folder of them, or - for stdin. Can be given more than once.", required=True
)

strict = click.option("--strict", is_flag=True, help="Unknown keys are errors, not warnings.")

comment = click.option("--comment", metavar="TEXT", default="", help="Why; kept in the history.")

config = click.option(
    "--config",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    envvar="CANARY_CONFIG",
    show_envvar=True,
    help="The server's configuration file; its gateways are used.",
)

name = click.argument("name", shell_complete=names.deployments)


class Reading(TypedDict):
    """What `reading` adds."""

    server: str
    output: str


class Aborting(Reading):
    """What `aborting` adds."""

    comment: str
    request_id: str
    dry_run: bool
    wait: bool | None
    timeout: float
    share: float
    on_reject: str


class Writing(Aborting):
    """What `writing` adds."""

    expected_revision: int | None
    force: bool


def reading(command: FC) -> FC:
    """Add `--server` and `--output`."""
    return server(output(command))


def writing(command: FC) -> FC:
    """Add what every write takes, and `reading`."""
    for option in reversed((comment, *_CONDITIONS, *_WAITING)):
        command = option(command)
    return reading(command)


def aborting(command: FC) -> FC:
    """Add what `writing` does, but for conditions: there are none."""
    for option in reversed((comment, _dry_run, _request_id, *_WAITING)):
        command = option(command)
    return reading(command)


def editing(command: FC) -> FC:
    """Add what `writing` does, but for undoing: no revision is made that could be undone."""
    for option in reversed((comment, *_CONDITIONS, *_WAITING[:-1], _keeping)):
        command = option(command)
    return reading(command)


def waiting(command: FC) -> FC:
    """Add how long to wait, and for how many."""
    return timeout(share(command))


def waits(asked: Writing) -> bool:
    """Whether a write is to wait for the Envoys: as asked, else where somebody is looking."""
    if asked["dry_run"]:
        return False
    return sys.stdout.isatty() if asked["wait"] is None else asked["wait"]


def _seconds(_ctx: click.Context, _param: click.Parameter, value: str) -> float:
    number, factor = value, 1.0
    for unit, seconds in (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)):
        if value.endswith(unit):
            number, factor = value.removesuffix(unit), seconds
            break
    try:
        return _positive(float(number) * factor)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no duration; write for example 30s or 2m") from error


def _part(_ctx: click.Context, _param: click.Parameter, value: str) -> float:
    try:
        part = _positive(float(value.removesuffix("%")))
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no percentage; write for example 90%") from error
    if part > _WHOLE:
        raise click.BadParameter(f"{value!r} is more than there is; write at most 100%")
    return part / _WHOLE


def _positive(value: float) -> float:
    if not 0 < value < float("inf"):
        raise ValueError(value)
    return value


def duration(*names: str, default: str, help: str) -> Callable[[FC], FC]:  # noqa: A002 (click's word)
    """Make an option that is a duration, in seconds for the command."""
    return click.option(
        *names, metavar="DURATION", default=default, show_default=True, callback=_seconds, help=help
    )


timeout = duration("--timeout", default="30s", help="How long to wait for the Envoys.")

share = click.option(
    "--share",
    metavar="PERCENT",
    default="100%",
    show_default=True,
    callback=_part,
    help="How many of the connected Envoys are enough.",
)

_dry_run = click.option("--dry-run", is_flag=True, help="Say what would happen, and do nothing.")
_request_id = click.option(
    "--request-id", metavar="ID", default="", help="Makes a repetition safe: it changes nothing twice."
)
_CONDITIONS = (
    _dry_run,
    click.option(
        "--expected-revision",
        metavar="N",
        type=click.IntRange(min=0),
        help="Only if this revision is in force still; exits with 4 otherwise.",
    ),
    click.option(
        "--force", is_flag=True, help="Although a version has too few usable endpoints, or is down."
    ),
    _request_id,
)

_WAITING = (
    click.option(
        "--wait/--no-wait",
        default=None,
        help="Until the Envoys have confirmed it; without: on a terminal only.",
    ),
    timeout,
    share,
    click.option(
        "--on-reject",
        type=click.Choice(["keep", "rollback"]),
        default="keep",
        show_default=True,
        help="What becomes of a change that an Envoy rejects.",
    ),
)

_keeping = click.option("--on-reject", type=click.Choice(["keep"]), default="keep", hidden=True)
"""For `Writing` to be whole; nobody is asked."""
