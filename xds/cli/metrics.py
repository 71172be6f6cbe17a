"""`canary metrics`: how versions do, as the Envoys tell it."""

import json
from collections.abc import Iterator
from typing import Unpack

import click

from xds.cli import names, options
from xds.cli.metric_shapes import metrics_data
from xds.cli.metric_words import COLUMNS, MORE, row, silence
from xds.cli.output import is_data, print_data, print_names, print_table, print_yaml, warn
from xds.cli.remote import connected
from xds.client import Client
from xds.client.metric_calls import Asked
from xds.stubs import canary_admin_v1_pb2 as pb

_STEPS = 20
"""Bars of a sparkline."""
_STEP = 5.0
"""Seconds of the shortest."""


@click.command(
    epilog=options.examples(
        "canary metrics summarization",
        "canary metrics summarization --watch",
        "canary metrics summarization --version a --span 1h",
        "canary metrics summarization --gateway all -o wide",
        "canary metrics summarization -o json | jq '.versions[].success_rate'",
    )
)
@options.name
@click.option("--version", metavar="LABEL", default="", help="Only this version.")
@click.option(
    "--gateway",
    metavar="NAME",
    default="",
    shell_complete=names.gateways,
    help="Only what this one's Envoys saw; all: each gateway for itself.",
)
@click.option("--revision", metavar="N", type=click.IntRange(min=1), help="Only while this one was in force.")
@options.duration("--span", default="5m", help="Over the last, 5s to 24h.")
@click.option("--source", metavar="NAME", default="", help="Who is asked; without: the Envoys.")
@click.option("--watch", is_flag=True, help="Show it again every few seconds.")
@options.reading
def metrics(  # noqa: PLR0913 (the options)
    *,
    name: str,
    version: str,
    gateway: str,
    revision: int | None,
    span: float,
    source: str,
    watch: bool,
    **asked: Unpack[options.Reading],
) -> None:
    """Show how a deployment's versions do: rate, success, latency, requests in flight.

    ERRORS are 5xx, and gRPC calls that failed by the server's fault. P50 to P99 are of whole answers,
    TTFB of their first bytes: where answers are streamed, they differ. TREND is the rate, and the errors
    behind it, in twenty steps. -o wide has all columns; with --watch -o json prints an object a line.
    """
    output = asked["output"]
    query: Asked = {
        "gateway": "" if gateway == "all" else gateway,
        "by_gateway": gateway == "all",
        "revision": revision or 0,
        "span": span,
        "step": step_of(span),
        "source": source,
    }
    with connected(asked["server"]) as client:
        for found in _answers(client, name, version, query, watch=watch):
            if watch and is_data(output):
                _print_line(found, output)
                continue
            if watch and output != "name":
                click.clear()
            _print(found, output)


def step_of(span: float) -> float:
    """Seconds of a step, so that about twenty make up the span."""
    return max(_STEP, span / _STEPS // _STEP * _STEP)


def _answers(client: Client, name: str, version: str, query: Asked, *, watch: bool) -> Iterator[pb.Metrics]:
    if watch:
        yield from client.watch_metrics(name, version, **query)
    else:
        yield client.metrics(name, version, **query)


def _print(found: pb.Metrics, output: str) -> None:
    if is_data(output):
        print_data(metrics_data(found), output)
        return
    if output == "name":
        print_names(each.version for each in found.versions)
        return
    columns = (*COLUMNS, *MORE) if output == "wide" else COLUMNS
    print_table(
        columns,
        (row(each)[: len(columns)] for each in found.versions),
        optional=("GATEWAY", "TTFB P50", "TTFB P99", "ERRORS TREND", "MEASURED"),
    )
    warn(*silence(found), *found.problems)


def _print_line(found: pb.Metrics, output: str) -> None:
    if output == "json":
        click.echo(json.dumps(metrics_data(found), ensure_ascii=False))
    else:
        click.echo("---")
        print_yaml(metrics_data(found))
