"""The connected Envoys, as people see them."""

import builtins
from collections.abc import AsyncIterator

from xds.control.feeds import Event, feed
from xds.control.pulse import Pulse
from xds.control.state import State
from xds.discovery.hub import Hub
from xds.errors import NotFound
from xds.fleet.listing import Envoy, envoy, envoys
from xds.fleet.status import ResourceStatus, resources_of


class Fleet:
    """The connected Envoys."""

    def __init__(self, state: State, hub: Hub, pulse: Pulse) -> None:
        self._state = state
        self._hub = hub
        self._pulse = pulse

    def list(
        self, gateway: str = "", after: tuple[str, str] | None = None, limit: int | None = None
    ) -> "builtins.list[Envoy]":
        """Envoys by gateway and id.

        Args:
            gateway: whose; "": of all.
            after: the gateway and id of the last one of the page before.
            limit: how many at most; None: all.

        Raises:
            NotFound: there is no such gateway.
        """
        return list(envoys(self._hub, self._gateways(gateway), after, limit))

    def get(self, id_: str) -> tuple[Envoy, tuple[ResourceStatus, ...]]:
        """One Envoy, and every resource it has or is to have.

        Raises:
            NotFound: it isn't connected.
        """
        for gateway in sorted(self._state.gateways):
            found = envoy(self._hub, gateway, id_)
            if found is not None:
                streams, holds = self._hub.members(gateway).streams[id_], self._hub.holds
                return found, tuple(
                    each for stream in streams for each in resources_of(stream, holds(stream))
                )
        raise NotFound(f"no Envoy {id_!r} is connected (see `canary fleet`)")

    def watch(self, gateway: str = "") -> AsyncIterator[Event[Envoy]]:
        """Envoys as they are, then what changes; `Gone` has the id.

        Raises:
            NotFound: there is no such gateway.
        """
        gateways = self._gateways(gateway)
        return feed(self._pulse.looks(lambda: {each.id: each for each in envoys(self._hub, gateways)}))

    def _gateways(self, gateway: str) -> "builtins.list[str]":
        if not gateway:
            return sorted(self._state.gateways)
        self._state.check_gateway(gateway)
        return [gateway]
