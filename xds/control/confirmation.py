"""Confirmed by the fleet: following a change on its way to the Envoys.

An Envoy has confirmed a change when it has answered all of a push that carries it, and keeps nothing
older in its place. That is remembered: however busy a fleet is with newer changes, an Envoy only has
to answer once. Rejections count when they are of this change: of its clusters at the versions that
they are to have, or of its routes. What an Envoy had refused before, and gets no traffic, does not.
Nor does what it refuses without anybody's knowing whose fault it is: then it is just waited for.

Whoever follows looks when the pulse beats, never at every acknowledgement.
"""

import dataclasses
import enum
import heapq
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from itertools import chain

import structlog

from xds.control.deployments import Deployments
from xds.control.giving import refusals_of_resources
from xds.control.proof import left_out
from xds.control.publisher import Publisher
from xds.control.resource_control import ResourceControl
from xds.control.standing import Standings
from xds.control.state import State
from xds.control.terms import Terms
from xds.discovery.members import Members
from xds.discovery.stream import Stream
from xds.errors import CanaryError
from xds.fleet.convergence import refusals
from xds.fleet.envoys import by_envoy
from xds.revisions.record import Note, Revision

PATIENCE = 30.0
"""Seconds a caller waits who doesn't say for how long."""

ARRIVAL = 5.0
"""Seconds for a first Envoy to turn up: after a restart of the server they take one or two to come back."""

_NAMED = 10
"""Envoys that are named of those that are waited for."""

log = structlog.get_logger(__name__)


class Confirmed(enum.Enum):
    """How a change fared."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    TIMED_OUT = "timed out"
    NO_ENVOY = "no Envoy"
    """None is connected: nobody can confirm it."""
    SUPERSEDED = "superseded"
    """Another change took its place."""


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a change has got with the connected Envoys it concerns.

    Attributes:
        state: the last progress of all has another one than WAITING.
        envoys: how many are connected.
        confirmed: how many of them have it.
        rejections: what an Envoy refuses of it: `<id>: <type> <name>: <text>`.
        waiting_for: the ids of those that have not confirmed it, at most 10.
        undone_by: the revision that undid it; None: it was not undone.
    """

    state: Confirmed
    envoys: int
    confirmed: int
    rejections: tuple[str, ...] = ()
    waiting_for: tuple[str, ...] = ()
    undone_by: int | None = None


@dataclasses.dataclass(frozen=True)
class Wish:
    """When to be content, and for how long to wait.

    Attributes:
        share: of the connected Envoys that is enough; 0.0: all of them.
        patience: seconds.
        undo: the change at the first rejection (for as long as somebody follows it). An abort never.
    """

    share: float = 0.0
    patience: float = PATIENCE
    undo: bool = False


@dataclasses.dataclass(frozen=True)
class _Followed:
    """A change that is followed: which push carries it, whom it concerns, and how to undo it."""

    push: int
    is_out: Callable[[], bool]
    members: Callable[[], Iterable[Members]]
    """The Envoys of each gateway."""
    in_force: Callable[[], bool]
    refusals: Callable[[Stream], Iterable[tuple[str, bool]]]
    """What a peer refuses of it; whether that is known to be its fault."""
    held: Callable[[Stream], bool]
    undo: Callable[[str], Awaitable[int]]


