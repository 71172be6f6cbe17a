"""A deployment as it stands, and what a verb did to it."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from xds.control.endpoint_book import EndpointBook
from xds.control.intake import EndpointChange, digest_of_spec
from xds.control.publisher import Publisher
from xds.control.state import State, usable_of
from xds.control.troubles import Troubles
from xds.control.verdicts import Verdicts
from xds.discovery.request import Node
from xds.fleet.convergence import Convergence, Picture
from xds.fleet.limits import limited
from xds.revisions.guard import guard
from xds.revisions.history import returnable
from xds.revisions.moves import moves
from xds.revisions.record import Revision
from xds.spec.deployment import Deployment
from xds.spec.endpoints import Endpoint


@dataclasses.dataclass(frozen=True)
class Standing:
    """A deployment as it stands: what is in force, where it runs, who has it.

    Attributes:
        revision: the one in force, or its deletion.
        endpoints: those that can be used, by build ref.
        known: how many there are, drained ones too, by build ref.
        lending: the builds, by key, whose slots `main` serves.
        unhealthy: the builds with endpoints none of which is healthy, `main` too, by ref: why.
        notes: what its owner should know besides.
    """

    revision: Revision
    endpoints: Mapping[str, tuple[Endpoint, ...]]
    convergence: Convergence
    notes: tuple[str, ...] = ()
    known: Mapping[str, int] = dataclasses.field(default_factory=dict)
    lending: frozenset[str] = frozenset()
    unhealthy: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def deleted(self) -> bool:
        """Whether the newest revision is its deletion."""
        return self.revision.kind == "delete"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a verb did to a deployment; with `dry_run`, what it would do.

    Attributes:
        standing: after it.
        changed: False where what was asked for was in force already.
        previous: what was in force before (a deletion, if it was deleted); None: nothing ever.
        moved: percent of the users that get another version.
    """

    standing: Standing
    changed: bool
    previous: Revision | None = None
    moved: float = 0.0


@dataclasses.dataclass(frozen=True)
class Applied:
    """What became of documents: of each deployment, and of each build whose endpoints they list."""

    outcomes: list[Outcome]
    endpoints: tuple[EndpointChange, ...]


@dataclasses.dataclass(frozen=True)
class Past:
    """A revision in the history.

    Attributes:
        not_returnable: why it can't be returned to now; "" where it can.
    """

    revision: Revision
    not_returnable: str = ""


class Standings:
    """How deployments stand, made from what is in force and what the streams say."""

    def __init__(self, state: State, publisher: Publisher, troubles: Troubles, verdicts: Verdicts) -> None:
        self._state = state
        self._troubles = troubles
        self._publisher = publisher
        self._verdicts = verdicts
        self._digests: dict[str, tuple[Revision, str]] = {}

    def of(self, revision: Revision) -> Standing:
        """How a deployment stands (or would stand) at a revision."""
        return self.of_all([revision])[0]

    def of_all(
        self, revisions: Iterable[Revision], coming: Mapping[str, EndpointBook] = MappingProxyType({})
    ) -> list[Standing]:
        """How deployments stand; the Envoys are looked at once for all.

        Args:
            revisions: of each, the one it stands (or would stand) at.
            coming: books to look builds up in, by ref, rather than in what is in force.
        """
        pictures: dict[tuple[str, ...] | None, Picture] = {}
        standings = []
        for revision in revisions:
            gateways = revision.spec.gateways
            if gateways not in pictures:
                publisher = self._publisher
                pictures[gateways] = Picture(
                    publisher.hub, self.gateways(revision.spec), publisher.lanes, pending=publisher.pending
                )
            standings.append(self._standing(revision, pictures[gateways].convergence(revision), coming))
        return standings

    def _standing(
        self, revision: Revision, reached: Convergence, coming: Mapping[str, EndpointBook]
    ) -> Standing:
        books = {ref: coming.get(ref, self._state.book) for ref in revision.builds.values()}
        endpoints = {ref: book.usable.get(ref, ()) for ref, book in books.items()}
        return Standing(
            revision=revision,
            endpoints=endpoints,
            convergence=reached,
            notes=tuple(self._notes(revision)),
            known={ref: len(book.union.get(ref, ())) for ref, book in books.items()},
            lending=self._state.lending(revision, endpoints),
            unhealthy=self._verdicts.of(revision),
        )

    def objections(self, before: Revision, after: Revision) -> list[str]:
        """What speaks against a revision, a sentence each: builds that would get users and can't serve."""
        return guard(before, after, usable_of(self._state, after), self._down(before, after))

    def not_returnable(self, revision: Revision, newest: Revision) -> str:
        """Why a deployment can't be rolled back to a revision now; "" where it can."""
        return returnable(revision, newest, usable_of(self._state, revision), self._down(newest, revision))

    def _down(self, before: Revision, after: Revision) -> dict[str, str]:
        return self._verdicts.of(before) | self._verdicts.of(after)

    def outcome(self, revision: Revision, previous: Revision | None, *, changed: bool) -> Outcome:
        """What came of a verb that brought, or left, this revision."""
        return self.outcomes([(revision, previous, changed)])[0]

    def outcomes(
        self,
        made: Sequence[tuple[Revision, Revision | None, bool]],
        coming: Mapping[str, EndpointBook] = MappingProxyType({}),
    ) -> list[Outcome]:
        """The same of several.

        Args:
            made: of each the revision, what was in force before, and whether that changed anything.
            coming: see of_all.
        """
        standings = self.of_all((revision for revision, _, _ in made), coming)
        return [
            Outcome(standing, changed, previous, moved_percent(previous, revision))
            for standing, (revision, previous, changed) in zip(standings, made, strict=True)
        ]

    def gateways(self, spec: Deployment) -> tuple[str, ...]:
        """The gateways that are to serve a deployment."""
        return spec.gateways or tuple(self._state.gateways)

    def limited(self, spec: Deployment) -> Iterator[Node]:
        """The Envoys that are to serve a deployment, and can't do all that it says."""
        return limited(spec, self._publisher.hub, self.gateways(spec))

    def _notes(self, revision: Revision) -> Iterator[str]:
        spec = revision.spec
        if revision.kind != "delete":
            yield from self._troubles.notes(revision)
        if self._state.has_no_gateway(spec):
            yield f"no gateway serves it (its gateways: {', '.join(spec.gateways or ())})"
        file, applied = self._state.governing(spec.name)
        if file and revision.kind != "delete" and applied != self._digest(revision):
            said = f"revision {revision.number} ({revision.kind} by {revision.note.author})"
            yield f"{file} says otherwise than {said}"

    def _digest(self, revision: Revision) -> str:
        """Of a revision's spec; that of the newest one asked for is remembered."""
        known = self._digests.get(revision.deployment)
        if known is None or known[0] is not revision:
            known = self._digests[revision.deployment] = revision, digest_of_spec(revision.spec)
        return known[1]


def moved_percent(before: Revision | None, after: Revision) -> float:
    """Percent of the users that get another version; 0 where there was, or is, none to compare with."""
    if before is None or "delete" in (before.kind, after.kind):
        return 0.0
    return moves(before, after).moved


def said_shares(revisions: Iterable[Revision]) -> str:
    """What came of a write, in a few words: `revision 4: main 80 %, a 20 %`."""
    return "; ".join(
        f"revision {revision.number}"
        + (": deleted" if revision.kind == "delete" else f": {_weights(revision.spec)}")
        for revision in revisions
    )


def _weights(spec: Deployment) -> str:
    return ", ".join(f"{label} {weight:g} %" for label, weight in spec.weights().items())
