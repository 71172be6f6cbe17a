"""What would happen: which version a request gets, and how many users files would move."""

import asyncio
import dataclasses
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from xds.control.state import State
from xds.errors import InvalidInput, NotFound
from xds.revisions import decide
from xds.revisions.moves import Moves, moves
from xds.revisions.record import Note, Revision
from xds.spec.claims import hosts_of
from xds.spec.deployment import Deployment
from xds.spec.faults import Fault
from xds.spec.gateway import Gateway
from xds.spec.proxyless import PROXYLESS
from xds.spec.read import read
from xds.translate.explain.answer import Explanation
from xds.translate.explain.asked import Request
from xds.translate.explain.explain import explain
from xds.translate.explain.table import Table, domain_of, keyed, table_of
from xds.translate.view import View

A = TypeVar("A")
T = TypeVar("T")
_TURN = 0.01
"""Seconds of explaining after which others have their turn."""
_NOTE = Note("simulate", 0.0)


@dataclasses.dataclass(frozen=True)
class Told:
    """What was explained: one request, or the same with each key."""

    table: Table
    revision: Revision
    explanations: list[Explanation]


@dataclasses.dataclass(frozen=True)
class Simulation:
    """What applying a file would do to the users of a deployment.

    Attributes:
        before: in force; None: there is none.
        moves: None where nobody could move.
        keys: of each key: where it is (None: nowhere yet), and would be.
    """

    before: Revision | None
    after: Revision
    moves: Moves | None
    keys: list[tuple[bytes, Explanation | None, Explanation]]


class Explained:
    """Requests explained, files tried."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def explain(
        self, name: str, request: Request, gateway: str = "", keys: Sequence[bytes] = ()
    ) -> Told:
        """Which version a request gets on a gateway.

        Args:
            name: of the deployment.
            request: what is asked; without a host or a target, those are the deployment's.
            gateway: "" is the first that serves it.
            keys: the request is explained once for each, as somebody with this key sends it.

        Raises:
            NotFound: there is no such deployment or gateway, or nothing answers to the host.
            InvalidInput: the deployment has no keys, or gRPC clients serve themselves there.
        """
        head = self._state.existing(name)
        chosen = self._gateway(head.spec, gateway)
        _check_keys(head.spec, keys)
        asked = _complete(request, head.spec, chosen)
        table = self._table(chosen, asked.host)
        requests = [keyed(head.spec, asked, key) for key in keys] or [asked]

        def one(request: Request) -> Explanation:
            return explain(table.routes, table.revisions, request, table.down)

        return Told(table, head, await _taking_turns(one, requests))

    async def simulate(
        self, files: Iterable[tuple[str, str]], keys: Sequence[bytes] = ()
    ) -> list[Simulation]:
        """What applying files would do to the users.

        Args:
            files: a name, and YAML or JSON each.
            keys: said of each where it is and would be, if every version had endpoints.

        Raises:
            InvalidInput: every fault in every file.
        """
        reading = read(files)
        if reading.faults:
            raise InvalidInput(reading.faults)
        specs = [each.deployment for each in reading.documents if each.deployment is not None]
        for spec in specs:
            _check_keys(spec, keys)
        return [await self._simulated(spec, keys) for spec in specs]

    async def _simulated(self, spec: Deployment, keys: Sequence[bytes]) -> Simulation:
        before = self._state.head(spec.name)
        known = dict(self._state.builds[spec.name]) if before else {}
        made = decide.apply(spec, before, known, _NOTE)
        after = made or before
        assert after is not None  # noqa: S101 (without a head there is always a next revision)
        tables = [self._alone(each) if each else None for each in (before, after)]

        def one(key: bytes) -> tuple[bytes, Explanation | None, Explanation]:
            was, will = (_of_key(table, key) if table else None for table in tables)
            assert will is not None  # noqa: S101 (see above)
            return key, was, will

        moving = moves(before, after) if before else None
        return Simulation(before, after, moving, await _taking_turns(one, keys))

    def _alone(self, revision: Revision) -> Table:
        """A revision's own routes, were every build to have endpoints."""
        gateway = self._gateway(revision.spec, "")
        table = table_of([View(gateway, revision, {}, lends=False)], hosts_of(revision.spec, gateway)[0])
        assert table is not None  # noqa: S101 (it answers to its own host)
        return table

    def _table(self, gateway: Gateway, host: str) -> Table:
        heads = [self._state.existing(name) for name in self._state.names()]
        claimed = {
            head.deployment: hosts_of(head.spec, gateway)
            for head in heads
            if head.spec.gateways is None or gateway.name in head.spec.gateways
        }
        domain = domain_of(host, {each for hosts in claimed.values() for each in hosts}, gateway)
        now = time.time()
        views = [self._state.view(name, gateway, now) for name, hosts in claimed.items() if domain in hosts]
        table = table_of([view for view in views if view is not None], domain) if domain else None
        if table is None:
            raise _nobody(gateway, host)
        return table

    def _gateway(self, spec: Deployment, wanted: str) -> Gateway:
        """The gateway asked for, or the first with Envoys that serves a deployment."""
        if wanted:
            self._state.check_gateway(wanted)
        serving = [
            gateway
            for name, gateway in self._state.gateways.items()
            if (spec.gateways is None or name in spec.gateways) and wanted in ("", name)
        ]
        if not serving:
            raise NotFound(f"{spec.name} is not served by {f'gateway {wanted}' if wanted else 'any gateway'}")
        for gateway in serving:
            if gateway.mode != PROXYLESS:
                return gateway
        fault = "gRPC clients choose for themselves there, by chance"
        raise InvalidInput([Fault("request", 0, "gateway", fault, "name one with Envoys")])


