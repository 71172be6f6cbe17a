"""Whose slots `main` serves because none of their endpoints answers the server's checks, or the Envoys'.

    endpoint    unhealthy once it failed so many checks in a row; healthy again at the first success.
                Without a verdict (not looked at yet, or it can't be from here) it counts as healthy.
    build       unhealthy while all of its endpoints are. It lends its slots then, and goes on doing so
                until it was healthy for a while: those who come back are not to be thrown out at once.

The Envoys have a say of their own (`Agreed`), where a quorum of them is of one mind about a build. That none
of its endpoints is healthy counts at once, whatever the server sees: they are the ones who route. That
some are counts as soon as they have had time to notice a death: the server is quicker, and may be cut off.

Lending only helps where `main` is better off. If nothing of a deployment answers, it is likelier the
server that is cut off, and nothing is lent. Nor is it in the moment before that is clear, or after:
`main` has to have answered as often in a row as the build has failed.

No I/O and no clock here: who looks says what was seen, and when.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Literal

FAILURES = 2
"""Failed checks in a row that make an endpoint unhealthy."""

HOLD = 5.0
"""Seconds a build has to be healthy until it has its slots back."""


@dataclasses.dataclass(frozen=True)
class Check:
    """A way to look at a place. Builds that ask for the same share what is seen.

    Attributes:
        path: what an http check asks for, and by which `host`.
        timeout: seconds until no answer is a failure.
    """

    address: str
    port: int
    kind: Literal["tcp", "http", "grpc"] = "tcp"
    path: str = ""
    host: str = ""
    timeout: float = 1.0


@dataclasses.dataclass(frozen=True)
class Agreed:
    """What the Envoys agree on about a build.

    Attributes:
        healthy: whether an endpoint of it can be used.
        lag: seconds a death may take to make them change their minds.
    """

    healthy: bool
    lag: float = 0.0


@dataclasses.dataclass(frozen=True)
class Turn:
    """What changed in a deployment: builds that lend from now on, and builds that have their slots back."""

    deployment: str
    lend: frozenset[str]
    back: frozenset[str]


Checks = Mapping[str, Mapping[str, Check]]
"""The checks of a deployment: by build ref, and by `host:port`."""


class Health:
    """What is known of the endpoints that are looked at, and which builds lend for it."""

    def __init__(self) -> None:
        self._main: dict[str, str] = {}
        self._builds: dict[str, Checks] = {}
        self._users: defaultdict[Check, set[str]] = defaultdict(set)
        self._streaks: dict[Check, int] = {}
        """Successes in a row, or (negative) failures. Nothing: no verdict."""
        self._problems: dict[Check, str] = {}
        self._agreed: dict[str, Mapping[str, Agreed]] = {}
        self._down: dict[tuple[str, str], float] = {}
        """By deployment and build: since when the server has seen no healthy endpoint."""
        self._suspects: set[str] = set()
        """The deployments in which something may change when the dust settles."""
        self._lending: dict[str, dict[str, float | None]] = {}
        """By deployment the builds that lend, and since when each is healthy again."""

    def watch(self, deployment: str, main: str, builds: Checks) -> None:
        """Look after these builds of a deployment from now on, and no others; none: not after it at all.

        Args:
            deployment: its name.
            main: the build that others lend to.
            builds: the checks of all its builds, `main`'s too.
        """
        before = set(self._checks_of(deployment))
        self._main[deployment], self._builds[deployment] = main, builds
        after = set(self._checks_of(deployment))
        for check in after - before:
            self._users[check].add(deployment)
        for check in before - after:
            self._users[check].discard(deployment)
            if not self._users[check]:
                for known in (self._users, self._streaks, self._problems):
                    known.pop(check, None)
        if not builds:
            del self._main[deployment], self._builds[deployment]
            self._agreed.pop(deployment, None)
        if deployment in self._lending or any(self._streaks.get(check, 0) < 0 for check in after):
            self._suspects.add(deployment)

    def checks(self) -> tuple[Check, ...]:
        """Everything that is to be looked at."""
        return tuple(self._users)

    def hear(self, check: Check, problem: str | None) -> bool:
        """Take note of what was seen; returns whether somebody is healthy, or unhealthy, since.

        Args:
            check: how it was looked at.
            problem: what went wrong; "": nothing did; None: it can't be said from here.
        """
        if check not in self._users:
            return False
        was_healthy, before = self._is_healthy(check), self._streaks.get(check, 0)
        if problem is None:
            self._streaks.pop(check, None)
        else:
            self._streaks[check] = min(before, 0) - 1 if problem else max(before, 0) + 1
        self._problems[check] = problem or ""
        if problem or before < 0:
            self._suspects |= self._users[check]
        return self._is_healthy(check) is not was_healthy

    def heed(self, deployment: str, agreed: Mapping[str, Agreed]) -> None:
        """Take note of what the Envoys agree on, by build ref; in place of what they did before."""
        if deployment in self._builds and agreed:
            self._agreed[deployment] = agreed
            self._suspects.add(deployment)
        else:
            self._agreed.pop(deployment, None)

    def in_doubt(self) -> frozenset[str]:
        """The deployments for which it matters what the Envoys say."""
        return frozenset(self._suspects)

    def settle(self, now: float) -> list[Turn]:
        """Decide who lends, after everybody was looked at; returns what that changes."""
        turns = []
        for name in sorted(self._suspects):
            before = self.lending(name)
            self._note_downs(name, now)
            self._lending[name] = self._lenders(name, now)
            after = self.lending(name)
            if after != before:
                turns.append(Turn(name, after - before, before - after))
            if not after:
                del self._lending[name]
                if all(self._streaks.get(check, 0) >= 0 for check in self._checks_of(name)):
                    self._suspects.discard(name)
        return turns

    def lending(self, deployment: str) -> frozenset[str]:
        """The builds of a deployment that lend their slots for want of health."""
        return frozenset(self._lending.get(deployment, ()))

    def problem(self, deployment: str, ref: str, where: str) -> str:
        """Why an endpoint (`host:port`) of a build is unhealthy; "" where it is not."""
        check = self._builds.get(deployment, {}).get(ref, {}).get(where)
        return "" if check is None or self._is_healthy(check) else self._problems[check]

    def why(self, deployment: str, ref: str) -> str:
        """Why a build lends: what is wrong with one of its endpoints."""
        agreed = self._agreed.get(deployment, {}).get(ref)
        if agreed is not None and not agreed.healthy:
            return "most Envoys find none of its endpoints healthy"
        checks = self._builds.get(deployment, {}).get(ref, {})
        problems = (
            f"{where}: {self._problems[check]}"
            for where, check in checks.items()
            if self._problems.get(check)
        )
        return next(problems, f"it answers again, for less than {HOLD:g} s")

    def _lenders(self, name: str, now: float) -> dict[str, float | None]:
        """Who lends, and since when they are healthy."""
        builds = self._builds.get(name, {})
        before, main = self._lending.get(name, {}), self._main.get(name, "")
        if not builds or self._is_ill(name, main, now):
            return {}
        lenders: dict[str, float | None] = {}
        for ref in builds:
            if ref == main:
                continue
            if self._is_ill(name, ref, now):
                if ref in before or self._is_sure(name, main, now):
                    lenders[ref] = None
            elif ref in before:
                since = before[ref]
                if not self._is_well(name, ref, now):
                    lenders[ref] = None
                elif since is None or now - since < HOLD:
                    lenders[ref] = now if since is None else since
        return lenders

    def _note_downs(self, name: str, now: float) -> None:
        """Remember since when the server has seen no healthy endpoint of a build."""
        builds = self._builds.get(name, {})
        down = {
            ref
            for ref, checks in builds.items()
            if checks and not any(map(self._is_healthy, checks.values()))
        }
        for place in [place for place in self._down if place[0] == name and place[1] not in down]:
            del self._down[place]
        for ref in down:
            self._down.setdefault((name, ref), now)

    def _is_overruled(self, name: str, ref: str, now: float) -> bool:
        """Whether the Envoys could know by now that a build is down, and find it healthy."""
        agreed, since = self._agreed.get(name, {}).get(ref), self._down.get((name, ref))
        return agreed is not None and agreed.healthy and since is not None and now - since >= agreed.lag

    def _is_ill(self, name: str, ref: str, now: float) -> bool:
        """Whether there are endpoints, and not a healthy one."""
        agreed = self._agreed.get(name, {}).get(ref)
        if agreed is not None and not agreed.healthy:
            return True
        return (name, ref) in self._down and not self._is_overruled(name, ref, now)

    def _is_well(self, name: str, ref: str, now: float) -> bool:
        """Whether an endpoint answered when it was looked at last, or can't be looked at."""
        checks = self._builds[name][ref]
        answers = any(self._streaks.get(check, 0) >= 0 for check in checks.values())
        return answers or self._is_overruled(name, ref, now)

    def _is_sure(self, name: str, ref: str, now: float) -> bool:
        """Whether an endpoint answers again and again, or can't be looked at."""
        streaks = [self._streaks.get(check, 0) for check in self._builds[name].get(ref, {}).values()]
        return self._is_overruled(name, ref, now) or any(
            streak >= FAILURES or streak == 0 for streak in streaks
        )

    def _is_healthy(self, check: Check) -> bool:
        return self._streaks.get(check, 0) > -FAILURES

    def _checks_of(self, name: str) -> Iterator[Check]:
        for checks in self._builds.get(name, {}).values():
            yield from checks.values()
