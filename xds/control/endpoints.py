"""The verbs for endpoints: where builds run, changed by hand, by lease and by polls.

None of them makes a revision. A renewed lease is not even written: which leases there are is
recorded, when they were renewed last isn't, and a server that starts gives each its full time again.
"""

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

import structlog

from xds.control import endpoint_edits as edits
from xds.control.endpoint_book import POLLS, EndpointBook
from xds.control.endpoint_standing import (
    BuildStanding,
    EndpointOutcome,
    Registration,
    SourceStanding,
    epoch,
    standing,
)
from xds.control.endpoint_targets import known, listed, new_or_known, polled, users
from xds.control.pulse import Pulse
from xds.control.state import State
from xds.control.terms import Terms
from xds.control.writer import Writer, concerning, digest_of, entry, reply
from xds.errors import Conflict, InvalidInput, NotFound, StoreError
from xds.spec.endpoints import Endpoint
from xds.spec.faults import Fault
from xds.store.records import Write

SHORTEST, LONGEST = 1.0, 3600.0
"""Seconds a lease may have."""

_STALL = 1.0
"""Seconds. A server that slept longer than this past a lease's end was stopped, or too busy to hear of
renewals: as after a start, every lease has its time again."""

_RETRY = 1.0
"""Seconds until a store that couldn't be written is tried again."""

_TOLD = 5

log = structlog.get_logger(__name__)

Decide = Callable[[EndpointBook, str, Sequence[Endpoint]], Write]


