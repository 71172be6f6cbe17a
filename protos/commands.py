"""`python -m protos.commands`: writes docs/cli.md from the commands themselves.

What a command takes is read from click, so that nothing here can be other than what `--help` says.
Options that every client command has are listed once.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import click

from xds.cli import failures, options
from xds.cli.main import SECTIONS, canary

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "cli.md"

_HEAD = """# The `canary` command

<!-- Written by `python -m protos.commands` from the commands: change those. -->

Results go to stdout, everything else to stderr; what fails says what to do in one line. In a pipe, tables are
as wide as their content and no cell is cut off; `-o json` is for programs. `canary COMMAND --help` has what
is here.

"""
_VARIABLES = (
    ("CANARY_SERVER", "`HOST:PORT` of the admin API."),
    ("CANARY_TOKEN", "The token that is sent along; see `canary token`."),
    (
        "CANARY_TLS_CA",
        "File of the authorities that signed the server's certificate; `system`: this machine's.",
    ),
    ("CANARY_TLS_CERT", "File of the client's certificate, where the server asks for one."),
    ("CANARY_TLS_KEY", "File of its key."),
    ("CANARY_TLS_SERVER_NAME", "The name in the server's certificate, where it isn't the host connected to."),
    ("CANARY_INSECURE", "`1`: the token is sent to another machine even without TLS."),
    ("NO_COLOR", "Anything: no colours."),
)
_WRITES = "dry_run"
"""What every write takes, and nothing else."""
_MODES = {
    "reading": "Every command that talks to a server takes these.",
    "writing": "Every write takes these as well; changes of endpoints all but `--on-reject`.",
}


def main() -> None:
    """Writes it."""
    TARGET.write_text(reference(), encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: written")  # noqa: T201 - its answer


def reference() -> str:
    """The whole page."""
    return _HEAD + "\n".join([*_exit_codes(), *_environment(), *_common(), *_commands()]).rstrip() + "\n"


def _exit_codes() -> Iterator[str]:
    table = inspect.cleandoc(failures.__doc__ or "").split("\n\n")[1]
    pairs = [pair.split(maxsplit=1) for line in table.splitlines() for pair in _columns(line)]
    yield from ("## Exit codes", "")
    yield from _table(("code", "meaning"), sorted((f"`{code}`", meaning) for code, meaning in pairs))
    yield from ("`canary diff` and `canary doctor` exit with 1 where they found something.", "")


def _columns(line: str) -> list[str]:
    return [part.strip() for part in line.strip().split("    ") if part.strip()]


def _environment() -> Iterator[str]:
    yield from ("## Environment", "")
    yield from _table(("variable", "meaning"), [(f"`{name}`", meaning) for name, meaning in _VARIABLES])
    yield from ("`canary serve` has variables of its own, listed with its options.", "")


def _common() -> Iterator[str]:
    yield from ("## Common options", "")
    listed: set[str] = set()
    for mode, said in _MODES.items():
        rows = [row for row in _rows(_of(mode)) if row[0] not in listed]
        listed |= {row[0] for row in rows}
        yield from (said, "", *_table(("option", "meaning"), rows))


def _of(mode: str) -> click.Command:
    """A command that has just what a decorator adds."""
    add: Callable[[Callable[[], None]], Callable[[], None]] = getattr(options, mode)
    return click.command(mode)(add(lambda: None))


def _commands() -> Iterator[str]:
    for section, commands in SECTIONS.items():
        yield from (f"## {section}", "")
        for name in commands:
            command = canary.get_command(click.Context(canary), name)
            assert command is not None  # noqa: S101 (the table names it)
            yield from _command(command, f"canary {name}", "###")


def _command(command: click.Command, path: str, level: str) -> Iterator[str]:
    context = click.Context(command, info_name=path)
    usage = " ".join(command.collect_usage_pieces(context))
    yield from (f"{level} {path}", "", f"`{path} {usage}`", "", _escaped(_prose(command.help or "")), "")
    rows = _rows(command)
    mode = "writing" if _WRITES in {option.name for option in command.params} else "reading"
    common = _rows(_of(mode))
    own = [row for row in rows if row not in common]
    if own:
        yield from _table(("option", "meaning"), own)
    if len(own) < len(rows):
        yield from (f"And the common options{' of writes' if mode == 'writing' else ''}.", "")
    if command.epilog:
        yield from ("```sh", *_examples(command.epilog), "```", "")
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            verb = command.get_command(context, name)
            assert verb is not None  # noqa: S101 (it was listed)
            yield from _command(verb, f"{path} {name}", "####")


def _rows(command: click.Command) -> list[tuple[str, str]]:
    return [_row(each) for each in command.params if isinstance(each, click.Option) and not each.hidden]


def _row(option: click.Option) -> tuple[str, str]:
    names = "/".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    value = "" if option.is_flag else f" {option.make_metavar(click.Context(click.Command('x')))}"
    variable = f" [`{option.envvar}`]" if option.envvar else ""
    given = option.default
    shown = f" (default: `{given}`)" if option.show_default and given not in (None, "", ()) else ""
    needed = " Required." if option.required else ""
    return _cell(names + value), _cell(f"{option.help or ''}{needed}{shown}{variable}")


def _examples(epilog: str) -> list[str]:
    """Without click's mark and the title."""
    return [line.strip() for line in epilog.splitlines() if line.startswith("  ")]


def _prose(text: str) -> str:
    return inspect.cleandoc(text).replace("\b\n", "").strip()


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace("*", "\\*")


def _cell(text: str) -> str:
    return _escaped(" ".join(text.split()).replace("|", "\\|"))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    lines = [head, ["---"] * len(head), *rows]
    yield from (*(f"| {' | '.join(line)} |" for line in lines), "")


if __name__ == "__main__":
    main()
