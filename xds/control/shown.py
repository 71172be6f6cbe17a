"""What there is to see of deployments: as they stand, as they were, how two of them differ, what changes."""

import bisect
import builtins
from collections.abc import AsyncIterator, Iterable

from xds.control.differences import Difference, difference
from xds.control.feeds import Event, feed
from xds.control.pulse import Pulse
from xds.control.standing import Past, Standing, Standings
from xds.control.state import State
from xds.control.writer import Writer
from xds.errors import InvalidInput, NotFound
from xds.revisions.record import Revision
from xds.spec.read import read


class Shown:
    """Deployments, looked at."""

    def __init__(self, state: State, writer: Writer, standings: Standings, pulse: Pulse) -> None:
        self._state = state
        self._writer = writer
        self._standings = standings
        self._pulse = pulse

    def get(self, name: str) -> Standing:
        """A deployment as it stands.

        Raises:
            NotFound: there is no such deployment, or none any more.
        """
        return self._standings.of(self._state.existing(name))

    def those(self, names: Iterable[str]) -> dict[str, Standing]:
        """Of these deployments those that there are, by name; the Envoys are looked at once for all."""
        heads = [head for head in map(self._state.head, names) if head is not None]
        return {each.revision.deployment: each for each in self._standings.of_all(heads)}

    def list(self, after: str = "", limit: int | None = None, *, deleted: bool = False) -> list[Standing]:
        """Deployments by name, from the one after this name on; or those that were deleted."""
        names = self._state.deleted() if deleted else self._state.names()
        start = bisect.bisect_right(names, after)
        return self._standings.of_all(
            self._state.ever(name) for name in names[start : None if limit is None else start + limit]
        )

    async def history(self, name: str, before: int | None = None, limit: int = 1000) -> "builtins.list[Past]":
        """A deployment's revisions, newest first; those of a deleted one too.

        Args:
            name: whose.
            before: those with smaller numbers; None: from the newest on.
            limit: how many at most.

        Raises:
            NotFound: there never was such a deployment.
        """
        newest = self._state.ever(name)
        revisions = await self._writer.ask(lambda store: store.revisions(name, before, limit))
        return [Past(revision, self._standings.not_returnable(revision, newest)) for revision in revisions]

    async def diff(self, name: str, before: int = 0, after: int = 0) -> Difference:
        """What differs between two revisions of a deployment.

        Args:
            name: whose.
            before: a revision's number; 0: the one before `after`.
            after: a revision's number; 0: the newest.

        Raises:
            NotFound: there is no such deployment or revision.
        """
        newest = self._state.ever(name)
        late = await self.revision(name, after or newest.number)
        number = before or late.number - 1
        early = await self.revision(name, number) if number else None
        return difference(name, early, late)

    async def diff_texts(self, files: Iterable[tuple[str, str]]) -> "builtins.list[Difference]":
        """How files differ from what is in force, deployment by deployment.

        Raises:
            InvalidInput: every fault in every file.
        """
        reading = read(files)
        if reading.faults:
            raise InvalidInput(reading.faults)
        return [
            difference(document.deployment.name, self._state.head(document.deployment.name), document)
            for document in reading.documents
            if document.deployment is not None
        ]

    async def revision(self, name: str, number: int) -> Revision:
        """One revision.

        Raises:
            NotFound: there is none of that number (any more).
        """
        newest = self._state.ever(name)
        if number == newest.number:
            return newest
        found = await self._writer.ask(lambda store: store.revision(name, number))
        if found is None:
            raise NotFound(f"{name} has no revision {number} (see `canary history {name}`)")
        return found

    def watch(self, names: Iterable[str] = ()) -> AsyncIterator[Event[Standing]]:
        """Deployments as they stand, then what changes; none named: all.

        A name that there is no deployment of is waited for.
        """
        wanted = frozenset(names)

        def look() -> dict[str, Standing]:
            heads = (self._state.head(name) for name in sorted(wanted) or self._state.names())
            standings = self._standings.of_all(head for head in heads if head is not None)
            return {standing.revision.deployment: standing for standing in standings}

        return feed(self._pulse.looks(look))
