"""Who claims which host and path on which gateway: no two deployments may claim the same.

Deployments that are told apart by the model in the body may share them: each claims its models there,
and one without any claims the rest.
"""

import dataclasses
from collections.abc import Iterable

from xds.spec.deployment import Deployment
from xds.spec.faults import Fault
from xds.spec.gateway import Gateway
from xds.spec.keys import nearest


@dataclasses.dataclass(frozen=True)
class Claim:
    """A deployment's claim to one host and path, or to one model there.

    Attributes:
        gateway: the gateway's name.
        host: as requests name it, lower case, without port; wildcards as they stand.
        path_prefix: what it answers below.
        deployment: whose it is.
        file: where it says so.
        line: 0 where there is no line.
        model: "" is whatever nobody else has.
    """

    gateway: str
    host: str
    path_prefix: str
    deployment: str
    file: str = ""
    line: int = 0
    model: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What only one deployment may have."""
        return self.gateway, self.host, self.path_prefix, self.model

    @property
    def place(self) -> str:
        """`file:line`, or as much of it as is known."""
        return f"{self.file}:{self.line}" if self.line else self.file


def hosts_of(deployment: Deployment, gateway: Gateway) -> tuple[str, ...]:
    """The hosts a deployment answers to on a gateway: its own, or made up from its name."""
    if deployment.hosts is not None:
        return deployment.hosts
    name = deployment.name
    return (name, f"{name}.{gateway.domain}") if gateway.domain else (name,)


def claims_of(
    deployment: Deployment, gateways: Iterable[Gateway], file: str = "", line: int = 0
) -> tuple[Claim, ...]:
    """What a deployment claims on those of the gateways that serve it."""
    return tuple(
        Claim(gateway.name, host, deployment.path_prefix, deployment.name, file, line, model)
        for gateway in gateways
        if deployment.gateways is None or gateway.name in deployment.gateways
        for host in hosts_of(deployment, gateway)
        for model in deployment.models or ("",)
    )


def conflicts(claims: Iterable[Claim]) -> list[Fault]:
    """A fault for each claim to what another deployment has claimed before it, in the order given."""
    holders: dict[tuple[str, str, str, str], Claim] = {}
    clashes: dict[tuple[Claim, Claim], list[str]] = {}
    for claim in claims:
        holder = holders.setdefault(claim.key, claim)
        if holder.deployment != claim.deployment:
            anywhere = (dataclasses.replace(claim, gateway=""), dataclasses.replace(holder, gateway=""))
            clashes.setdefault(anywhere, []).append(claim.gateway)
    return [_fault(claim, holder, gateways) for (claim, holder), gateways in clashes.items()]


def _fault(claim: Claim, holder: Claim, gateways: list[str]) -> Fault:
    where = f"on gateway {gateways[0]}" if len(gateways) == 1 else f"on gateways {', '.join(gateways)}"
    place = f" ({holder.place})" if holder.place else ""
    model = f"the model {claim.model} at " if claim.model else ""
    return Fault(
        claim.file,
        claim.line,
        "match.model" if claim.model else "hosts",
        f"{claim.deployment} claims {model}{claim.host}{claim.path_prefix} {where},"
        f" which {holder.deployment} has{place}",
        "name it in one of them only" if claim.model else "give one of them another host or path_prefix",
    )


def unknown_gateways(
    deployment: Deployment, gateways: Iterable[Gateway], file: str = "", line: int = 0
) -> list[Fault]:
    """A fault for each gateway a deployment names that there is not."""
    known = [gateway.name for gateway in gateways]
    return [
        Fault(file, line, f"gateways[{index}]", f"there is no gateway {name}", _other(name, known))
        for index, name in enumerate(deployment.gateways or ())
        if name not in known
    ]


def _other(name: str, known: list[str]) -> str:
    return nearest(name, known) or f"there are: {', '.join(known)}"
