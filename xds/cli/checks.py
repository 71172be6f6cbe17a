"""What `canary doctor` looks for, in what it has seen. Pure: from messages to findings.

A problem is what users or operators notice now; a warning what they may.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

from xds import __version__
from xds.cli.output import counted
from xds.cli.shapes import MAIN
from xds.cli.words import fails, fate, source_problem
from xds.client.connection import is_loopback
from xds.stubs import canary_admin_v1_pb2 as pb

_SKEW = 2.0
"""Seconds that clocks may be apart before leases, expiries and histories look odd."""
_LARGE_SKEW = 60.0
_OPEN = "anybody"
_NAMED = 2
"""Of many deployments so many are named."""


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclasses.dataclass(frozen=True)
class Finding:
    """One line: what was looked at, how it is, and what to do about it ("" where nothing is to do)."""

    check: str
    level: Level
    text: str
    mend: str = ""


@dataclasses.dataclass(frozen=True)
class Seen:
    """What there is to judge.

    Attributes:
        address: whom was asked, `host:port`.
        server: what it says of itself.
        ahead: seconds its clock is ahead of this machine's.
        unsure: seconds by which that may be wrong: half the time the answer took.
        envoys: those connected.
        stuck: ids of those that were waiting for something, and still are some seconds later.
    """

    address: str
    server: pb.Server
    ahead: float
    unsure: float
    envoys: Sequence[pb.Envoy]
    stuck: frozenset[str]
    gateways: Sequence[pb.Gateway]
    deployments: Sequence[pb.Deployment]


def findings(seen: Seen) -> list[Finding]:
    """Everything, check by check; each check has at least a line."""
    checks = (
        ("server", _server(seen), f"{seen.address} answers, version {seen.server.version}"),
        ("access", _access(seen.server), _who(seen.server)),
        ("clock", _clock(seen), f"this machine and the server agree ({abs(seen.ahead):.1f} s apart)"),
        ("envoys", _envoys(seen), f"{counted(len(seen.envoys), 'Envoy')} connected"),
        ("turned-away", _turned_away(seen), "no Envoy was turned away"),
        ("updates", _updates(seen), "no Envoy rejects anything or waits for long"),
        ("features", _features(seen.deployments), "every Envoy can do all that is asked of it"),
        ("deployments", _deployments(seen.deployments), counted(len(seen.deployments), "deployment")),
        ("specs", _specs(seen.server), "no file of the specs folder is broken"),
        ("sources", _sources(seen.server), _polled(seen.server)),
    )
    return [
        finding
        for check, found, fine in checks
        for finding in (list(found) or [Finding(check, Level.OK, fine)])
    ]


def no_answer(why: str) -> Finding:
    """The one finding there is where the server can't be reached, or won't answer."""
    text, bracket, mend = why.partition(" (")
    return Finding("server", Level.PROBLEM, text, mend.removesuffix(")") if bracket else "")


def _server(seen: Seen) -> Iterator[Finding]:
    if seen.server.version != __version__:
        yield Finding(
            "server",
            Level.WARNING,
            f"{seen.address} answers, version {seen.server.version}; this command is {__version__}",
            "install the same",
        )


def _access(server: pb.Server) -> Iterator[Finding]:
    mend = "canary serve --tls-cert --tls-key; fine in a network that nobody else reaches"
    if not is_loopback(server.admin_address):
        if not server.admin_tls:
            yield Finding(
                "access", Level.WARNING, f"the admin API on {server.admin_address} has no TLS", mend
            )
        if _OPEN in server.admin_access:
            yield Finding(
                "access",
                Level.WARNING,
                f"anybody who reaches {server.admin_address} may change deployments",
                "canary serve --admin-tokens or --client-ca",
            )
    if not is_loopback(server.xds_address) and not server.xds_tls:
        yield Finding("access", Level.WARNING, f"xDS on {server.xds_address} has no TLS", mend)


def _who(server: pb.Server) -> str:
    allowed = " and ".join(server.admin_access) or "nobody"
    tls = "TLS" if server.admin_tls else "no TLS"
    return f"the admin API has {tls} and admits {allowed}; you are {server.caller}"


def _clock(seen: Seen) -> Iterator[Finding]:
    apart, side = abs(seen.ahead), "ahead of" if seen.ahead > 0 else "behind"
    if apart - seen.unsure > _SKEW:
        yield Finding(
            "clock",
            Level.PROBLEM if apart > _LARGE_SKEW else Level.WARNING,
            f"the server's clock is {apart:.1f} s {side} this machine's",
            "set both by NTP: expiries of tokens and certificates go by them",
        )


def _envoys(seen: Seen) -> Iterator[Finding]:
    if not seen.envoys:
        level = Level.PROBLEM if seen.deployments else Level.WARNING
        yield Finding("envoys", level, "no Envoy is connected", "start one with what canary bootstrap writes")
        return
    for gateway in seen.gateways:
        if gateway.deployments and not gateway.envoys:
            served = counted(gateway.deployments, "deployment")
            yield Finding(
                "envoys",
                Level.WARNING,
                f"no Envoy of gateway {gateway.name} is connected; it has {served}",
                f"canary bootstrap --gateway {gateway.name} writes the file one starts with",
            )


def _turned_away(seen: Seen) -> Iterator[Finding]:
    inside = {envoy.id for envoy in seen.envoys}
    for envoy in seen.server.turned_away:
        times = "once" if envoy.times == 1 else f"{envoy.times} times"
        who = f"{envoy.id or 'an Envoy without id'} (cluster {envoy.cluster or 'none'})"
        here = envoy.id in inside
        yield Finding(
            "turned-away",
            Level.WARNING if here else Level.PROBLEM,
            f"{who}, {times}: {envoy.reason}",
            "it is connected now"
            if here
            else "its node.cluster is to be a gateway's name, or among its nodes",
        )


def _updates(seen: Seen) -> Iterator[Finding]:
    for envoy in seen.envoys:
        for rejection in envoy.rejections:
            yield Finding(
                "updates",
                Level.PROBLEM,
                f"{envoy.id} rejects {rejection}",
                f"canary fleet {envoy.id} shows all",
            )
        if envoy.id in seen.stuck:
            waiting = counted(envoy.waiting, "resource")
            yield Finding(
                "updates",
                Level.WARNING,
                f"{envoy.id} waits for {waiting}",
                f"canary fleet {envoy.id} shows which",
            )


def _features(deployments: Iterable[pb.Deployment]) -> Iterator[Finding]:
    for deployment in deployments:
        for limit in deployment.convergence.limited:
            yield Finding("features", Level.WARNING, f"{deployment.name}: {limit}", "install a newer Envoy")


def _deployments(deployments: Sequence[pb.Deployment]) -> Iterator[Finding]:
    for deployment in deployments:
        for note in deployment.notes:
            look = f"canary get {deployment.name} shows it"
            yield Finding("deployments", Level.WARNING, f"{deployment.name}: {note}", look)
        for version in deployment.versions:
            if version.waiting_for_endpoints and (version.weight or version.label == MAIN):
                yield _without_endpoints(deployment.name, version)
    yield from _unhealthy(deployments)


def _unhealthy(deployments: Iterable[pb.Deployment]) -> Iterator[Finding]:
    """A line for each build that is down, however many deployments run it."""
    users: dict[tuple[str, str], list[str]] = {}
    seen: dict[tuple[str, str], pb.Version] = {}
    for deployment in deployments:
        for version in deployment.versions:
            if version.unhealthy and not version.waiting_for_endpoints:
                place = version.build, fate(version)
                seen.setdefault(place, version)
                users.setdefault(place, []).append(f"{version.label} of {deployment.name}")
    for (build, what), who in users.items():
        version = seen[build, what]
        level = Level.PROBLEM if fails(version) else Level.WARNING
        text = f"{build} is unhealthy, {what}: {_some(who)}; {version.unhealthy}"
        yield Finding("deployments", level, text, f"canary endpoints {build} shows where")


def _without_endpoints(name: str, version: pb.Version) -> Finding:
    if version.known_endpoints:
        usable = f"{len(version.endpoints)} of {version.known_endpoints} endpoints usable"
        mend = f"canary endpoints {version.build} shows why"
    else:
        usable = "no endpoint"
        mend = f"canary endpoints add {version.build} HOST:PORT"
    main = version.label == MAIN
    users = "its users get 503" if main else "main serves its share"
    level = Level.PROBLEM if main else Level.WARNING
    return Finding("deployments", level, f"{name}: {version.label} has {usable}; {users}", mend)


def _specs(server: pb.Server) -> Iterator[Finding]:
    for fault in server.spec_faults:
        yield Finding("specs", Level.PROBLEM, fault, "mend the file; what was applied from it before stays")


def _sources(server: pb.Server) -> Iterator[Finding]:
    for source in server.endpoint_sources:
        if source.problem:
            yield Finding(
                "sources",
                Level.WARNING,
                source_problem(source),
                f"mend it; its last good list of {counted(source.endpoints, 'endpoint')} stays",
            )


def _polled(server: pb.Server) -> str:
    number = len(server.endpoint_sources)
    return f"{counted(number, 'source')} polled, without a problem" if number else "no endpoints are polled"


def _some(names: Sequence[str]) -> str:
    """`chat, batch and 104 more`."""
    rest = len(names) - _NAMED
    if rest > 1:
        return f"{', '.join(names[:_NAMED])} and {rest} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
