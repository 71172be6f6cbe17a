"""What all methods have in common: a request is checked, an error explained, a stream ended in time."""

import functools
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

from google.protobuf.message import Message

from xds.admin.access import Context
from xds.admin.closing import Closing
from xds.admin.failures import explained
from xds.admin.rules import check
from xds.admin.waiting import Waiting
from xds.control.plane import ControlPlane

A = TypeVar("A")
R = TypeVar("R", bound=Message)
S = TypeVar("S", bound="Service")


class Service:
    """A service of the admin API over the control plane."""

    def __init__(self, plane: ControlPlane, closing: Closing) -> None:
        self._plane = plane
        self.closing = closing
        self._waiting = Waiting(plane, closing)


def answer(method: Callable[[S, R, Context], Awaitable[A]]) -> Callable[[S, R, Context], Awaitable[A]]:
    """A method that answers once."""

    @functools.wraps(method)
    async def call(self: S, request: R, context: Context) -> A:
        async with explained(context):
            check(request)
            return await method(self, request, context)
        raise AssertionError("explained() ends the call")

    return call


def answers(
    method: Callable[[S, R, Context], AsyncGenerator[A, Any]],
) -> Callable[[S, R, Context], AsyncIterator[A]]:
    """A method that answers again and again, until the caller goes, or the server stops."""

    @functools.wraps(method)
    async def call(self: S, request: R, context: Context) -> AsyncIterator[A]:
        async with explained(context):
            check(request)
            async with aclosing(method(self, request, context)) as made:
                async for each in self.closing.over(made):
                    yield each

    return call
