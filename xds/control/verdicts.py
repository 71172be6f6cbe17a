"""Which builds of a revision nobody can be sent to now, though they have endpoints: what is known of them.

Health (health.py) decides who lends; here is told who is down, `main` too, and those that can't lend because
it is. What the Envoys agree on goes before what the server sees: they are the ones who route.
"""

from xds.control.state import State
from xds.revisions.record import Revision
from xds.spec.levels import first_said
from xds.telemetry.telemetry import Telemetry

BY_ENVOYS = "most Envoys find none of its endpoints healthy"


class Verdicts:
    """What the server's checks and the Envoys' reports say of builds as a whole."""

    def __init__(self, state: State, telemetry: Telemetry) -> None:
        self._state = state
        self._telemetry = telemetry

    def of(self, revision: Revision) -> dict[str, str]:
        """The builds of a revision that are unhealthy, by ref: why. It need not be in force."""
        said = ((ref, self._why(revision, key, ref)) for key, ref in revision.builds.items())
        return {ref: why for ref, why in said if why}

    def _why(self, revision: Revision, key: str, ref: str) -> str:
        """What is wrong with a build; "" for nothing, or where it has no endpoints."""
        name, health = revision.deployment, self._state.health
        endpoints = self._state.endpoints.get(ref, ())
        if not endpoints:
            return ""
        if ref in health.lending(name):
            return health.why(name, ref)
        agreed = self._telemetry.healthy_by_quorum(name, key, self._state.clock())
        if agreed is False:
            return BY_ENVOYS
        first = ""
        for where in map(str, endpoints):
            problem = health.problem(name, ref, where)
            if not problem:
                return ""
            first = first or f"{where}: {problem}"
        return "" if agreed and self._is_checked(revision, key) else first

    def _is_checked(self, revision: Revision, key: str) -> bool:
        """Whether Envoys check a build; to those that don't, everything is healthy."""
        levels = self._state.levels(revision, revision.label_of(key))
        return bool(first_said(("health_check",), levels).get("health_check"))
