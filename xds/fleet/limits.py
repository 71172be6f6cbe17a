"""Which Envoys can't do what a deployment asks for, and what they do instead."""

from collections.abc import Iterable

from xds.discovery.request import Node
from xds.fleet.profile import STICKY_SPLITS_SINCE, profile_of
from xds.spec.deployment import Deployment
from xds.spec.faults import Fault

_SINCE = ".".join(map(str, STICKY_SPLITS_SINCE[:2]))
_INSTEAD = {
    "main": "everyone gets main",
    "random": "every request may get another version",
    "refuse": "everyone gets main",
}


def limits(spec: Deployment, nodes: Iterable[Node]) -> tuple[str, ...]:
    """The Envoys that can't serve a deployment as it is written: `<id> (Envoy 1.35.0): <reason>`.

    None while there is no split to be kept: without weights, or with everything on one version.
    """
    reason = _reason(spec)
    limited = {node.id: node for node in nodes if not profile_of(node).sticky_splits} if reason else {}
    return tuple(f"{id_} (Envoy {_version(node)}): {reason}" for id_, node in sorted(limited.items()))


def refused(spec: Deployment, nodes: Iterable[Node], file: str, line: int = 0) -> list[Fault]:
    """Why a deployment that says `on_unsupported: refuse` can't be applied while these Envoys are there.

    Args:
        spec: what is to be applied.
        nodes: the Envoys connected to its gateways.
        file: where it was said.
        line: the same.
    """
    if spec.canary.on_unsupported != "refuse":
        return []
    mend = f"upgrade it to Envoy {_SINCE}, or choose main or random"
    return [
        Fault(file, line, "canary.on_unsupported", f"refuses {limit.partition(';')[0]}", mend)
        for limit in limits(spec, nodes)
    ]


def _reason(spec: Deployment) -> str:
    if spec.match:
        return f"can't look for the model in a body before {_SINCE}; nobody gets here"
    if not spec.canary.is_sticky or 100 in spec.weights().values():  # noqa: PLR2004 (percent)
        return ""
    return f"can't keep people on a version before {_SINCE}; {_INSTEAD[spec.canary.on_unsupported]}"


def _version(node: Node) -> str:
    return ".".join(map(str, node.version or ()))