def explain_views(views: Sequence[View], name: str, request: Request, keys: Sequence[bytes]) -> Told | None:
    """The same without a server; None where the deployment isn't among them.

    Args:
        views: all that a gateway serves.
        name: of the deployment.
        request: what is asked.
        keys: as for `Explained.explain`.

    Raises:
        NotFound, InvalidInput: as `Explained.explain`.
    """
    own = next((view for view in views if view.revision.deployment == name), None)
    if own is None:
        return None
    spec = own.revision.spec
    _check_keys(spec, keys)
    asked = _complete(request, spec, own.gateway)
    hosts = {host for view in views for host in hosts_of(view.revision.spec, view.gateway)}
    domain = domain_of(asked.host, hosts, own.gateway)
    table = table_of(views, domain) if domain else None
    if table is None:
        raise _nobody(own.gateway, asked.host)
    requests = [keyed(spec, asked, key) for key in keys] or [asked]
    return Told(
        table, own.revision, [explain(table.routes, table.revisions, each, table.down) for each in requests]
    )


def _complete(request: Request, spec: Deployment, gateway: Gateway) -> Request:
    """The request with the deployment's own host and path where it says none."""
    path = spec.path_prefix.encode()
    target = request.target if request.target.startswith(b"/") else path + request.target
    host = request.host or hosts_of(spec, gateway)[0]
    return dataclasses.replace(request, host=host, target=target)


def _nobody(gateway: Gateway, host: str) -> NotFound:
    return NotFound(f"no deployment on gateway {gateway.name} answers to the host {host!r}")


def _of_key(table: Table, key: bytes) -> Explanation:
    (revision,) = table.revisions.values()
    spec = revision.spec
    target = spec.path_prefix.encode()
    models = spec.models
    request = Request(target=target, host=table.host, model=models[0] if models else None)
    return explain(table.routes, table.revisions, keyed(spec, request, key))


def _check_keys(spec: Deployment, keys: Sequence[bytes]) -> None:
    if keys and not spec.canary.is_sticky:
        message = f"{spec.name} is split by chance: it has no keys"
        raise InvalidInput([Fault("request", 0, "keys", message, "leave them out, or set route_type")])


async def _taking_turns(one: Callable[[A], T], each: Sequence[A]) -> list[T]:
    """Do it with each, without keeping others waiting for long."""
    done: list[T] = []
    end = time.monotonic() + _TURN
    for item in each:
        done.append(one(item))
        if time.monotonic() > end:
            await asyncio.sleep(0)
            end = time.monotonic() + _TURN
    return done
