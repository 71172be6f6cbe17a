"""From state to catalogs: a change is pushed at once, what follows within a short window together.

Changes only mark deployments; with the next push each is translated once, from the latest state, for
every target there is. So a lone change waits for nothing, and a storm makes one push a window. The
publisher also wakes up by itself when the time of a retired build or of a build's last endpoints is
over, and makes what the first Envoy of a new target is to have, before it is answered.
"""

import asyncio
import dataclasses
import time
from collections import defaultdict
from collections.abc import Callable, Iterable

import structlog

from xds.catalog.types import Type
from xds.control.assembly import Assembly, assembly_of
from xds.control.brought import Brought
from xds.control.journeys import Journeys
from xds.control.lanes import Lanes
from xds.control.ledger import GIVEN
from xds.control.pulse import Pulse
from xds.control.refused_before import RefusedBefore
from xds.control.resources import encoded
from xds.control.state import State
from xds.discovery.hub import Hub, Target
from xds.discovery.stream import Stream, Verdict
from xds.fleet.profile import Profile
from xds.spec.scoped import SCOPED

log = structlog.get_logger(__name__)


class Publisher:
    """Keeps the hub's catalogs what the state says. `run` is its one task.

    Args:
        state: what is in force.
        hub: whose catalogs they are.
        wake: lets a stream's writer know that there may be something to say.
        window: seconds after a push in which changes are gathered for the next one.
    """

    def __init__(self, state: State, hub: Hub, wake: Callable[[Stream], None], window: float = 0.0) -> None:
        self._window = window
        self._state = state
        self.hub = hub
        self._wake = wake
        self.lanes = Lanes(hub, wake)
        self._brought: defaultdict[str, Brought] = defaultdict(Brought)
        self._assemblies = {target: self._assembly(target) for target in hub.targets()}
        self._touched: set[str] = set()
        self._touched_gateways: set[str] = set()
        self._retirements: dict[str, float] = {}
        self._news = asyncio.Event()
        self._published: dict[str, int] = {}
        self.pushes = 0
        """How many there were; each catalog says with which it is up to date."""
        self.gives_way: Callable[[], object] = at_once
        """Called before each deployment is translated; while all of them are, others may have to go first."""
        self.pulse = Pulse()
        self.journeys = Journeys()
        self.refused_before = RefusedBefore(hub)
        hub.provide = self._provide
        hub.hears = self._hears
        hub.stirs = self.pulse.beat
        hub.holds = self.lanes.holds
        hub.objects = self.lanes.objects
        hub.leaves = self._left

    @property
    def pending(self) -> bool:
        """Whether something changed that no stream has been told of."""
        return bool(self._touched or self._touched_gateways)

    def touch(self, deployments: Iterable[str]) -> None:
        """These changed: publish them at once, or when the window closes."""
        self._touched.update(deployments)
        self._news.set()

    def touch_resources(self, gateways: Iterable[str]) -> None:
        """The resources that people gave these gateways changed."""
        self._touched_gateways.update(gateways)
        self._news.set()

    def publish(self) -> None:
        """Translate what was touched, commit what changed, wake who cares."""
        touched, self._touched = self._touched, set()
        gateways, self._touched_gateways = self._touched_gateways, set()
        now = time.time()
        self.pushes += 1
        concerned: set[Stream] = set()
        for target in tuple(self._assemblies):
            if target.gateway in gateways:
                self._bring(target.gateway, self._assemblies[target])
            streams = self._translate(target, touched, now)
            log.debug("published", gateway=target.gateway, touched=len(touched), streams=len(streams))
            for stream in streams:
                self._wake(stream)
            concerned.update(streams)
        self.lanes.review()
        for target in self.hub.drop_deserted():
            del self._assemblies[target]
        for name in touched:
            self._schedule(name, self._state.next_retirement(name, now))
        self.journeys.pushed(self.pushes, now, concerned)
        self._published |= dict.fromkeys([*touched, *map(_resources_of, gateways)], self.pushes)
        self.pulse.beat()

    def take_over(self, earlier: Hub) -> None:
        """Go on with the streams of a hub that was served from an image, and say what is new to them."""
        for stream in self.hub.inherit(earlier):
            self._wake(stream)
        self.lanes.catch_up()
        self.pulse.beat()

    def push_of(self, name: str) -> int:
        """The push that carries (or will carry) a deployment as it is now; 0: the server began with it."""
        return self.pushes + 1 if name in self._touched else self._published.get(name, 0)

    def push_of_resources(self, gateway: str) -> int:
        """The push that carries the resources that people gave a gateway."""
        if gateway in self._touched_gateways:
            return self.pushes + 1
        return self._published.get(_resources_of(gateway), 0)

    async def run(self) -> None:
        """Publish what is touched, and retire builds whose time is over, until cancelled."""
        clock, closes = asyncio.get_running_loop().time, 0.0
        while True:
            await self._something_to_do()
            await asyncio.sleep(max(0.0, closes - clock()))
            self._news.clear()
            now = time.time()
            self._touched.update(name for name, due in self._retirements.items() if due <= now)
            self._touched.update(self._state.fade())
            self.publish()
            closes = clock() + self._window

    def _hears(self, stream: Stream, verdict: Verdict) -> None:
        self.lanes.hears(stream, verdict)
        self.journeys.heard(stream, verdict)
        self.pulse.beat()

    def _left(self, stream: Stream) -> None:
        self.lanes.left(stream)
        self.journeys.left(stream)

    def _provide(self, target: Target) -> None:
        """Make all that the Envoys of a new target are to have."""
        self._assemblies[target] = self._assembly(target)
        self._translate(target, self._state.names(), time.time())

    def _assembly(self, target: Target) -> Assembly:
        gateway, lane = self._state.gateways[target.gateway], self.lanes.lane(target)
        assembly = assembly_of(gateway, lane, self._brought[target.gateway], Profile(target.profile))
        if gateway.mode != SCOPED:
            self.hub.call_foreign(target, frozenset({Type.SCOPED_ROUTE}))
        self._bring(target.gateway, assembly)
        return assembly

    def _bring(self, gateway: str, assembly: Assembly) -> None:
        given = self._state.resources.get(gateway)
        assembly.bring(encoded(given.contents) if given is not None else ())

    def _translate(self, target: Target, deployments: Iterable[str], now: float) -> list[Stream]:
        """Bring a target up to date with some deployments; returns the streams that are to hear of it."""
        assembly = self._assemblies[target]
        profile = Profile(target.profile)
        for name in deployments:
            self.gives_way()
            view = self._state.view(name, assembly.gateway, now)
            if view is None:
                assembly.drop(name)
                continue
            try:
                assembly.put(
                    dataclasses.replace(
                        view, sticky_splits=profile.sticky_splits, other_version=profile.other_version
                    )
                )
            except Exception:  # one deployment that can't be translated must not stop the others
                log.exception("not translated: it stays as it was", deployment=name, gateway=target.gateway)
        return self.hub.commit(target, *assembly.take(), push=self.pushes)

    async def _something_to_do(self) -> None:
        due = [at - time.time() for at in self._retirements.values()]
        fades = self._state.book.next_fade()
        due += [fades - self._state.clock()] if fades is not None else []
        patience = max(0.0, min(due)) if due else None
        try:
            async with asyncio.timeout(patience):
                await self._news.wait()
        except TimeoutError:
            return

    def _schedule(self, name: str, due: float | None) -> None:
        if due is None:
            self._retirements.pop(name, None)
        else:
            self._retirements[name] = due


def at_once() -> None:
    """Nobody else has to go first."""


def _resources_of(gateway: str) -> str:
    """What the resources of a gateway are called among deployments."""
    return f"{GIVEN}/{gateway}"
