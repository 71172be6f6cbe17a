"""A command with verbs of its own, whose bare form shows: `canary endpoints`, `canary endpoints add ...`."""

import click
from click.shell_completion import CompletionItem


class Verbs(click.Group):
    """A group that takes `NAME [ARGS]` as `NAME SHOWING [ARGS]` where the first of them is no verb.

    Attributes:
        showing: the verb that is meant then.
    """

    showing: str = "show"

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """List the verbs in the order they were written in."""
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put in the verb that was left out."""
        if not args and ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        first = args[0] if args else ""
        if first in ctx.help_option_names or first in self.commands:
            return super().parse_args(ctx, args)
        verb = next((each for each in args if each in self.commands), None)
        if verb is not None and not ctx.resilient_parsing:
            raise click.UsageError(f"Write the verb first: {ctx.command_path} {verb} ...", ctx)
        return super().parse_args(ctx, [self.showing, *args])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete verbs, and what may stand there instead of one."""
        meant = self.commands[self.showing].params
        names = [param for param in meant if isinstance(param, click.Argument)][:1]
        return [
            *super().shell_complete(ctx, incomplete),
            *(item for param in names for item in param.shell_complete(ctx, incomplete)),
        ]
