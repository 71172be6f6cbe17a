"""`canary doctor`: a look at everything that can be wrong, and what to do about it. See checks.py."""

import time
from collections.abc import Iterable, Sequence
from typing import Unpack

import click

from xds.cli import options, times
from xds.cli.checks import Finding, Level, Seen, findings, no_answer
from xds.cli.failures import Failure
from xds.cli.output import is_data, print_data, print_names, print_table
from xds.cli.remote import connected
from xds.client import Client
from xds.stubs import canary_admin_v1_pb2 as pb

PATIENCE = 3.0
"""Seconds that an Envoy may take for what is on its way to it."""
_PAUSE = 0.2


@click.command(
    epilog=options.examples("canary doctor", "canary doctor -o json | jq '.[] | select(.level != \"ok\")'")
)
@options.reading
@click.pass_context
def doctor(ctx: click.Context, **asked: Unpack[options.Reading]) -> None:
    """Look for what is wrong: exits with 1 if anything is.

    A line for each check, with what to do: the server and its version, access, clocks, Envoys that are
    missing or were turned away, what they reject or wait for, what they are too old for, deployments
    without gateway or endpoints or other than their files, and sources of endpoints. Warnings don't count.
    """
    try:
        with connected(asked["server"]) as client:
            found = findings(_look(client))
    except Failure as error:
        found = [no_answer(error.message)]
    _print(found, asked["output"])
    if any(finding.level is Level.PROBLEM for finding in found):
        ctx.exit(1)


def _look(client: Client) -> Seen:
    client.server_info()  # so that connecting isn't taken for a difference of the clocks
    before = times.now()
    server = client.server_info()
    after = times.now()
    envoys, stuck = _settled(client)
    return Seen(
        address=client.server,
        server=server,
        ahead=server.now.ToNanoseconds() / 1e9 - (before + after) / 2,
        unsure=(after - before) / 2,
        envoys=envoys,
        stuck=stuck,
        gateways=list(client.gateways()),
        deployments=list(client.list()),
    )


def _settled(client: Client) -> tuple[Sequence[pb.Envoy], frozenset[str]]:
    """The Envoys, and which of them wait the whole time: what is on its way may arrive meanwhile."""
    envoys = list(client.fleet())
    stuck = _waiting(envoys)
    end = time.monotonic() + PATIENCE
    while stuck and time.monotonic() < end:
        time.sleep(_PAUSE)
        envoys = list(client.fleet())
        stuck &= _waiting(envoys)
    return envoys, stuck


def _waiting(envoys: Iterable[pb.Envoy]) -> frozenset[str]:
    return frozenset(envoy.id for envoy in envoys if envoy.waiting)


def _print(found: Sequence[Finding], output: str) -> None:
    if is_data(output):
        data = [
            {
                "check": finding.check,
                "level": finding.level.value,
                "text": finding.text,
                "mend": finding.mend or None,
            }
            for finding in found
        ]
        print_data(data, output)
    elif output == "name":
        print_names(dict.fromkeys(finding.check for finding in found if finding.level is not Level.OK))
    else:
        print_table(
            ("CHECK", "RESULT", "FOUND"),
            ((finding.check, finding.level.value, _sentence(finding)) for finding in found),
        )


def _sentence(finding: Finding) -> str:
    return f"{finding.text} ({finding.mend})" if finding.mend else finding.text
