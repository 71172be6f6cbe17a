"""Gateways: what they have, what they had after each change, and all of it back as it was."""

import builtins
import dataclasses
from collections.abc import Callable

from xds.control.gateway_rollback import Step, changed_since, check_endpoints, plan
from xds.control.resource_control import ResourceControl, ResourceOutcome
from xds.control.snapshots import Touching
from xds.control.standing import Outcome, Standings, said_shares
from xds.control.state import State
from xds.control.terms import Terms
from xds.control.writer import Answered, Writer, digest_of, entry, reply
from xds.discovery.hub import Hub
from xds.errors import Conflict, NotFound
from xds.fleet.envoys import count_acknowledged
from xds.revisions.record import Revision
from xds.revisions.resources import ResourceSet
from xds.spec.gateway import Gateway
from xds.store.interface import Store
from xds.store.records import Snapshot, Write

_VERB = "rollback gateway"
_OWN = "gateway "
"""How the resources of a gateway are called among deployments, where a request is answered again."""


@dataclasses.dataclass(frozen=True)
class GatewayStanding:
    """A gateway as it stands.

    Attributes:
        deployments: how many it serves.
        envoys: how many are connected.
        in_sync: how many of them acknowledged everything.
        resources: the number of the resources it was given; 0: none.
        snapshot: the newest that touched it; 0: none.
    """

    gateway: Gateway
    deployments: int
    envoys: int
    in_sync: int
    resources: int
    snapshot: int


@dataclasses.dataclass(frozen=True)
class GatewayRollback:
    """What a rollback of a gateway changed; with `dry_run`, what it would change."""

    outcomes: list[Outcome]
    resources: ResourceOutcome | None = None


@dataclasses.dataclass
class _Newest:
    """The newest snapshot of a gateway, and up to which one that is known."""

    number: int = 0
    known_to: int = 0