class Confirmation:
    """Follows changes."""

    def __init__(
        self,
        state: State,
        publisher: Publisher,
        standings: Standings,
        deployments: Deployments,
        resources: ResourceControl,
    ) -> None:
        self._state = state
        self._publisher = publisher
        self._standings = standings
        self._deployments = deployments
        self._resources = resources

    async def of_deployment(self, name: str, number: int, wish: Wish) -> AsyncIterator[Progress]:
        """Follow a revision; see `ControlPlane.confirm`."""
        newest = self._state.ever(name)
        revision = newest if number in (0, newest.number) else await self._deployments.revision(name, number)
        push = self._publisher.push_of(name)
        old = self._publisher.refused_before.of_idle(revision)

        def refused(stream: Stream) -> Iterator[tuple[str, bool]]:
            for refusal in refusals(revision, stream, self._publisher.lanes):
                is_old = (stream.node.id, *refusal.key) in old
                if refusal.delays and refusal.is_current(stream) and not is_old:
                    yield refusal.text, refusal.its_own

        async def undo(why: str) -> int:
            return await self._deployments.undo(revision, Terms(revision.note.author, f"undone: {why}"))

        followed = _Followed(
            push=push,
            is_out=lambda: self._publisher.pushes >= push,
            members=lambda: self._members(revision),
            in_force=lambda: self._state.ever(name).number == revision.number,
            refusals=refused,
            held=lambda stream: not {name, left_out(name)}.isdisjoint(self._held(stream)),
            undo=undo,
        )
        if revision.kind == "abort":
            wish = dataclasses.replace(wish, undo=False)
        async for progress in self._follow(followed, wish):
            yield progress

    async def of_resources(self, gateway: str, number: int, wish: Wish) -> AsyncIterator[Progress]:
        """Follow a set of resources; see `ControlPlane.confirm_resources`."""
        recorded = self._resources.get(gateway).given
        if number and (recorded is None or recorded.number != number):
            recorded = await self._resources.at(gateway, number)
        given = recorded.number if recorded is not None else 0
        push = self._publisher.push_of_resources(gateway)
        note = recorded.note if recorded is not None else Note("", 0.0)

        def in_force() -> bool:
            newest = self._state.resources.get(gateway)
            return (newest.number if newest is not None else 0) == given

        async def undo(why: str) -> int:
            terms = Terms(note.author, f"undone: {why}", expected=given, force=True)
            outcome = await self._resources.rollback(gateway, terms, to=given - 1)
            return outcome.standing.given.number if outcome.standing.given is not None else 0

        refusals_of = refusals_of_resources(self._state, gateway, recorded, self._publisher.lanes)
        followed = _Followed(
            push=push,
            is_out=lambda: self._publisher.pushes >= push,
            members=lambda: [self._publisher.hub.members(gateway)],
            in_force=in_force,
            refusals=lambda stream: ((text, True) for text in refusals_of(stream)),
            held=lambda _: False,
            undo=undo,
        )
        async for progress in self._follow(followed, wish):
            yield progress

    async def _follow(self, followed: _Followed, wish: Wish) -> AsyncIterator[Progress]:
        told: Progress | None = None
        async for progress in self._looks(_Looks(followed, wish), wish.patience):
            if progress != told and progress.state is not Confirmed.REJECTED:
                yield progress
            told = progress
            if progress.state is not Confirmed.WAITING:
                break
        if told is not None and told.state is Confirmed.WAITING:
            yield dataclasses.replace(told, state=Confirmed.TIMED_OUT if told.envoys else Confirmed.NO_ENVOY)
        elif told is not None and told.state is Confirmed.REJECTED:
            undone_by = await _undone(followed, told.rejections[0]) if wish.undo else None
            yield dataclasses.replace(told, undone_by=undone_by)

    async def _looks(self, looks: "_Looks", patience: float) -> AsyncIterator[Progress]:
        """What looks show until patience is at its end; sooner where no Envoy turns up."""
        async for progress in self._publisher.pulse.looks(looks.look, min(patience, ARRIVAL)):
            yield progress
        if looks.met_any and patience > ARRIVAL:
            async for progress in self._publisher.pulse.looks(looks.look, patience - ARRIVAL):
                yield progress

    def _members(self, revision: Revision) -> list[Members]:
        """The Envoys that are to have a revision, by gateway."""
        return [self._publisher.hub.members(name) for name in self._standings.gateways(revision.spec)]

    def _held(self, stream: Stream) -> frozenset[str]:
        return self._publisher.hub.target_of(stream).held


class _Looks:
    """Looks again and again; remembers whether it ever went out, and whether anybody came.

    Once it did, whoever is in sync and refuses nothing has it, and is not looked at. Of the others it
    remembers who has confirmed it.
    """

    def __init__(self, followed: _Followed, wish: Wish) -> None:
        self._followed = followed
        self._wish = wish
        self._confirmed: set[tuple[Members, str]] = set()
        self._went_out = False
        self.met_any = False

    def look(self) -> Progress:
        """How it stands."""
        in_force = self._followed.in_force()
        self._went_out |= in_force and self._followed.is_out()
        members = list(self._followed.members())
        count = sum(map(len, members))
        self.met_any |= bool(count)
        lacking, rejections = self._look_at(members) if self._went_out else (_ids(members), [])
        done = count - len(lacking)
        if in_force and any(its_own for _, its_own in rejections):
            state = Confirmed.REJECTED
        elif done >= self._needed(count):
            state = Confirmed.CONFIRMED
        else:
            state = Confirmed.WAITING if in_force else Confirmed.SUPERSEDED
        # Its own come first: the first one is why it is undone.
        said_first = sorted(rejections, key=lambda rejection: not rejection[1])
        texts = tuple(text for text, _ in said_first)
        return Progress(state, count, done, texts, tuple(heapq.nsmallest(_NAMED, lacking)))

    def _look_at(self, members: Iterable[Members]) -> tuple[list[str], list[tuple[str, bool]]]:
        """Who has not confirmed it, and what is refused of it."""
        lacking: list[str] = []
        rejections: list[tuple[str, bool]] = []
        for each in members:
            for streams in by_envoy(each.outstanding()):
                id_ = streams[0].node.id
                if (each, id_) in self._confirmed:
                    continue
                said = list(self._rejections(streams))
                rejections += said
                if not said and all(map(self._has, streams)):
                    self._confirmed.add((each, id_))
                else:
                    lacking.append(id_)
        return lacking, rejections

    def _needed(self, envoys: int) -> int:
        share = self._wish.share or 1.0
        return max(1, math.ceil(round(share * envoys, 6)))

    def _rejections(self, streams: Iterable[Stream]) -> Iterator[tuple[str, bool]]:
        for stream in streams:
            for text, its_own in self._followed.refusals(stream):
                yield f"{stream.node.id}: {text}", its_own

    def _has(self, stream: Stream) -> bool:
        return stream.settled >= self._followed.push and not self._followed.held(stream)


async def _undone(followed: _Followed, why: str) -> int | None:
    """Undo a change; returns what undid it, if anything could."""
    try:
        return await followed.undo(why)
    except CanaryError as error:
        log.warning("not undone", error=str(error))
        return None


def _ids(members: Iterable[Members]) -> list[str]:
    """All of them."""
    return list(chain.from_iterable(each.ids_after(None) for each in members))