class EndpointControl:
    """Endpoints, from the outside. `run` is its one task: it ends leases."""

    def __init__(self, state: State, writer: Writer, pulse: Pulse) -> None:
        self._state = state
        self._writer = writer
        self._pulse = pulse
        self._sources: dict[str, SourceStanding] = {}
        self._sooner = asyncio.Event()
        self._wakes_at: float | None = None

    def list(self, target: str = "", after: str = "", limit: int | None = None) -> list[BuildStanding]:
        """Builds by ref.

        Args:
            target: a tag, `<deployment>@<label>`, or a deployment for all its versions; "": all builds.
            after: only those behind this ref.
            limit: no more than so many.

        Raises:
            NotFound, InvalidInput: there is no such build.
        """
        refs = [ref for ref in listed(self._state, target) if ref > after]
        return [standing(self._state, ref) for ref in refs[:limit]]

    def sources(self) -> tuple[SourceStanding, ...]:
        """The sources that are polled, by name."""
        return tuple(self._sources[name] for name in sorted(self._sources))

    async def watch(self, target: str = "") -> AsyncIterator[BuildStanding]:
        """Every build of a target (see `list`) as it stands, and again whenever that changes.

        Raises:
            NotFound, InvalidInput: there is no such build.
        """
        shown: dict[str, BuildStanding] = {}
        async for builds in self._pulse.looks(lambda: self._look(target, shown)):
            for build in builds:
                if shown.get(build.ref) != build:
                    shown[build.ref] = build
                    yield build

    async def set(self, target: str, endpoints: Sequence[Endpoint], terms: Terms) -> EndpointOutcome:
        """These, and no others, are the API's list of a build; an empty one empties it.

        Raises:
            NotFound, InvalidInput, Conflict, TooFewEndpoints: nothing was changed.
        """
        return await self._edit("set", target, endpoints, edits.set_list, terms, new=True)

    async def add(self, target: str, endpoints: Sequence[Endpoint], terms: Terms) -> EndpointOutcome:
        """Put these on the API's list of a build; of one that is there, weight and zone are replaced.

        Raises:
            NotFound, InvalidInput, Conflict: nothing was changed.
        """
        return await self._edit("add", target, endpoints, edits.add, terms, new=True)

    async def remove(self, target: str, endpoints: Sequence[Endpoint], terms: Terms) -> EndpointOutcome:
        """Take these off the API's list of a build, end their leases, and forget that they were drained.

        Raises:
            NotFound: the build has no such endpoint.
            InvalidInput: a file or a poll lists one; it has to go there, or be drained.
            Conflict, TooFewEndpoints: nothing was changed.
        """

        def decide(book: EndpointBook, ref: str, given: Sequence[Endpoint]) -> Write:
            return edits.remove(book, ref, given, self._absent())

        return await self._edit("remove", target, endpoints, decide, terms)

    async def drain(self, target: str, endpoints: Sequence[Endpoint], terms: Terms) -> EndpointOutcome:
        """No new requests for these, whatever the sources say; none named: for the whole build.

        Raises:
            NotFound, Conflict, TooFewEndpoints: nothing was changed.
        """
        return await self._edit("drain", target, endpoints, edits.drain, terms)

    async def undrain(self, target: str, endpoints: Sequence[Endpoint], terms: Terms) -> EndpointOutcome:
        """Undo draining these; none named: draining the build (those drained by themselves stay so).

        Raises:
            NotFound, Conflict: nothing was changed.
        """
        return await self._edit("undrain", target, endpoints, edits.undrain, terms)

    async def register(self, target: str, endpoint: Endpoint, ttl: float, terms: Terms) -> Registration:
        """Add an endpoint for `ttl` seconds, or renew that.

        One that has a lease already keeps its build, also when its version has another label or build
        meanwhile: what runs there is what ran there before.

        Raises:
            NotFound, InvalidInput: nothing was changed.
        """
        if not SHORTEST <= ttl <= LONGEST:
            message = f"{ttl:g} s is no time to live"
            raise InvalidInput([Fault(target, 0, "ttl", message, "give it 1 s to 1 h")])
        renewed = self._renew(self._build_of(target, endpoint), endpoint, ttl)
        if renewed is not None:
            return renewed

        async def change() -> Registration:
            book, now, ref = self._state.book, self._state.clock(), self._build_of(target, endpoint)
            place = (ref, str(endpoint))
            created = book.lease(place) is None
            write = edits.lease(book, ref, endpoint, ttl)
            edits.check(self._state, ref, book.trial(ref, write, now))
            await self._commit(write, "register", [ref], f"{endpoint} for {ttl:g} s", terms)
            due = book.renew(place, self._state.clock())
            if self._wakes_at is None or due < self._wakes_at:
                self._sooner.set()
            return Registration(ref, epoch(self._state, due), created)

        return await self._writer.alone(change)

    async def deregister(self, target: str, endpoint: Endpoint, terms: Terms) -> EndpointOutcome:
        """End a lease at once.

        Raises:
            NotFound: there is none.
        """

        async def change() -> EndpointOutcome:
            ref = self._build_of(target, endpoint)
            place = (ref, str(endpoint))
            if self._state.book.lease(place) is None:
                raise NotFound(f"{ref} has no lease of {endpoint} (it may be over, or it is on another list)")
            await self._commit(Write(leases={place: None}), "deregister", [ref], str(endpoint), terms)
            return self._outcome(ref, changed=True)

        return await self._writer.alone(change)

    async def run(self) -> None:
        """End leases whose time is over, until cancelled."""
        retrying = False
        while True:
            late = await self._next_end()
            if late > _STALL and not retrying:
                log.warning("was stopped, or busy; every lease has its time again", seconds=round(late, 1))
                self._state.book.renew_all(self._state.clock())
                continue
            retrying = not await self._ended()
            if retrying:
                await asyncio.sleep(_RETRY)

    def expect(self, source: str) -> None:
        """There is such a source, and it will be polled."""
        before = self._sources.get(source)
        if before is None:
            self._sources[source] = SourceStanding(source, "not read yet", None, self._count(source))
        else:
            self._sources[source] = dataclasses.replace(before, present=True)

    async def polled(self, source: str, lists: Mapping[str, tuple[Endpoint, ...]]) -> None:
        """A poll had this answer: endpoints by target. Builds it doesn't have are empty on its list.

        Raises:
            InvalidInput, StoreError: nothing was changed.
        """

        async def change() -> None:
            write = edits.poll(self._state, source, self._by_ref(lists), self._absent())
            for ref in {ref for _, ref in write.endpoints}:
                edits.check(self._state, ref, self._state.book.trial(ref, write, self._state.clock()))
            refs = sorted({ref for _, ref in write.endpoints})
            count = sum(map(len, lists.values()))
            await self._commit(write, "poll", refs, f"{count} endpoints", Terms(source))

        await self._writer.alone(change)
        self._say(SourceStanding(source, "", time.time(), self._count(source)))

    def failed(self, source: str, problem: str, *, present: bool = True) -> None:
        """A poll had no answer, or none that can be used: the last good list stays."""
        before = self._sources.get(source)
        read_at = before.read_at if before else None
        self._say(SourceStanding(source, problem, read_at, self._count(source), present))

    def forget(self, source: str) -> None:
        """Say no more of a source: of a pattern, once there are files, which are sources themselves."""
        self._sources.pop(source, None)

    async def _edit(
        self,
        verb: str,
        target: str,
        endpoints: Sequence[Endpoint],
        decide: Decide,
        terms: Terms,
        *,
        new: bool = False,
    ) -> EndpointOutcome:
        digest = digest_of(f"endpoints {verb}", target, tuple(endpoints), terms.force)

        async def change() -> EndpointOutcome:
            ref = (new_or_known if new else known)(self._state, target)
            answered = await self._writer.answered(terms, digest)
            if answered is not None:
                return self._outcome(ref, changed=any(made for _, made in answered.values()))
            self._check_expected(ref, terms)
            book = self._state.book
            write = decide(book, ref, endpoints)
            changed = write != Write()
            after = book.trial(ref, write, self._state.clock())
            edits.check(self._state, ref, after)
            if not terms.force:
                edits.check_users(self._state, ref, after)
            if terms.dry_run:
                return self._outcome(ref, changed=changed, book=after)
            noted = dataclasses.replace(write, reply=reply(terms, digest, {ref: (0, changed)}))
            await self._commit(noted, verb, [ref], _told(endpoints), terms, changed=changed)
            return self._outcome(ref, changed=changed)

        def concerns() -> frozenset[str]:
            try:
                ref = new_or_known(self._state, target)
            except (NotFound, InvalidInput):
                return concerning(terms, target, target.partition("@")[0])
            return concerning(terms, ref, *self._state.users_of(ref))

        return await self._writer.alone(change, concerns)

    async def _commit(
        self,
        write: Write,
        verb: str,
        refs: Iterable[str],
        outcome: str,
        terms: Terms,
        *,
        changed: bool | None = None,
    ) -> None:
        """Write it, with a line in the audit if it changes something, and log it."""
        refs = list(refs)
        if write != Write() if changed is None else changed:
            subjects = dict.fromkeys([*refs, *(name for ref in refs for name in self._deployments(ref))])
            write = dataclasses.replace(write, entry=entry(terms, f"endpoints {verb}", subjects, outcome))
        await self._writer.commit(write)
        for ref in refs if write.entry is not None else ():
            log.info(
                "endpoints",
                verb=verb,
                build=ref,
                count=len(self._state.book.union.get(ref, ())),
                usable=len(self._state.endpoints.get(ref, ())),
                deployments=list(self._deployments(ref)),
                author=terms.author,
            )

    def _check_expected(self, ref: str, terms: Terms) -> None:
        if terms.expected is None:
            return
        for head in users(self._state, ref):
            if head.number != terms.expected:
                raise Conflict(
                    f"{head.deployment} is at revision {head.number}, not {terms.expected}; look, and repeat"
                )

    def _renew(self, ref: str, endpoint: Endpoint, ttl: float) -> Registration | None:
        """Renew a lease without any write; None where there is none like this, or it is just being ended."""
        book, now, place = self._state.book, self._state.clock(), (ref, str(endpoint))
        due = book.due(place)
        if due is None or due <= now or edits.lease(book, ref, endpoint, ttl) != Write():
            return None
        return Registration(ref, epoch(self._state, book.renew(place, now)), created=False)

    def _build_of(self, target: str, endpoint: Endpoint) -> str:
        """The build a lease is for: where it has one already, that build."""
        name, at, _ = target.partition("@")
        if at:
            for ref in self._state.builds.get(name, ()):
                if self._state.book.lease((ref, str(endpoint))) is not None:
                    return ref
        return new_or_known(self._state, target)

    async def _next_end(self) -> float:
        """Wait until leases may be over; returns by how many seconds that was too late."""
        self._sooner.clear()
        self._wakes_at = due = self._state.book.next_due()
        patience = None if due is None else max(0.0, due - self._state.clock())
        try:
            async with asyncio.timeout(patience):
                await self._sooner.wait()
        except TimeoutError:
            return self._state.clock() - due if due is not None else 0.0
        return 0.0

    async def _ended(self) -> bool:
        try:
            await self._writer.alone(self._end_leases)
        except StoreError as error:
            log.error("leases not ended; trying again", error=str(error))
            return False
        return True

    async def _end_leases(self) -> None:
        places = self._state.book.overdue(self._state.clock())
        if places:
            outcome = _told(f"{where} of {ref}" for ref, where in places)
            refs = dict.fromkeys(ref for ref, _ in places)
            await self._commit(Write(leases=dict.fromkeys(places)), "expire", refs, outcome, Terms("canary"))

    def _by_ref(self, lists: Mapping[str, tuple[Endpoint, ...]]) -> dict[str, tuple[Endpoint, ...]]:
        """What a poll lists by target, by build: two of its targets may be the same one."""
        merged: dict[str, dict[str, Endpoint]] = {}
        for target, endpoints in lists.items():
            merged.setdefault(polled(self._state, target), {}).update((str(each), each) for each in endpoints)
        return {ref: tuple(places[where] for where in sorted(places)) for ref, places in merged.items()}

    def _absent(self) -> Callable[[str], bool]:
        """Whether a source is a poll that the configuration, or the disk, has no longer."""
        there = {name for name, source in self._sources.items() if source.present}
        return lambda source: source.startswith(POLLS) and source not in there

    def _say(self, now: SourceStanding) -> None:
        before = self._sources.get(now.name)
        self._sources[now.name] = now
        if before is not None and before.problem == now.problem:
            return
        if now.problem:
            log.warning("endpoint source; its last list stays", source=now.name, problem=now.problem)
        else:
            log.info("endpoint source is fine", source=now.name, endpoints=now.endpoints)
        self._pulse.beat()

    def _count(self, source: str) -> int:
        return sum(
            len(self._state.book.lists_of(ref).get(source, ())) for ref in self._state.book.owned_by(source)
        )

    def _look(self, target: str, shown: Mapping[str, BuildStanding]) -> tuple[BuildStanding, ...]:
        """What a watcher sees: builds that are gone, too, as having nothing."""
        try:
            refs = set(listed(self._state, target))
        except (NotFound, InvalidInput):
            if not shown:
                raise
            refs = set()
        return tuple(standing(self._state, ref) for ref in sorted({*refs, *shown}))

    def _outcome(self, ref: str, *, changed: bool, book: EndpointBook | None = None) -> EndpointOutcome:
        deployments = self._deployments(ref)
        notes = () if deployments else (f"no deployment uses {ref}",)
        return EndpointOutcome(standing(self._state, ref, book), changed, deployments, notes)

    def _deployments(self, ref: str) -> tuple[str, ...]:
        return tuple(head.deployment for head in users(self._state, ref))


def _told(endpoints: Iterable[object]) -> str:
    """Endpoints in a line of the audit."""
    each = [str(endpoint) for endpoint in endpoints]
    more = f" and {len(each) - _TOLD} more" if len(each) > _TOLD else ""
    return ", ".join(each[:_TOLD]) + more or "all"
