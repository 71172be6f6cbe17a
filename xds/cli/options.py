"""What several commands take, said once.

Values are checked in callbacks rather than in parameter types: a callback can say in full what is wrong
and how to mend it.
"""

import click

DEFAULT_SERVER = "127.0.0.1:18001"
_HIGHEST_PORT = 65535


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


server = click.option(
    "--server",
    metavar="HOST:PORT",
    envvar="CANARY_SERVER",
    default=DEFAULT_SERVER,
    show_default=True,
    show_envvar=True,
    callback=checked_address,
    help="The admin API.",
)

output = click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "yaml"]),
    default="table",
    show_default=True,
    help="What to print.",
)

files = click.option(
    "-f",
    "--file",
    "sources",
    metavar="FILE|DIR|-",
    type=click.Path(exists=True, allow_dash=True),
    multiple=True,
    required=True,
    help="A deployment file, a folder of them, or - for stdin. Can be given more than once.",
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

name = click.argument("name")
