"""The control plane, put together: what callers reach it by.

deployments  the verbs, and what there is to see
explained    which version a request gets, how many users a file would move
endpoints    where builds run
health       what there is to check of that, and what came of it
troubles     broken files and failing sources
resources    Envoy resources that people give a gateway
gateways     what they have and had
fleet        the connected Envoys
telemetry    what they report about versions
metrics      how versions do, by label, whoever measures it
draining     whether a version may be stopped
audit, confirm, pulse
"""

import time
from collections.abc import AsyncIterator
from concurrent.futures import Executor

import structlog

from xds.control.checking import HealthControl
from xds.control.confirmation import PATIENCE, Confirmation, Progress, Wish
from xds.control.deployments import Deployments
from xds.control.draining import Draining
from xds.control.endpoints import EndpointControl
from xds.control.explained import Explained
from xds.control.fleet import Fleet
from xds.control.gateways import GatewayControl
from xds.control.metrics import MetricControl
from xds.control.observed import revision_finder
from xds.control.publisher import Publisher
from xds.control.resource_control import ResourceControl
from xds.control.standing import Standings
from xds.control.state import State
from xds.control.troubles import Troubles
from xds.control.verdicts import Verdicts
from xds.control.writer import Writer
from xds.errors import SettingsError
from xds.store.interface import Store
from xds.store.records import Entry
from xds.telemetry.telemetry import Telemetry
from xds.translate.raw_gateway import clashes

log = structlog.get_logger(__name__)


class ControlPlane:
    """Deployments, from the outside; and what gateways are given besides.

    Raises:
        SettingsError: a gateway's own virtual hosts and a deployment claim the same host.
    """

    def __init__(
        self,
        state: State,
        store: Store,
        store_thread: Executor,
        publisher: Publisher,
    ) -> None:
        clashing = [str(fault) for fault in clashes(state.claims(), state.gateways.values())]
        if clashing:
            raise SettingsError("\n".join(clashing))
        self.hub = publisher.hub
        self.publisher = publisher
        self.pulse = publisher.pulse
        self.writer = Writer(state, store, store_thread, publisher)
        self.endpoints = EndpointControl(state, self.writer, self.pulse)
        self.troubles = Troubles(state, self.endpoints, self.pulse)
        self.telemetry = Telemetry(revision_finder(state), self.hub.nodes)
        standings = Standings(state, publisher, self.troubles, Verdicts(state, self.telemetry))
        self.deployments = Deployments(state, self.writer, standings, self.pulse)
        self.explained = Explained(state)
        self.resources = ResourceControl(state, self.writer, publisher)
        self.gateways = GatewayControl(state, self.writer, standings, self.resources, self.hub)
        self.fleet = Fleet(state, self.hub, self.pulse)
        self.health = HealthControl(state, publisher, self.telemetry)
        self.metrics = MetricControl(state, self.deployments, self.hub, self.telemetry, time.time)
        self.draining = Draining(state, publisher, self.telemetry, time.time)
        self._state = state
        self._confirmation = Confirmation(state, publisher, standings, self.deployments, self.resources)
        for spec in state.unserved():
            log.warning("no gateway serves it", deployment=spec.name, gateways=list(spec.gateways or ()))
        self.publisher.touch(state.names())
        self.publisher.publish()

    def reflects(self) -> int | None:
        """How many writes to the store the catalogs have everything of; None while a push is due."""
        return None if self.publisher.pending else self._state.position

    async def audit(
        self,
        subject: str = "",
        author: str = "",
        since: float = 0.0,
        before: int | None = None,
        limit: int = 100,
    ) -> list[tuple[int, Entry]]:
        """Who changed what, newest first.

        Args:
            subject: a deployment, build or gateway; "": all.
            author: "": all.
            since: seconds since the epoch.
            before: only entries with smaller numbers.
            limit: how many at most.
        """
        return await self.writer.ask(lambda store: store.entries(subject, author, since, before, limit=limit))

    def confirm(
        self,
        name: str,
        revision: int = 0,
        share: float = 0.0,
        timeout: float | None = None,
        *,
        rollback_on_reject: bool = False,
    ) -> AsyncIterator[Progress]:
        """Follow a revision on its way to the Envoys; the last progress says how it fared.

        Args:
            name: of a deployment.
            revision: its number; 0: the one in force.
            share: of the connected Envoys that is enough; 0.0: all of them.
            timeout: seconds; None: 30.
            rollback_on_reject: undo the change at the first rejection.

        Raises:
            NotFound: there is no such deployment or revision.
        """
        wish = Wish(share, PATIENCE if timeout is None else timeout, rollback_on_reject)
        return self._confirmation.of_deployment(name, revision, wish)

    def confirm_resources(
        self,
        gateway: str,
        number: int = 0,
        share: float = 0.0,
        timeout: float | None = None,
        *,
        rollback_on_reject: bool = False,
    ) -> AsyncIterator[Progress]:
        """Follow the resources that people gave a gateway; as `confirm`.

        Raises:
            NotFound: there is no such gateway.
        """
        wish = Wish(share, PATIENCE if timeout is None else timeout, rollback_on_reject)
        return self._confirmation.of_resources(gateway, number, wish)
