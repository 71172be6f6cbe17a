"""`canary completion`: what a shell needs to complete words. Names are in names.py."""

import click
from click.shell_completion import get_completion_class

from xds.cli.failures import Failure
from xds.cli.options import examples

_VARIABLE = "_CANARY_COMPLETE"
"""How click is asked to complete rather than to run."""


@click.command(
    epilog=examples(
        "source <(canary completion bash)    # in ~/.bashrc",
        "source <(canary completion zsh)     # in ~/.zshrc",
        "canary completion fish | source     # in ~/.config/fish/config.fish",
    )
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(*, shell: str) -> None:
    """Print what makes a shell complete commands.

    It completes options, and the names of deployments, builds, gateways and Envoys, which are asked of the
    server (CANARY_SERVER).
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise Failure(f"nothing is known of {shell} (bash, zsh and fish are)")
    click.echo(kind(click.Command("canary"), {}, "canary", _VARIABLE).source())
