"""`canary wait NAME --for drained=VERSION`: may those machines be stopped now?"""

import sys

import click

from xds.cli import options
from xds.cli.failures import NoAnswer
from xds.cli.metric_shapes import drain_data
from xds.cli.output import is_data, print_data, printable
from xds.cli.remote import connected
from xds.stubs import canary_admin_v1_pb2 as pb

_STATES = pb.Confirmation.State


def wait_drained(name: str, version: str, timeout: float, asked: options.Reading) -> None:
    """Wait, saying on a terminal what is waited for.

    Raises:
        Failure: it didn't come to that; with the exit code for why.
    """
    last = pb.Drain(state=_STATES.TIMED_OUT)
    with connected(asked["server"]) as client:
        for last in client.draining(name, version, timeout):
            if sys.stderr.isatty() and last.state == _STATES.WAITING:
                click.echo(printable(f"waiting: {'; '.join(last.reasons) or 'for an Envoy'}"), err=True)
    if is_data(asked["output"]):
        print_data(drain_data(last), asked["output"])
    if last.state != _STATES.CONFIRMED:
        raise NoAnswer(_why(name, version, last))
    reached = f"{last.reported} of {last.envoys} Envoys"
    click.echo(
        f"{version} of {name} ({last.build}) is drained: nothing is in flight, say {reached}", err=True
    )


def _why(name: str, version: str, last: pb.Drain) -> str:
    if last.state == _STATES.NO_ENVOY:
        return "no Envoy is connected that could say what is in flight (`canary fleet` shows who is)"
    reasons = "; ".join(last.reasons) or "nobody said so"
    return (
        f"{version} of {name} is not drained in time: {reasons} (`canary metrics {name}` shows its requests)"
    )
