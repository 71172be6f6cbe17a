"""The entry point: which commands there are, and nothing else.

A command's module is imported when the command is used, and its one-line summary is kept here, so that
`canary --help` needs nothing but click, and no client command ever imports the server.
"""

import importlib
import os
from collections.abc import Mapping

import click
from click.shell_completion import CompletionItem

from xds import __version__
from xds.cli.failures import Failure, Faulty
from xds.errors import CanaryError, InvalidInput

SECTIONS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "Daily": {
        "apply": ("xds.cli.apply:apply", "Apply deployment files: all of them, or none."),
        "create": ("xds.cli.apply:create", "Make deployments that aren't there yet: all of them, or none."),
        "update": ("xds.cli.apply:update", "Change deployments in the keys given, and only these."),
        "get": ("xds.cli.get:get", "Show a deployment: its split, builds and endpoints."),
        "list": ("xds.cli.get:list_", "Show all deployments, one a line."),
        "status": ("xds.cli.status:status", "Show how a deployment is doing, and what to do next."),
        "metrics": (
            "xds.cli.metrics:metrics",
            "Show how a deployment's versions do: rate, success, latency, requests in flight.",
        ),
        "delete": ("xds.cli.change:delete", "Take a deployment out of service."),
        "undelete": ("xds.cli.change:undelete", "Bring a deleted deployment back as it was."),
        "set-weight": ("xds.cli.change:set_weight", "Change who gets which version."),
        "promote": ("xds.cli.change:promote", "Make a canary main, with all traffic."),
        "abort": ("xds.cli.change:abort", "Put all traffic on main. Always works."),
        "rollback": ("xds.cli.change:rollback", "Return to the revision before."),
        "history": ("xds.cli.get:history", "Show a deployment's revisions, newest first."),
        "diff": ("xds.cli.diff:diff", "Show what differs: exits with 1 if anything does."),
        "explain": ("xds.cli.explain:explain", "Say which version a request gets, and why."),
        "simulate": (
            "xds.cli.explain:simulate",
            "Say how many users applying files would move, from where to where.",
        ),
        "watch": ("xds.cli.watch:watch", "Show deployments as they are, then each when it changes."),
        "wait": ("xds.cli.watch:wait", "Wait until something is so."),
        "test": ("xds.cli.probe:test", "Send a request through a real Envoy, to a version."),
    },
    "Fleet": {
        "fleet": ("xds.cli.fleet:fleet", "Show the Envoys that are connected, and how far each has got."),
        "endpoints": ("xds.cli.endpoints:endpoints", "Show where builds run, or change it."),
        "gateways": ("xds.cli.gateways:gateways", "Show gateways, or return one to what it was."),
        "resources": ("xds.cli.resources:resources", "Show or set Envoy resources of your own."),
        "doctor": ("xds.cli.doctor:doctor", "Look for what is wrong: exits with 1 if anything is."),
        "audit": ("xds.cli.audit:audit", "Show who changed what, newest first."),
    },
    "Setup": {
        "serve": ("xds.cli.serve:serve", "Run the control plane."),
        "bootstrap": ("xds.cli.bootstrap:bootstrap", "Write the file an Envoy starts with."),
        "token": ("xds.cli.token:token", "Make a token for callers of the admin API."),
        "lint": ("xds.cli.lint:lint", "Check deployment files without a server."),
        "translate": ("xds.cli.translate:translate", "Show the Envoy resources of deployment files."),
        "schema": ("xds.cli.schema:schema", "Print the JSON Schema of deployment files."),
        "backup": ("xds.cli.backup:backup", "Copy the store to a file, while its server runs or not."),
        "restore": (
            "xds.cli.backup:restore",
            "Put a backup in the store's place; its server must be stopped.",
        ),
        "completion": ("xds.cli.completion:completion", "Print what makes a shell complete commands."),
        "version": ("xds.cli.version:version", "Print the versions of this command and of the server."),
    },
}
"""By section and name: where the command is, and what it does in a line."""

COMMANDS = {name: command for section in SECTIONS.values() for name, command in section.items()}


class Commands(click.Group):
    """A group that knows its commands by name and imports each on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """List the names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click's signature)
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 (the table above is wrong otherwise)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (click's signature)
        """Write the summaries by section, without importing anything."""
        for title, commands in SECTIONS.items():
            if commands:
                with formatter.section(title):
                    formatter.write_dl([(name, summary) for name, (_, summary) in commands.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the names, without importing anything; what comes after them is the command's."""
        names = [name for name in COMMANDS if name.startswith(incomplete)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(CompletionItem(name, help=COMMANDS[name][1]) for name in names), *options]

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what Canary raises on purpose ends it with a message, not a traceback."""
        try:
            return super().invoke(ctx)
        except InvalidInput as error:
            raise Faulty(error.faults) from error
        except CanaryError as error:
            raise Failure(str(error)) from error


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: canary apply -f deployments/ && canary list",
)
@click.version_option(__version__, prog_name="canary", message="%(prog)s %(version)s")
def canary() -> None:
    """Canary deployments on a fleet of Envoys: split, shift, roll back."""


def main() -> None:
    """Run the command line."""
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # each failed handshake would be a line on stderr
    canary(prog_name="canary")


if __name__ == "__main__":
    main()
