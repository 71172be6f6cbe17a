"""Endpoints as they stand, and what a verb did to them."""

import dataclasses
import time

from xds.control.endpoint_book import WHOLE, EndpointBook, title
from xds.control.endpoint_targets import versions
from xds.control.state import State
from xds.spec.endpoints import Endpoint


@dataclasses.dataclass(frozen=True)
class EndpointStanding:
    """An endpoint as it stands.

    Attributes:
        sources: whose lists it is on, as people are told; of a drained one there may be none now.
        unhealthy: why it counts as unhealthy; "" where it doesn't.
        expires_at: when its lease ends unless renewed (epoch seconds); None where it has none.
    """

    endpoint: Endpoint
    sources: tuple[str, ...]
    drained: bool
    unhealthy: str = ""
    expires_at: float | None = dataclasses.field(default=None, compare=False)


@dataclasses.dataclass(frozen=True)
class BuildStanding:
    """A build's endpoints as they stand.

    Attributes:
        ref: the build.
        versions: those that run it, as `<deployment>@<label>`.
        usable: how many get requests.
        drained: the whole build is.
    """

    ref: str
    versions: tuple[str, ...]
    endpoints: tuple[EndpointStanding, ...]
    usable: int
    drained: bool


@dataclasses.dataclass(frozen=True)
class EndpointOutcome:
    """What a verb did to a build's endpoints; with `dry_run`, what it would do.

    Attributes:
        deployments: those it concerns.
        notes: what the caller should know besides.
    """

    build: BuildStanding
    changed: bool
    deployments: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Registration:
    """A lease.

    Attributes:
        expires_at: when it ends unless renewed (epoch seconds).
        created: False where it was renewed.
    """

    ref: str
    expires_at: float
    created: bool


@dataclasses.dataclass(frozen=True)
class SourceStanding:
    """A source that is polled, as it stands.

    Attributes:
        problem: what is wrong with it, and still is; its last good list stays. "" for nothing.
        read_at: when it was read last without a problem (epoch seconds).
        endpoints: how many it lists, for all builds together.
        present: it may still have an answer; else its lists make way for those of others.
    """

    name: str
    problem: str
    read_at: float | None
    endpoints: int
    present: bool = True


def standing(state: State, ref: str, book: EndpointBook | None = None) -> BuildStanding:
    """How a build's endpoints stand, in the book in force or (what would be) in another."""
    book = book or state.book
    return BuildStanding(
        ref,
        versions(state, ref),
        tuple(
            EndpointStanding(
                each.endpoint,
                tuple(map(title, each.sources)),
                each.drained,
                _problem(state, ref, str(each.endpoint)),
                None if each.due is None else epoch(state, each.due),
            )
            for each in book.known(ref)
        ),
        len(book.usable.get(ref, ())),
        book.is_drained(ref, WHOLE),
    )


def _problem(state: State, ref: str, where: str) -> str:
    """What the server's own checks say of an endpoint, if they say anything."""
    said = (state.health.problem(name, ref, where) for name in sorted(state.users_of(ref)))
    return next(filter(None, said), "")


def epoch(state: State, due: float) -> float:
    """A time of the book's clock in seconds since the epoch."""
    return time.time() + due - state.clock()
