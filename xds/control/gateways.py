"""Gateways: what they have, what they had, and all of it back as it was."""

import builtins
import dataclasses

from xds.control.resource_control import ResourceControl, ResourceOutcome
from xds.control.standing import Outcome, Standings
from xds.control.state import State
from xds.control.terms import Terms
from xds.control.writer import Writer
from xds.discovery.hub import Hub
from xds.fleet.envoys import by_envoy, in_sync
from xds.spec.gateway import Gateway
from xds.store.records import Snapshot


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

    async def list(self) -> list[GatewayStanding]:
        """Every gateway, in the order of the configuration."""
        return [await self._standing(gateway) for gateway in self._state.gateways.values()]

    async def snapshots(
        self, gateway: str, before: int | None = None, limit: int = 100
    ) -> "builtins.list[Snapshot]":
        """What changed a gateway, newest first; each with the revisions that the gateway serves.

        Args:
            gateway: its name.
            before: those with smaller numbers; None: from the newest on.
            limit: how many at most.

        Raises:
            NotFound: there is no such gateway.
        """
        raise NotImplementedError

    async def rollback(self, gateway: str, number: int, terms: Terms) -> GatewayRollback:
        """Everything a gateway serves back to what it was at a snapshot, all or nothing.

        Args:
            gateway: its name.
            number: the snapshot's.
            terms: `expected` is the number of the gateway's newest snapshot.

        Raises:
            NotFound, NothingToDo, InvalidInput, TooFewEndpoints, Conflict: nothing was changed.
        """
        raise NotImplementedError

    async def _standing(self, gateway: Gateway) -> GatewayStanding:
        envoys = by_envoy(self._hub.streams(gateway.name))
        given = self._state.resources.get(gateway.name)
        served = (self._state.existing(name).spec.gateways for name in self._state.names())
        newest = await self.snapshots(gateway.name, limit=1)
        return GatewayStanding(
            gateway=gateway,
            deployments=sum(said is None or gateway.name in said for said in served),
            envoys=len(envoys),
            in_sync=sum(map(in_sync, envoys)),
            resources=given.number if given is not None else 0,
            snapshot=newest[0].number if newest else 0,
        )
