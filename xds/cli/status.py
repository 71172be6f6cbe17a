"""`canary status`: the one screen for trouble.

Who gets what, whether it can be served, whether the Envoys have it, who changed it last, and what to
type next.
"""

from typing import Unpack

import click

from xds.cli import advice, metric_words, options, shapes, words
from xds.cli.metric_shapes import version_data
from xds.cli.output import is_data, print_data, print_facts, print_names, print_table
from xds.cli.remote import connected, watching
from xds.client import CanaryError, Client
from xds.stubs import canary_admin_v1_pb2 as pb

_SPAN = 60.0
"""Seconds that RATE and ERRORS are of."""


@click.command(epilog=options.examples("canary status summarization", "canary status summarization --watch"))
@options.name
@click.option("--watch", is_flag=True, help="Show it again whenever something changes.")
@options.reading
def status(*, name: str, watch: bool, **asked: Unpack[options.Reading]) -> None:
    """Show how a deployment is doing, and what to do next.

    ASKED is the split as it was asked for, NOW what users get: a version that waits for endpoints lends its
    share to main. ENDPOINTS are those that can be used, of those known. RATE and ERRORS are of the last
    minute, where Envoys report them; `canary metrics` has more.
    """
    with (watching if watch else connected)(asked["server"]) as client:
        if not watch:
            _print(client.get(name), _measured(client, name), asked["output"])
            return
        for event in client.watch(name):
            if event.WhichOneof("event") != "current":
                click.clear()
            match event.WhichOneof("event"):
                case "deployment":
                    _print(event.deployment, _measured(client, name), asked["output"])
                case "deleted":
                    click.echo(
                        f"{event.deleted} was deleted (canary undelete {event.deleted} brings it back)"
                    )
                case _:
                    pass


def _measured(client: Client, name: str) -> dict[str, pb.VersionMetrics]:
    """What there is about each version; in trouble the rest is shown all the same."""
    try:
        return {each.version: each for each in client.metrics(name, span=_SPAN).versions}
    except CanaryError:
        return {}


def _print(deployment: pb.Deployment, measured: dict[str, pb.VersionMetrics], output: str) -> None:
    if is_data(output):
        print_data(
            {
                **shapes.deployment_data(deployment),
                "metrics": {label: version_data(each) for label, each in measured.items()},
                "next": advice.next_command(deployment),
            },
            output,
        )
    elif output == "name":
        print_names([deployment.name])
    else:
        print_facts(words.facts(deployment))
        click.echo()
        print_table(
            ("VERSION", "ASKED", "NOW", "RATE", "ERRORS", "ENDPOINTS", "BUILD", "STATE"),
            (
                (
                    version.label,
                    words.percent(version.weight),
                    words.percent(version.effective_weight),
                    *metric_words.summary(measured.get(version.label, pb.VersionMetrics())),
                    words.usable(version),
                    version.build,
                    words.state(version),
                )
                for version in deployment.versions
            ),
            optional=("RATE", "ERRORS"),
        )
        click.echo()
        print_facts([("Next", advice.next_command(deployment))])
