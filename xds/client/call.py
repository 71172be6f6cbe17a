"""What a verb sends and how its answer is read, before anybody carries it anywhere.

A call knows nothing of channels: bytes go out, bytes come in, and `read` makes the answer of them. So
one function for each verb serves threads and asyncio alike.
"""

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

A = TypeVar("A")
M = TypeVar("M", bound=Message)


@dataclasses.dataclass(frozen=True)
class Call(Generic[A]):
    """One request, and what its answer means.

    Attributes:
        method: `Service/Method` of canary.admin.v1.
        request: what is sent.
        read: the answer, of its bytes; may raise, where the answer is that it didn't work.
        patience: seconds the server may wait for Envoys before it answers.
    """

    method: str
    request: Message
    read: Callable[[bytes], A]
    patience: float = 0.0

    @property
    def path(self) -> str:
        """As gRPC wants it."""
        return f"/canary.admin.v1.{self.method}"


@dataclasses.dataclass(frozen=True)
class Page(Generic[A]):
    """A part of a listing; `after` is the token of the next one, "" on the last."""

    items: Sequence[A]
    after: str


@dataclasses.dataclass(frozen=True)
class Pages(Generic[A]):
    """A listing: the call for the page that a token names, "" for the first."""

    page: Callable[[str], Call[Page[A]]]


@dataclasses.dataclass(frozen=True)
class Stream(Generic[A]):
    """A request that is answered again and again; `patience` in seconds, None: for as long as it takes."""

    method: str
    request: Message
    read: Callable[[bytes], A]
    patience: float | None = None

    @property
    def path(self) -> str:
        """As gRPC wants it."""
        return f"/canary.admin.v1.{self.method}"


def simple(method: str, request: Message, answer: type[M]) -> Call[M]:
    """A call whose answer is taken as it is."""
    return Call(method, request, answer.FromString)


def speak_for(method: Callable[..., Any], build: Callable[..., Any]) -> None:
    """Give a client's method the name, the words and the parameters of the function that makes its call."""
    said = inspect.signature(build)
    me = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    method.__signature__ = said.replace(parameters=[me, *said.parameters.values()])  # type: ignore[attr-defined]  # of functions
    method.__doc__ = build.__doc__
    method.__name__ = build.__name__
