"""Writes that the server answers once, when the Envoys have confirmed them: endpoints and raw resources."""

from collections.abc import Callable
from typing import TypeVar

from google.protobuf.message import Message

from xds.client import NotConfirmed

A = TypeVar("A", bound=Message)


def made(write: Callable[[], A], kind: type[A]) -> A:
    """The answer of a write, also where the Envoys did not confirm it; its confirmations say so."""
    try:
        return write()
    except NotConfirmed as error:
        if not isinstance(error.answer, kind):
            raise
        return error.answer
