"""What to type next, from how a deployment is doing: the worst comes first."""

from collections.abc import Sequence

from xds.cli.shapes import MAIN, number
from xds.cli.words import fate
from xds.stubs import canary_admin_v1_pb2 as pb


def next_command(deployment: pb.Deployment) -> str:  # noqa: PLR0911 (one for each trouble)
    """A command, and after `#` why."""
    name, convergence = deployment.name, deployment.convergence
    if deployment.deleted:
        return f"canary undelete {name} # it is out of service"
    if convergence.rejections:
        return _after_rejection(name, convergence.rejections)
    for version in deployment.versions:
        if version.waiting_for_endpoints and (version.weight or version.label == MAIN):
            return _find_endpoints(version)
    for version in deployment.versions:
        if version.unhealthy and (version.weight or version.effective_weight):
            return _leave(name, version)
    if not convergence.envoys:
        return "canary fleet # no Envoy of its gateways is connected"
    if convergence.in_sync < convergence.envoys:
        behind = convergence.envoys - convergence.in_sync
        return f"canary wait {name} --for applied # {behind} of {convergence.envoys} Envoys to go"
    if deployment.notes:
        return f"canary get {name} -o yaml # {deployment.notes[0]}"
    return _shift(deployment)


def _after_rejection(name: str, rejections: Sequence[str]) -> str:
    """Back to what was before, if it is this deployment that an Envoy rejects."""
    for rejection in rejections:
        node, _, said = rejection.partition(": ")
        what = said.partition(": ")[0].rpartition(" ")[2]
        if what == name or what.startswith(f"{name}_"):
            return f"canary rollback {name} # {node} rejects this revision (canary fleet {node} shows all)"
    node, _, said = rejections[0].partition(": ")
    return f"canary fleet {node} # it rejects {said.partition(': ')[0]}, which many share"


def _find_endpoints(version: pb.Version) -> str:
    if version.known_endpoints:
        known = f"{len(version.endpoints)} of {version.known_endpoints} can be used"
        return (
            f"canary endpoints {version.build} # {version.label} waits: {known}, it needs {_needs(version)}"
        )
    return f"canary endpoints add {version.build} HOST:PORT # {version.label} has no endpoint"


def _leave(name: str, version: pb.Version) -> str:
    """Away from a canary that is down; of `main`, nobody knows whereto."""
    label, what = version.label, fate(version)
    if label == MAIN:
        return (
            f"canary endpoints {version.build} # main is unhealthy: {what}; add endpoints that answer, "
            "or roll back"
        )
    return f"canary abort {name} # or add endpoints to {version.build}: {label} is unhealthy, {what}"


def _needs(version: pb.Version) -> int:
    return max(1, version.min_endpoints)


def _shift(deployment: pb.Deployment) -> str:
    name = deployment.name
    canaries = [version for version in deployment.versions if version.label != MAIN]
    live = [version for version in canaries if version.weight]
    if live:
        label, share = live[0].label, number(live[0].weight)
        return f"canary promote {name} {label} # or abort, or set-weight {name} {label}=...: it has {share} %"
    ready = [version for version in canaries if not version.unhealthy]
    if ready:
        return f"canary set-weight {name} {ready[0].label}=1 # all is well, and on main"
    if canaries:
        build, label = canaries[0].build, canaries[0].label
        return f"canary endpoints {build} # {label} is unhealthy; everything is on main"
    return "nothing: all is well"
