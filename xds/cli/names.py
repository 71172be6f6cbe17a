"""Names that only the server knows, for a shell that completes words.

Completing is guessing while somebody types: it takes a second at most, and is silent where it doesn't work.
"""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from xds.client import Client

_PATIENCE = 1.0
"""Seconds."""
_MOST = 1000
"""Names; more are no help to anybody."""

Completer = Callable[[click.Context, click.Parameter, str], list[str]]


def _completer(ask: "Callable[[Client], Iterable[str]]") -> Completer:
    def complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
        from xds.client import CanaryError, Client  # noqa: PLC0415 (only while somebody presses Tab)

        server = ctx.params.get("server")
        try:
            with Client(server, timeout=_PATIENCE, retry=0.0) as client:
                found = islice(ask(client), _MOST)
                return [name for name in found if name.startswith(incomplete)]
        except CanaryError:
            return []

    return complete


deployments = _completer(lambda client: (each.name for each in client.list()))
gateways = _completer(lambda client: (each.name for each in client.gateways()))
nodes = _completer(lambda client: (each.id for each in client.fleet()))
builds = _completer(lambda client: (each.build for each in client.endpoints()))
