"""docs/cli.md is what the commands say of themselves."""

import pytest

from protos import commands
from xds.cli.main import COMMANDS


def test_the_page_is_as_the_commands_are() -> None:
    """`make docs` writes it anew."""
    assert commands.TARGET.read_text(encoding="utf-8") == commands.reference()


@pytest.mark.parametrize("name", [*COMMANDS, "endpoints register", "gateways rollback", "resources set"])
def test_every_command_is_on_it(name: str) -> None:
    """Verbs of a command as well, each with an example."""
    _, _, rest = commands.TARGET.read_text(encoding="utf-8").partition(f"# canary {name}\n")

    own = rest.partition("\n##")[0]
    assert "```sh" in own
    assert f"canary {name}" in own
