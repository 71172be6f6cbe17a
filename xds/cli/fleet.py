"""`canary fleet`: the Envoys that are connected, and how far each has got."""

import json
from collections.abc import Iterable, Sequence
from typing import Unpack

import click

from xds.cli import names, options, times
from xds.cli.fleet_shapes import envoy_data
from xds.cli.output import is_data, print_data, print_facts, print_names, print_table, print_yaml
from xds.cli.remote import connected, watching
from xds.cli.shapes import Data
from xds.client import Client
from xds.stubs import canary_admin_v1_pb2 as pb

_SYNCED = "synced"
_WORST_FIRST = ("refused", "waiting", "sent", "unknown")


@click.command(
    epilog=options.examples(
        "canary fleet",
        "canary fleet --gateway internal --watch",
        "canary fleet edge-1             # what it waits for, and what it refuses and why",
        "canary fleet edge-1 -o wide     # all its resources",
    )
)
@click.argument("node", required=False, shell_complete=names.nodes)
@click.option("--gateway", metavar="NAME", default="", help="Only the Envoys of this gateway.")
@click.option("--watch", is_flag=True, help="Show it again whenever something changes.")
@options.reading
def fleet(*, node: str | None, gateway: str, watch: bool, **asked: Unpack[options.Reading]) -> None:
    """Show the Envoys that are connected, and how far each has got.

    With NODE (its node.id): that one, with what it waits for and what it refuses; -o wide and -o json
    show all its resources. --watch ends when interrupted; -o json then prints an object a line.
    """
    if node is not None and gateway:
        raise click.UsageError("NODE names one Envoy, --gateway several; give one of them.")
    with (watching if watch else connected)(asked["server"]) as client:
        if watch and node is not None:
            _watch_one(client, node, asked["output"])
        elif watch:
            _watch_all(client, gateway, asked["output"])
        elif node is not None:
            _print_one(client.envoy(node), asked["output"])
        else:
            _print_all(list(client.fleet(gateway)), gateway, asked["output"])


def state(envoy: pb.Envoy) -> str:
    """`in sync`, or what is not: `1 rejected, 2 waiting`."""
    parts = (("rejected", envoy.rejected or len(envoy.rejections)), ("waiting", envoy.waiting))
    said = [f"{count} {what}" for what, count in parts if count]
    return ", ".join(said) or ("in sync" if envoy.in_sync else "not in sync")


def _watch_all(client: Client, gateway: str, output: str) -> None:
    envoys: dict[str, pb.Envoy] = {}
    current = False
    for event in client.watch_fleet(gateway):
        match event.WhichOneof("event"):
            case "envoy":
                envoys[event.envoy.id] = event.envoy
            case "gone":
                envoys.pop(event.gone, None)
            case _:
                current = True
        if is_data(output) or output == "name":
            _print_event(event, output)
        elif current:
            click.clear()
            _print_all(sorted(envoys.values(), key=lambda envoy: (envoy.gateway, envoy.id)), gateway, output)


def _watch_one(client: Client, node: str, output: str) -> None:
    client.envoy(node)
    for event in client.watch_fleet():
        if event.envoy.id == node:
            envoy = client.envoy(node)
            if is_data(output):
                _print_line(envoy_data(envoy), output)
            else:
                click.clear()
                _print_one(envoy, output)
        elif event.gone == node:
            _print_event(event, output)


def _print_event(event: pb.WatchEnvoysResponse, output: str) -> None:
    match event.WhichOneof("event"):
        case "envoy" if is_data(output):
            _print_line(envoy_data(event.envoy), output)
        case "envoy":
            print_names([event.envoy.id])
        case "gone" if is_data(output):
            _print_line({"id": event.gone, "gone": True}, output)
        case "gone":
            click.echo(f"{event.gone} left (it is not connected any more)", err=True)
        case _:
            pass


def _print_line(data: Data, output: str) -> None:
    if output == "json":
        click.echo(json.dumps(data, ensure_ascii=False))
    else:
        click.echo("---")
        print_yaml(data)


def _print_all(envoys: Sequence[pb.Envoy], gateway: str, output: str) -> None:
    if is_data(output):
        print_data(list(map(envoy_data, envoys)), output)
    elif output == "name":
        print_names(envoy.id for envoy in envoys)
    elif envoys:
        _print_table(envoys, wide=output == "wide")
    else:
        of = f" of gateway {gateway}" if gateway else ""
        click.echo(f"no Envoy{of} is connected (canary bootstrap writes the file one starts with)", err=True)


def _print_table(envoys: Iterable[pb.Envoy], *, wide: bool) -> None:
    more = ("CLUSTER", "DIALECT", "REJECTIONS") if wide else ()
    print_table(
        ("GATEWAY", "ENVOY", "VERSION", "ADDRESS", "CONNECTED", "APPLIED", "STATE", *more),
        (
            (
                envoy.gateway,
                envoy.id,
                envoy.version,
                envoy.address,
                times.exact(envoy.connected_at) if wide else times.ago(envoy.connected_at),
                str(envoy.applied),
                state(envoy),
                *((envoy.cluster, envoy.dialect, "; ".join(envoy.rejections)) if wide else ()),
            )
            for envoy in envoys
        ),
    )


def _print_one(envoy: pb.Envoy, output: str) -> None:
    if is_data(output):
        print_data(envoy_data(envoy), output)
        return
    if output == "name":
        print_names([envoy.id])
        return
    print_facts(
        [
            ("Envoy", envoy.id),
            ("Gateway", envoy.gateway),
            ("Version", envoy.version or "unknown"),
            ("Address", envoy.address),
            ("Connected", f"{times.ago(envoy.connected_at)} ({envoy.dialect})"),
            ("State", f"{state(envoy)}; {envoy.applied} applied"),
        ]
    )
    shown = [each for each in envoy.resources if output == "wide" or each.state != _SYNCED]
    if shown:
        click.echo()
        _print_resources(shown, wide=output == "wide")
    elif envoy.resources:
        click.echo(
            f"\nall of its {len(envoy.resources)} resources are as they are to be (-o wide lists them)"
        )


def _print_resources(resources: Iterable[pb.ResourceState], *, wide: bool) -> None:
    more = ("APPLIED", "WANTED") if wide else ()
    print_table(
        ("STATE", "TYPE", "NAME", *more, "SAID"),
        (
            (each.state, each.type, each.name, *((each.applied, each.wanted) if wide else ()), each.text)
            for each in sorted(resources, key=_badness)
        ),
    )


def _badness(resource: pb.ResourceState) -> tuple[int, str, str]:
    rank = _WORST_FIRST.index(resource.state) if resource.state in _WORST_FIRST else len(_WORST_FIRST)
    return rank, resource.type, resource.name
