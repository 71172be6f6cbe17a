"""Which Envoys can't do what a deployment asks for, and what they do instead."""

from collections.abc import Collection, Iterable, Iterator

from xds.discovery.hub import Hub
from xds.discovery.request import Node
from xds.fleet.profile import OTHER_VERSION_SINCE, STICKY_SPLITS_SINCE, Profile, profile_of
from xds.spec.deployment import Deployment
from xds.spec.faults import Fault

_SINCE = ".".join(map(str, STICKY_SPLITS_SINCE[:2]))
_ELSEWHERE_SINCE = ".".join(map(str, OTHER_VERSION_SINCE[:2]))
_INSTEAD = {
    "main": "everyone gets main",
    "random": "every request may get another version",
    "refuse": "everyone gets main",
}


_ELSEWHERE = "can't try another version"


def limits(spec: Deployment, nodes: Iterable[Node]) -> tuple[str, ...]:
    """The Envoys that can't serve a deployment as it is written: `<id> (Envoy 1.35.0): <reason>`.

    None of a split while there is none: without weights, or with everything on one version.
    """
    by_id = {node.id: node for node in nodes}
    return tuple(
        f"{id_} (Envoy {_version(node)}): {reason}"
        for id_, node in sorted(by_id.items())
        for reason in _reasons(spec, profile_of(node))
    )


def limited(spec: Deployment, hub: Hub, gateways: Collection[str]) -> Iterator[Node]:
    """The Envoys of some gateways that can't serve a deployment as it is written; no others are looked at."""
    for target in hub.targets():
        if target.gateway in gateways and any(_reasons(spec, Profile(target.profile))):
            yield from (stream.node for stream in hub.streams_of(target))


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
        for limit in limits(spec, (node for node in nodes if not profile_of(node).sticky_splits))
        if _ELSEWHERE not in limit
    ]


def _reasons(spec: Deployment, profile: Profile) -> Iterator[str]:
    splits = 100 not in spec.weights().values()  # noqa: PLR2004 (percent)
    if spec.match and not profile.reads_models:
        yield f"can't look for the model in a body before {_SINCE}; nobody gets here"
    elif spec.canary.is_sticky and splits and not profile.sticky_splits:
        yield f"can't keep people on a version before {_SINCE}; {_INSTEAD[spec.canary.on_unsupported]}"
    if spec.retry and spec.retry.on_other_version and splits and not profile.other_version:
        yield f"{_ELSEWHERE} before {_ELSEWHERE_SINCE}; it tries the same one again"


def _version(node: Node) -> str:
    return ".".join(map(str, node.version or ()))
