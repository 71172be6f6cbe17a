"""May those machines be stopped now? Following a version until nothing is in flight on it.

Three things have to be so, in this order: no route names the version's cluster any more (a weight of 0
is not enough where a rule, a selector or a cookie leads there); every connected Envoy has those routes;
and each of them has reported, after that, that nothing is in flight. Whatever becomes otherwise in
between begins anew. Envoys that report no metrics are waited for, and so are those that fell silent, or
left, with requests in flight: nobody knows what they have.
"""

import asyncio
import dataclasses
import datetime as dt
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

from xds.catalog.catalog import Catalog
from xds.catalog.types import ROUTING
from xds.control.confirmation import ARRIVAL, PATIENCE, Confirmed
from xds.control.publisher import Publisher
from xds.control.state import State
from xds.discovery.stream import Stream
from xds.errors import NotFound
from xds.fleet.envoys import by_envoy
from xds.revisions.record import Revision, cluster_name
from xds.telemetry.query import Clock
from xds.telemetry.telemetry import Telemetry

_PAUSE = 0.25
"""Seconds between two looks."""

_SETTLED = 1.0
"""Seconds after its acknowledgement from which on an Envoy's report counts: until then a request may have
been given its version by the routes before."""

_NAMED = 10
"""Envoys that are named of those that are waited for."""


@dataclasses.dataclass(frozen=True)
class Drain:
    """How far it is.

    Attributes:
        state: the last one of all has another one than WAITING.
        build: the ref of what is to be stopped.
        envoys: how many are connected.
        reported: how many of them said something since they have the routes.
        in_flight: requests on it; None where nobody says.
        reasons: what is waited for.
    """

    state: Confirmed
    build: str
    envoys: int
    reported: int
    in_flight: int | None
    reasons: tuple[str, ...] = ()


@dataclasses.dataclass
class Known:
    """What one who follows remembers of each Envoy.

    Attributes:
        ready: since when it can't send anything new.
        in_flight: the requests that it said last to have in flight.
    """

    ready: dict[str, float] = dataclasses.field(default_factory=dict)
    in_flight: dict[str, int] = dataclasses.field(default_factory=dict)