class GatewayControl:
    """Gateways, seen and rolled back."""

    def __init__(
        self, state: State, writer: Writer, standings: Standings, resources: ResourceControl, hub: Hub
    ) -> None:
        self._state = state
        self._writer = writer
        self._standings = standings
        self._resources = resources
        self._hub = hub
        self._newest = {gateway: _Newest() for gateway in state.gateways}

    async def list(self) -> list[GatewayStanding]:
        """Every gateway, in the order of the configuration."""
        return [await self._standing(gateway) for gateway in self._state.gateways.values()]

    async def snapshots(
        self, gateway: str, before: int | None = None, limit: int = 100
    ) -> "builtins.list[Snapshot]":
        """What changed a gateway, newest first; each with the revisions of what the gateway serves.

        Args:
            gateway: its name.
            before: those with smaller numbers; None: from the newest on.
            limit: how many at most.

        Raises:
            NotFound: there is no such gateway.
        """
        self._state.check_gateway(gateway)
        return await self._writer.ask(lambda store: Touching(store, gateway).page(before, limit))

    async def rollback(self, gateway: str, number: int, terms: Terms) -> GatewayRollback:
        """Everything a gateway serves back to what it was at a snapshot, all or nothing.

        Args:
            gateway: its name.
            number: the snapshot's.
            terms: `expected` is the number of the gateway's newest snapshot.

        Raises:
            NotFound, InvalidInput, TooFewEndpoints, Conflict: nothing was changed.
        """
        digest = digest_of(_VERB, gateway, number)

        async def change() -> GatewayRollback:
            self._state.check_gateway(gateway)
            answered = await self._writer.answered(terms, digest)
            if answered is not None:
                return await self._as_answered(gateway, answered)
            await self._check_expected(gateway, number, terms)
            then, sets = await self._writer.ask(lambda store: store.at_snapshot(number))
            changed = changed_since(self._state, then)
            found = await self._writer.ask(
                lambda store: {
                    name: (n, store.revision(name, n) if n else None) for name, n in changed.items()
                }
            )
            steps = plan(self._state, gateway, found, terms.note())
            if not terms.force:
                check_endpoints(self._standings, steps)
            given = await self._resources.decide_rollback(gateway, terms.note(), sets.get(gateway, 0))
            if not terms.dry_run:
                await self._writer.commit(_write(gateway, number, steps, given, terms, digest))
            return self._rolled_back(gateway, steps, given)

        return await self._writer.alone(change)

    def _rolled_back(
        self, gateway: str, steps: "builtins.list[Step]", given: ResourceSet | None
    ) -> GatewayRollback:
        made = self._standings.outcomes([(step.after, step.before, True) for step in steps])
        outcomes = [self._noted(gateway, outcome) for outcome in made]
        if given is None:
            return GatewayRollback(outcomes)
        return GatewayRollback(
            outcomes, ResourceOutcome(self._resources.standing(gateway, given), changed=True)
        )

    def _noted(self, gateway: str, outcome: Outcome) -> Outcome:
        """Others serve it too: they have it as it is now."""
        standing = outcome.standing
        others = [each for each in standing.revision.spec.gateways or self._state.gateways if each != gateway]
        if not others:
            return outcome
        note = f"it changed on {', '.join(others)} as well"
        return dataclasses.replace(
            outcome, standing=dataclasses.replace(standing, notes=(*standing.notes, note))
        )

    async def _as_answered(self, gateway: str, answered: Answered) -> GatewayRollback:
        """What was said to the request before."""
        steps = []
        for name, (number, _) in answered.items():
            if name != _OWN + gateway:
                before, after = await self._writer.ask(_pair(name, number))
                steps += [Step(before, after)] if before is not None and after is not None else []
        number, _ = answered.get(_OWN + gateway, (0, False))
        return self._rolled_back(
            gateway, steps, await self._resources.at(gateway, number) if number else None
        )

    async def _check_expected(self, gateway: str, number: int, terms: Terms) -> None:
        newest = await self._writer.ask(lambda store: self._newest_of(store, gateway))
        if terms.expected not in (None, newest):
            raise Conflict(
                f"snapshot {newest} is the newest of gateway {gateway}, not {terms.expected}; nothing was "
                f"changed; see `canary gateways history {gateway}`, then repeat"
            )
        entries = await self._writer.ask(lambda store: store.entries(before=number + 1, limit=1))
        if number < 1 or not entries or entries[0][0] != number:
            raise NotFound(f"there is no snapshot {number} (see `canary gateways history {gateway}`)")

    async def _standing(self, gateway: Gateway) -> GatewayStanding:
        given = self._state.resources.get(gateway.name)
        served = (self._state.existing(name).spec.gateways for name in self._state.names())
        return GatewayStanding(
            gateway=gateway,
            deployments=sum(said is None or gateway.name in said for said in served),
            envoys=len(self._hub.members(gateway.name)),
            in_sync=count_acknowledged(self._hub, gateway.name),
            resources=given.number if given is not None else 0,
            snapshot=await self._writer.ask(lambda store: self._newest_of(store, gateway.name)),
        )

    def _newest_of(self, store: Store, gateway: str) -> int:
        """The number of a gateway's newest snapshot; only what came since the last time is read."""
        known = self._newest[gateway]
        newest = store.snapshots(None, 1)
        found = Touching(store, gateway).page(None, 1, down_to=known.known_to)
        known.number = found[0].number if found else known.number
        known.known_to = newest[0].number if newest else 0
        return known.number


def _pair(name: str, number: int) -> Callable[[Store], tuple[Revision | None, Revision | None]]:
    """Asks for a revision, and for the one before."""
    return lambda store: (store.revision(name, number - 1), store.revision(name, number))


def _write(
    gateway: str,
    number: int,
    steps: "builtins.list[Step]",
    given: ResourceSet | None,
    terms: Terms,
    digest: str,
) -> Write:
    """All of it in one, with its line of the audit and what makes a retry safe."""
    revisions = tuple(step.after for step in steps)
    sets = (given,) if given is not None else ()
    answered = {revision.deployment: (revision.number, True) for revision in revisions}
    answered |= {_OWN + each.gateway: (each.number, True) for each in sets}
    said = [f"{revision.deployment} {said_shares([revision])}" for revision in revisions]
    said += [f"resources {each.number}" for each in sets]
    subjects = [gateway, *(revision.deployment for revision in revisions)]
    outcome = f"snapshot {number}: {'; '.join(said)}"
    return Write(
        revisions=revisions,
        resources=sets,
        entry=entry(terms, _VERB, subjects, outcome) if said else None,
        reply=reply(terms, digest, answered),
    )
