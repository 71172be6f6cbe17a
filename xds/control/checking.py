"""The server's own look at endpoints: what there is to check, and what follows from what was seen.

Only builds in force are checked, and only where they could lend: in deployments with a canary, whose
slots go to `main` for want of health (`lend_when`). How to look is the version's `health_check` as far
as this machine can do it; else whether the port takes a connection. It decides for builds as a whole;
single endpoints are Envoy's business.

What the Envoys agree on (`membership_healthy` in their reports) is heeded beside it. That endpoints are
healthy means something only where Envoys check them; that none is, wherever they say so: by checks of
theirs or because they set aside what fails (`outlier_detection`).
"""

import structlog

from xds.control.health import Agreed, Check
from xds.control.publisher import Publisher
from xds.control.state import State
from xds.revisions.record import Revision
from xds.spec.deployment import MAIN
from xds.spec.endpoints import Endpoint
from xds.spec.levels import first_said
from xds.spec.upstream import ClusterSettings, HealthCheck
from xds.telemetry.telemetry import Telemetry

_AT_ONCE = 1_000
"""Deployments whose checks are made up anew at a time; streams wait meanwhile."""

_WAYS = ("health_check", "protocol", "tls")
"""The settings that say how to look."""

_NOTHING = ClusterSettings()
_CONNECT = HealthCheck(type="tcp", timeout=1.0)
"""How to look where nobody says."""

_REPORTED = 15.0
"""Seconds until most Envoys have reported what they found."""

log = structlog.get_logger(__name__)


class HealthControl:
    """What there is to check. Whoever looks says what was seen, and after each round `settle`."""

    def __init__(self, state: State, publisher: Publisher, telemetry: Telemetry) -> None:
        self._state = state
        self._publisher = publisher
        self._telemetry = telemetry

    def checks(self) -> tuple[Check, ...]:
        """Everything that is to be looked at now; of many deployments that changed, those first in turn."""
        for name in self._state.take_unwatched(_AT_ONCE):
            head = self._state.head(name)
            main = head.builds[head.labels[MAIN]] if head is not None else ""
            self._state.health.watch(name, main, _checks(self._state, head) if head is not None else {})
        return self._state.health.checks()

    def heard(self, check: Check, problem: str | None) -> None:
        """An endpoint was looked at.

        Args:
            check: how.
            problem: what went wrong; "": nothing did; None: it can't be said from here.
        """
        if self._state.health.hear(check, problem):
            self._publisher.pulse.beat()
            where = f"{check.address}:{check.port}"
            if problem:
                log.warning("endpoint unhealthy", endpoint=where, problem=problem)
            else:
                log.info("endpoint healthy again", endpoint=where)

    def settle(self) -> None:
        """Everything was looked at: let builds lend, or have their slots back."""
        now, health = self._state.clock(), self._state.health
        for name in health.in_doubt() | {cluster.partition("_")[0] for cluster in self._telemetry.doubted()}:
            health.heed(name, self._agreed(name, now))
        for turn in health.settle(now):
            for ref in sorted(turn.lend):
                log.warning("unhealthy: main serves its share", deployment=turn.deployment, build=ref)
            for ref in sorted(turn.back):
                log.info("healthy: has its share again", deployment=turn.deployment, build=ref)
            self._publisher.touch([turn.deployment])

    def lent(self) -> dict[tuple[str, ...], int]:
        """By deployment and ref of each canary that has slots: how many of them `main` serves."""
        lent: dict[tuple[str, ...], int] = {}
        for name in self._state.names():
            head = self._state.existing(name)
            lending: frozenset[str] | None = None
            for key, slots in head.slots.shares().items():
                if key == head.labels[MAIN]:
                    continue
                if lending is None:
                    lending = self._state.lending(head, self._state.endpoints)
                lent[name, head.builds[key]] = slots if key in lending else 0
        return lent

    def _agreed(self, name: str, now: float) -> dict[str, Agreed]:
        """What the Envoys agree on about a deployment's builds, by ref."""
        head = self._state.head(name)
        if head is None:
            return {}
        agreed: dict[str, Agreed] = {}
        for label, key in head.labels.items():
            healthy = self._telemetry.healthy_by_quorum(name, key, now)
            if healthy is False:
                agreed[head.builds[key]] = Agreed(healthy=False)
            elif healthy and (check := _said(self._state, head, label).health_check):
                agreed[head.builds[key]] = Agreed(healthy=True, lag=_lag(check))
        return agreed


def _lag(check: HealthCheck) -> float:
    """Seconds until a death shows in most Envoys' reports."""
    return check.unhealthy_threshold * (check.interval + check.timeout) + _REPORTED


def _checks(state: State, head: Revision) -> dict[str, dict[str, Check]]:
    """The checks of a deployment's builds; none where nothing could be lent."""
    if len(set(head.builds.values())) == 1 or state.lend_when(head) != "unhealthy":
        return {}
    checks: dict[str, dict[str, Check]] = {}
    for label, key in head.labels.items():
        said = _said(state, head, label)
        endpoints = state.endpoints.get(head.builds[key], ())
        places = {str(each): _check(each, said, head.deployment) for each in endpoints}
        checks.setdefault(head.builds[key], places)
    return checks


def _said(state: State, head: Revision, label: str) -> ClusterSettings:
    """What decides how to look."""
    said = first_said(_WAYS, state.levels(head, label))
    return _NOTHING.model_copy(update=said) if said else _NOTHING


def _check(endpoint: Endpoint, said: ClusterSettings, host: str) -> Check:
    """How to look at an endpoint: as it says, unless that takes TLS, or HTTP/2 without gRPC."""
    wish = said.health_check or _CONNECT
    able = said.tls is None and (wish.type == "grpc" or said.protocol in (None, "http1"))
    kind = wish.type if able else "tcp"
    path, name = (wish.path, host) if kind == "http" else ("", "")
    return Check(endpoint.address, endpoint.port, kind, path, name, wish.timeout)
