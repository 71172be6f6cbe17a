"""The verbs for Envoy resources that people give a gateway."""

import dataclasses
from collections.abc import Awaitable, Callable, Iterable

from xds.catalog.catalog import Catalog
from xds.control.giving import ResourceStanding, give, give_back, standing
from xds.control.publisher import Publisher
from xds.control.state import State
from xds.control.terms import Terms
from xds.control.writer import Writer, digest_of, entry, reply
from xds.errors import Conflict, NotFound
from xds.revisions.record import Note
from xds.revisions.resources import ResourceSet
from xds.store.records import Write

Decision = Callable[[], Awaitable[ResourceSet | None]]
"""The set that is to be in force; None: nothing would change."""


@dataclasses.dataclass(frozen=True)
class ResourceOutcome:
    """What a verb did to the resources of a gateway; with `dry_run`, what it would do."""

    standing: ResourceStanding
    changed: bool


class ResourceControl:
    """What gateways are given besides their deployments."""

    def __init__(self, state: State, writer: Writer, publisher: Publisher) -> None:
        self._state = state
        self._writer = writer
        self._publisher = publisher

    def get(self, gateway: str) -> ResourceStanding:
        """The resources that people gave a gateway, and what its Envoys made of them.

        Raises:
            NotFound: there is no such gateway.
        """
        self._state.check_gateway(gateway)
        return self.standing(gateway, self._state.resources.get(gateway))

    async def at(self, gateway: str, number: int) -> ResourceSet:
        """An earlier set.

        Raises:
            NotFound: there is no such gateway, or no set of that number.
        """
        self._state.check_gateway(gateway)
        given = await self._writer.ask(lambda store: store.resource_set(gateway, number))
        if given is None:
            raise NotFound(f"gateway {gateway} was never given resources {number}")
        return given

    async def history(self, gateway: str, before: int | None = None, limit: int = 1000) -> list[ResourceSet]:
        """The sets of resources that a gateway was given, newest first.

        Args:
            gateway: its name.
            before: those with smaller numbers; None: from the newest on.
            limit: how many at most.

        Raises:
            NotFound: there is no such gateway.
        """
        self._state.check_gateway(gateway)
        return await self._writer.ask(lambda store: store.resource_sets(gateway, before, limit))

    async def set(self, gateway: str, texts: Iterable[tuple[str, str]], terms: Terms) -> ResourceOutcome:
        """Give a gateway Envoy resources in place of those it was given before, all or nothing.

        Args:
            gateway: its name.
            texts: a name and YAML or JSON each, of one document or several: resources with `@type`.
            terms: who gives them, why, and under which conditions.

        Raises:
            NotFound, InvalidInput, Conflict: nothing was changed.
        """
        texts = list(texts)

        async def decision() -> ResourceSet | None:
            return give(self._state, self._catalog(gateway), gateway, texts, terms.note())

        return await self._verb("resources set", gateway, terms, decision, said=texts)

    async def rollback(self, gateway: str, terms: Terms, *, to: int | None = None) -> ResourceOutcome:
        """Back to earlier resources.

        Args:
            gateway: its name.
            terms: who, why, and under which conditions.
            to: the number of a set, 0 for none at all; None: what the one in force replaced.

        Raises:
            NotFound, NothingToDo, InvalidInput, Conflict: nothing was changed.
        """

        async def decision() -> ResourceSet | None:
            return await self.decide_rollback(gateway, terms.note(), to)

        return await self._verb("resources rollback", gateway, terms, decision, said=to)

    async def decide_rollback(self, gateway: str, note: Note, to: int | None = None) -> ResourceSet | None:
        """The set that a rollback would bring; None where those are in force already.

        Raises:
            NotFound, NothingToDo, InvalidInput: there is none to return to.
        """
        head = self._state.resources.get(gateway)
        if to == (head.number if head is not None else 0):
            return None
        history = await self._writer.ask(lambda store: store.resource_history(gateway))
        return give_back(self._state, self._catalog(gateway), gateway, history, note, to)

    def standing(self, gateway: str, given: ResourceSet | None) -> ResourceStanding:
        """How a set of resources stands with the Envoys of a gateway."""
        members = self._publisher.hub.members(gateway)
        lanes = self._publisher.lanes
        return standing(self._state, gateway, given, members, lanes, pending=self._publisher.pending)

    async def _verb(
        self, verb: str, gateway: str, terms: Terms, decision: Decision, said: object = None
    ) -> ResourceOutcome:
        digest = digest_of(verb, gateway, said)

        async def change() -> ResourceOutcome:
            self._state.check_gateway(gateway)
            answered = await self._writer.answered(terms, digest)
            if answered is not None:
                number, new = answered[gateway]
                before = await self.at(gateway, number) if number else None
                return ResourceOutcome(self.standing(gateway, before), new)
            self._check_expected(gateway, terms)
            given = await decision()
            head = given or self._state.resources.get(gateway)
            if not terms.dry_run:
                answer = reply(terms, digest, {gateway: (head.number if head else 0, given is not None)})
                line = entry(terms, verb, [gateway], _said(given)) if given is not None else None
                sets = (given,) if given is not None else ()
                await self._writer.commit(Write(resources=sets, entry=line, reply=answer))
            return ResourceOutcome(self.standing(gateway, head), given is not None)

        return await self._writer.alone(change)

    def _check_expected(self, gateway: str, terms: Terms) -> None:
        head = self._state.resources.get(gateway)
        number = head.number if head is not None else 0
        if terms.expected not in (None, number):
            by = f" ({head.kind} by {head.note.author})" if head is not None else ""
            raise Conflict(
                f"resources {number} of gateway {gateway} are in force{by}, not {terms.expected}; "
                "nothing was changed; look at them, then repeat"
            )

    def _catalog(self, gateway: str) -> Catalog:
        """A gateway's catalog, with everything in it that was committed."""
        if self._publisher.pending:
            self._publisher.publish()
        return self._publisher.hub.catalogs[gateway]


def _said(given: ResourceSet) -> str:
    return f"resources {given.number}: {len(given.contents)} of them"
