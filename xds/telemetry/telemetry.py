"""All that Envoys report, and the answers: the signatures, so far."""

from collections.abc import Callable, Iterable

from xds.telemetry.records import Intake, Point, Reporter, Scope, Summary

RevisionOf = Callable[[str, str], int | None]
"""Deployment and build key -> the number of the deployment's newest revision; None: no build of ours."""


class Telemetry:
    """What Envoys report about versions, and how they do.

    Args:
        revision_of: which revision a number counts to.
    """

    def __init__(self, revision_of: RevisionOf) -> None:
        self._revision_of = revision_of

    def intake(self) -> Intake:
        """What came in, for whoever watches the watcher."""
        raise NotImplementedError

    def summary(self, scope: Scope, span: float, now: float) -> Summary:
        """A scope over the last `span` seconds, the present window included.

        Up to an hour ago it is known to 5 s, up to a day to a minute.
        """
        raise NotImplementedError

    def series(self, scope: Scope, step: float, span: float, now: float) -> list[Point]:
        """The same in steps of a multiple of 5 s (beyond an hour: of a minute), oldest first."""
        raise NotImplementedError

    def in_flight(self, deployment: str, build: str, now: float) -> int | None:
        """Requests on a build at this moment, on all live Envoys; None where none of them says so."""
        raise NotImplementedError

    def scopes(self, deployment: str | None = None) -> Iterable[Scope]:
        """Everything there are numbers of: each with build, gateway and revision."""
        raise NotImplementedError

    def envoys(self, now: float) -> tuple[Reporter, ...]:
        """Who reports, and who did until a short while ago."""
        raise NotImplementedError

    def healthy_by_quorum(self, deployment: str, build: str, now: float) -> bool | None:
        """Whether most Envoys that report on a build see a healthy endpoint; None where none reports."""
        raise NotImplementedError
