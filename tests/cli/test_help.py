"""`canary --help`: quick, grouped, with an example for every command."""

import subprocess
import sys

import click
import pytest

from tests.cli.fake_admin import Run
from xds.cli.main import COMMANDS, SECTIONS, canary

HEAVY = {
    "grpc",
    "google.protobuf",
    "pydantic",
    "rich",
    "yaml",
    "asyncio",
    "xds.stubs",
    "xds.server",
    "xds.spec.read",
}


def imported_by(*args: str) -> set[str]:
    """The modules a run of the command has imported when it ends."""
    program = (
        "import sys, atexit; from xds.cli.main import main; sys.argv[1:] = sys.argv[1:]; "
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr)); main()"
    )
    done = subprocess.run([sys.executable, "-c", program, *args], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_help_imports_nothing_heavy() -> None:
    """Start-up is quick because nothing is imported before it is needed."""
    assert HEAVY & imported_by("--help") == set()


@pytest.mark.parametrize("section", ["Daily", "Fleet"])
def test_client_commands_import_no_server(section: str) -> None:
    """Nor what reads deployment files (the server does that), nor what writes tables before there is one."""
    modules = sorted({place.partition(":")[0] for place, _ in SECTIONS[section].values()})
    program = f"import sys; import {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())

    assert "xds.client" in imported
    rooms = {"admin", "catalog", "control", "discovery", "fleet", "revisions", "server", "slots", "store"}
    assert {
        f"xds.{room}" for room in (*rooms, "translate", "spec.read", "spec.deployment")
    } & imported == set()
    assert {"pydantic", "aiohttp", "yaml", "rich", "structlog", "sqlite3", "xxhash"} & imported == set()


def test_help_is_grouped(run: Run) -> None:
    """What is used daily comes first."""
    text = run("--help").stdout

    assert text.index("Daily:") < text.index("apply") < text.index("Fleet:") < text.index("doctor")
    assert text.index("doctor") < text.index("Setup:") < text.index("serve")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example(run: Run, name: str) -> None:
    """Its help ends with lines to copy."""
    result = run(name, "--help")

    assert result.exit_code == 0
    assert f"canary {name}" in result.stdout.partition("Example")[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_summary_is_the_commands_own(name: str) -> None:
    """The list of commands says what the command's help says first."""
    command = canary.get_command(click.Context(canary), name)

    assert command is not None
    assert (command.help or "").split("\n")[0] == COMMANDS[name][1]
    assert command.name == name


def test_an_unknown_command_is_wrong_usage(run: Run) -> None:
    """Exit 2."""
    assert run("aply").exit_code == 2


def test_it_runs_as_a_module() -> None:
    """`python -m xds.cli.main` is the command where nothing is installed."""
    done = subprocess.run(
        [sys.executable, "-m", "xds.cli.main", "version", "--client"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.startswith("canary ")


def test_completing_a_command_imports_none(run: Run) -> None:
    """A shell that completes names asks while somebody types."""
    words = {"_CANARY_COMPLETE": "bash_complete", "COMP_WORDS": "canary pro", "COMP_CWORD": "1"}

    assert run(**words).stdout == "plain,promote\n"
