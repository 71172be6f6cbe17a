"""`canary token`: make one token of the admin API. It is shown once; the server keeps its hash."""

import os
import secrets
from datetime import datetime
from pathlib import Path

import click

from xds.cli import options
from xds.cli.failures import Failure, Faulty
from xds.spec.tokens import Token, moment, read_tokens, sha256_of, token_name, write_token

_PREFIX = "canary_"
"""By which scanners for leaked secrets can know one."""
_BYTES = 32
_OWNER_ONLY = 0o600
_NO_TOKENS = "[]"
"""A whole file that lists none; a line after it would be no YAML."""


def _name(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    try:
        return token_name(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _moment(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime | None:
    try:
        return None if value is None else moment(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command(
    epilog=options.examples(
        "CANARY_TOKEN=$(canary token ci --append tokens.yaml)",
        "canary token alice --expires 2027-01-31",
        "canary serve --admin-tokens tokens.yaml",
    )
)
@click.argument("name", callback=_name)
@click.option("--expires", metavar="DATE", callback=_moment, help="From when on it is refused (UTC).")
@click.option(
    "--append",
    "file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Add its line to the server's file; made if it is not there.",
)
def token(*, name: str, expires: datetime | None, file: Path | None) -> None:
    """Make a token for callers of the admin API.

    NAME becomes the author of what is changed with it. The token goes to stdout, this once. The line for
    the server's file (--admin-tokens), which has only its hash, goes to stderr, or to the file with
    --append; a running server takes it by itself.
    """
    made = _PREFIX + secrets.token_urlsafe(_BYTES)
    line = write_token(Token(name=name, sha256=sha256_of(made), expires=expires))
    if file is None:
        click.echo(line, err=True)
    else:
        _append(file, line)
    click.echo(made)


def _append(file: Path, line: str) -> None:
    """Only if the file is fine with it: the server would not take it otherwise."""
    try:
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        empty = before.strip() == _NO_TOKENS
        more = f"{line}\n" if before.endswith("\n") or not before or empty else f"\n{line}\n"
        if faults := read_tokens(str(file), more if empty else before + more).faults:
            raise Faulty(faults)
        how = os.O_TRUNC if empty else os.O_APPEND
        with os.fdopen(os.open(file, os.O_WRONLY | how | os.O_CREAT, _OWNER_ONLY), "a") as opened:
            opened.write(more)
    except UnicodeDecodeError as error:
        raise Failure(f"{file}: is not UTF-8 (save it as UTF-8)") from error
    except OSError as error:
        raise Failure(f"{file}: {error.strerror} (name a file that can be written)") from error
