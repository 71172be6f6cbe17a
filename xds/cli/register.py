"""`canary endpoints register`: an endpoint that is there for as long as this runs.

Registered again at a third of its time to live, so that two may be lost. A server that restarts is asked
until it is back: it remembers leases, and lets those end that nobody renews.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Unpack

import click

from xds.cli import options, places, times
from xds.cli.output import is_data, print_data, print_names
from xds.cli.remote import connected
from xds.client import CanaryError, Client, NoAnswer
from xds.stubs import canary_admin_v1_pb2 as pb

_RENEWALS = 3
"""Within a time to live."""
_SOON = 1.0
"""Seconds between two tries while the server can't be reached."""


@click.command(
    epilog=options.examples(
        "canary endpoints register summarization:t226 10.0.0.11:3000 --ttl 30s",
        "canary endpoints register summarization@a 10.0.0.11:3000 --once --ttl 5m    # from cron",
    )
)
@places.target
@places.one
@options.duration("--ttl", default="30s", help="For how long it is there unless registered again.")
@places.placing
@click.option("--once", is_flag=True, help="Register once and end; its time to live goes on.")
@options.reading
def register(
    *,
    target: str,
    place: str,
    ttl: float,
    weight: int,
    zone: str,
    once: bool,
    **asked: Unpack[options.Reading],
) -> None:
    """Keep an endpoint registered for as long as this runs.

    It is registered again at a third of its time to live, and taken away when this is interrupted
    (SIGINT, SIGTERM). While the server can't be reached it goes on trying, and says so on stderr.
    """
    (endpoint,) = places.messages([place], weight, zone)
    with connected(asked["server"]) as client:
        lease = Lease(client, target, endpoint, ttl, asked["output"])
        if once:
            lease.begin()
        else:
            with _stopped_by_signals() as stop:
                lease.keep(stop)


class Lease:
    """An endpoint on its way to being there, and staying there."""

    def __init__(self, client: Client, target: str, endpoint: pb.Endpoint, ttl: float, output: str) -> None:
        self._client = client
        self._target = target
        self._endpoint = endpoint
        self._ttl = ttl
        self._output = output
        self._begun = False
        self._trouble = ""

    def begin(self) -> None:
        """Register, and say so the first time."""
        answer = self._client.register(self._target, self._endpoint, ttl=self._ttl)
        if not self._begun:
            self._print(answer)
        self._begun = True

    def keep(self, stop: threading.Event) -> None:
        """Register again and again until it is to stop, then end the lease.

        Raises:
            CanaryError: it was refused before it was ever registered.
        """
        while not stop.is_set():
            stop.wait(self._ttl / _RENEWALS if self._try() else min(_SOON, self._ttl / _RENEWALS))
        if self._begun:
            self._end()

    def _try(self) -> bool:
        begun = self._begun
        try:
            self.begin()
        except CanaryError as error:
            if not self._begun and not isinstance(error, NoAnswer):
                raise
            self._say(f"not registered: {error}; trying again")
            return False
        if self._trouble and begun:
            click.echo(f"{self._name} is registered again", err=True)
        self._trouble = ""
        return True

    def _end(self) -> None:
        try:
            self._client.deregister(self._target, self._endpoint)
        except CanaryError as error:
            left = times.span(self._ttl)
            click.echo(f"{self._name} could not be taken away: {error}; it ends within {left}", err=True)
        else:
            click.echo(f"{self._name} is taken away", err=True)

    def _say(self, trouble: str) -> None:
        """Say what goes wrong, once for each thing that does."""
        if trouble != self._trouble:
            click.echo(f"{self._name} {trouble}", err=True)
        self._trouble = trouble

    @property
    def _name(self) -> str:
        return f"{places.text(self._endpoint)} of '{self._target}'"

    def _print(self, answer: pb.RegisterResponse) -> None:
        if is_data(self._output):
            data = {
                "target": self._target,
                "endpoint": places.text(self._endpoint),
                "created": answer.created,
                "expires_at": answer.expires_at.ToJsonString(),
            }
            print_data(data, self._output)
        elif self._output == "name":
            print_names([places.text(self._endpoint)])
        else:
            done = "registered" if answer.created else "renewed"
            click.echo(f"{self._name} {done} for {times.span(self._ttl)}")


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set, so that what is under way ends in order."""
    stop = threading.Event()

    def set_it(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, set_it) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
