"""Endpoints on the command line: `HOST:PORT`, their weight and zone."""

from collections.abc import Sequence

import click
from click.decorators import FC

from xds.cli import names, options
from xds.stubs import canary_admin_v1_pb2 as pb

_HIGHEST_WEIGHT = 2**32 - 1


def _checked(ctx: click.Context, param: click.Parameter, value: Sequence[str]) -> Sequence[str]:
    for place in value:
        options.as_address(ctx, param, place)
    return value


target = click.argument("target", shell_complete=names.builds)
some = click.argument("where", metavar="HOST:PORT...", nargs=-1, required=True, callback=_checked)
none_or_some = click.argument("where", metavar="[HOST:PORT]...", nargs=-1, callback=_checked)
one = click.argument("place", metavar="HOST:PORT", callback=options.checked_address)

_weight = click.option(
    "--weight",
    metavar="N",
    type=click.IntRange(1, _HIGHEST_WEIGHT),
    default=1,
    show_default=True,
    help="Their share of the build's requests, against the others'.",
)
_zone = click.option("--zone", metavar="NAME", default="", help="Where they are.")


def placing(command: FC) -> FC:
    """Add `--weight` and `--zone`."""
    return _weight(_zone(command))


def messages(places: Sequence[str], weight: int = 0, zone: str = "") -> list[pb.Endpoint]:
    """As the API has them."""
    found = map(options.parse_address, places)
    return [pb.Endpoint(address=host, port=port, weight=weight, zone=zone) for host, port in found]


def text(endpoint: pb.Endpoint) -> str:
    """`10.0.0.11:3000`, `[fd00::1]:3000`."""
    host = f"[{endpoint.address}]" if ":" in endpoint.address else endpoint.address
    return f"{host}:{endpoint.port}"