class Draining:
    """Follows versions that are to be stopped."""

    def __init__(self, state: State, publisher: Publisher, telemetry: Telemetry, clock: Clock) -> None:
        self._state = state
        self._publisher = publisher
        self._telemetry = telemetry
        self._clock = clock

    async def follow(self, name: str, version: str, patience: float = PATIENCE) -> AsyncIterator[Drain]:
        """Follow a version; the last one says how it ended.

        Args:
            name: of a deployment; it may be deleted.
            version: its label, or the ref or key of a build it has or had.
            patience: seconds.

        Raises:
            NotFound: there is no such deployment or version.
        """
        key = self._key(name, version)
        began = self._clock()
        end = began + patience
        known = Known()
        told: Drain | None = None
        met_any = False
        while True:
            now = self._clock()
            drain = self._look(name, key, known, now)
            met_any |= bool(drain.envoys)
            if drain.state is Confirmed.WAITING and not met_any and now >= min(end, began + ARRIVAL):
                drain = dataclasses.replace(drain, state=Confirmed.NO_ENVOY)
            elif drain.state is Confirmed.WAITING and now >= end:
                drain = dataclasses.replace(drain, state=Confirmed.TIMED_OUT)
            if drain != told:
                yield drain
            told = drain
            if drain.state is not Confirmed.WAITING:
                return
            await asyncio.sleep(min(_PAUSE, max(0.0, end - now)))

    def _key(self, name: str, version: str) -> str:
        revision = self._state.ever(name)
        refs = self._state.builds[name]
        for found in (revision.labels.get(version), refs.get(version)):
            if found is not None:
                return found
        if version in refs.values():
            return version
        there_are = ", ".join([*revision.labels, *(ref for ref in refs if ref not in revision.labels)])
        raise NotFound(f"{name} has no version or build {version!r} (it has: {there_are})")

    def _look(self, name: str, key: str, known: Known, now: float) -> Drain:
        """How it is, and what is to be remembered of it."""
        revision = self._state.ever(name)
        gateways = [gateway.name for gateway in self._state.serving(revision.spec)]
        streams = [stream for gateway in gateways for stream in self._publisher.hub.streams(gateway)]
        arriving = list(self._arriving(revision, key, gateways, streams))
        push = self._publisher.push_of(name)
        has = {envoy[0].node.id: all(each.settled >= push for each in envoy) for envoy in by_envoy(streams)}
        _keep(known.ready, () if arriving else (id_ for id_ in has if has[id_]), now)
        reporters = [each for each in self._telemetry.envoys(now) if each.connected and each.reported]
        last = {each.node: each.last for each in sorted(reporters, key=lambda each: each.last)}
        heard = {each.node for each in reporters if each.live}
        unheard = [id_ for id_ in has if id_ not in last]
        silent = [id_ for id_ in has if id_ in last and id_ not in heard]
        late = [id_ for id_, since in known.ready.items() if id_ in heard and last[id_] < since + _SETTLED]
        in_flight = self._telemetry.in_flight(name, key, now)
        by_node = self._telemetry.in_flight_by_node(name, key, now)
        known.in_flight.update(by_node)
        lost = [f"{id_} ({count})" for id_, count in known.in_flight.items() if count and id_ not in by_node]
        reasons = (
            *arriving,
            *_said([id_ for id_ in has if not has[id_]], "did not acknowledge yet that nobody gets it"),
            *_said(unheard, "says nothing of requests in flight (a bootstrap without metrics?)"),
            *_said(silent, f"silent since {_time(min((last[id_] for id_ in silent), default=now))}"),
            *_said(late, "did not report since"),
            *_said(lost, "had requests in flight when it was heard last"),
            *([f"in flight: {in_flight}"] if in_flight else []),
        )
        is_over = bool(has) and in_flight is not None and not reasons
        return Drain(
            state=Confirmed.CONFIRMED if is_over else Confirmed.WAITING,
            build=next(ref for ref, each in self._state.builds[name].items() if each == key),
            envoys=len(has),
            reported=len(known.ready.keys() & heard - {*late}),
            in_flight=in_flight,
            reasons=reasons,
        )

    def _arriving(
        self, revision: Revision, key: str, gateways: Iterable[str], streams: Iterable[Stream]
    ) -> Iterator[str]:
        """Why new requests may come."""
        name = revision.deployment
        catalogs = {self._publisher.hub.catalogs[gateway] for gateway in gateways}
        catalogs |= {stream.catalog for stream in streams}
        if self._publisher.push_of(name) > self._publisher.pushes:
            yield "a change is on its way to the Envoys"
        elif any(_names(catalog, cluster_name(name, key)) for catalog in catalogs):
            yield _why(revision, key)


def _keep(ready: dict[str, float], now_ready: Iterable[str], now: float) -> None:
    """Of those that are ready, since when."""
    kept = {id_: ready.get(id_, now) for id_ in now_ready}
    ready.clear()
    ready.update(kept)


def _names(catalog: Catalog, cluster: str) -> bool:
    """Whether any route names a cluster."""
    return any(cluster in each.clusters for type_ in ROUTING for each in catalog.all(type_).values())


def _why(revision: Revision, key: str) -> str:
    """Why a version's cluster is in routes."""
    labels = [label for label, labelled in revision.labels.items() if labelled == key]
    share = round(sum(revision.spec.weights()[label] for label in labels), 2)
    if share:
        return f"{share:g} % of the requests are for it"
    if labels and revision.spec.canary.version_selector is not None:
        return "requests that name it get it, by the version_selector (take it out of the file)"
    return "routes name it still: of a rule, a mirror, or of Envoys that refused newer ones"


def _said(ids: Sequence[str], what: str) -> list[str]:
    """`edge-1, edge-2: did not report since`."""
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return [f"{', '.join(ids[:_NAMED])}{more}: {what}"] if ids else []


def _time(at: float) -> str:
    """`12:04:05 UTC`."""
    return f"{dt.datetime.fromtimestamp(at, dt.UTC):%H:%M:%S} UTC"
