"""The admin API's messages as plain data: what `-o json` prints and scripts rely on."""

import json
from collections.abc import Mapping
from typing import TypeAlias

from xds.stubs import canary_admin_v1_pb2 as pb

MAIN = "main"

Data: TypeAlias = dict[str, object]
"""What JSON and YAML are written from."""


def deployment_data(deployment: pb.Deployment) -> Data:
    """Everything about a deployment; scripts rely on `name`, `revision` and `weights`."""
    return {
        "name": deployment.name,
        "revision": deployment.revision.number,
        "weights": {version.label: number(version.weight) for version in deployment.versions},
        "versions": {version.label: _version_data(version) for version in deployment.versions},
        "change": _origin_data(deployment.revision),
        "envoys": {
            "connected": deployment.convergence.envoys,
            "in_sync": deployment.convergence.in_sync,
            "rejections": list(deployment.convergence.rejections),
            "limited": list(deployment.convergence.limited),
        },
        "notes": list(deployment.notes),
        "deleted": deployment.deleted,
        "spec": json.loads(deployment.spec_json or "null"),
    }


def change_data(change: pb.Change) -> Data:
    """A deployment after what was asked for, what that changed, and what the Envoys made of it."""
    return {
        "changed": change.changed,
        "moved": number(change.moved),
        "previous": change.previous or None,
        "confirmation": confirmation_data(change.confirmation),
        **deployment_data(change.deployment),
    }


def confirmation_data(confirmation: pb.Confirmation) -> Data | None:
    """How a change fared with the Envoys; None where nobody waited."""
    if confirmation.state == pb.Confirmation.STATE_UNSPECIFIED:
        return None
    return {
        "state": pb.Confirmation.State.Name(confirmation.state).lower().replace("_", "-"),
        "envoys": confirmation.envoys,
        "confirmed": confirmation.confirmed,
        "rejections": list(confirmation.rejections),
        "waiting_for": list(confirmation.waiting_for),
        "undone_by": confirmation.undone_by or None,
    }


def difference_data(difference: pb.Difference) -> Data:
    """What differs between two states of a deployment."""
    return {
        "name": difference.name,
        "before": difference.before,
        "after": difference.after,
        "text": difference.text,
        "moved": number(difference.moved),
    }


def endpoints_data(edit: pb.EndpointChange) -> Data:
    """What became of a build's endpoints."""
    return {
        "build": edit.build,
        "count": edit.count,
        "changed": edit.changed,
        "deployments": list(edit.deployments),
    }


def revision_data(revision: pb.Revision) -> Data:
    """One entry of a history."""
    weights = {label: number(share) for label, share in main_first(revision.weights)}
    origin = _origin_data(revision)
    return {
        "revision": revision.number,
        "weights": weights,
        **origin,
        "can_return": not revision.not_returnable,
        "why_not": revision.not_returnable or None,
    }


def number(value: float) -> int | float:
    """`20` rather than `20.0`; two decimals are all that percentages have."""
    rounded = round(value, 2)
    return int(rounded) if rounded.is_integer() else rounded


def main_first(weights: Mapping[str, float]) -> list[tuple[str, float]]:
    """Weights in the order people read them; a map on the wire has none."""
    return sorted(weights.items(), key=lambda share: (share[0] != MAIN, share[0]))


def _version_data(version: pb.Version) -> Data:
    return {
        "build": version.build,
        "cluster": version.cluster,
        "weight": number(version.weight),
        "effective_weight": number(version.effective_weight),
        "endpoints": list(version.endpoints),
        "known_endpoints": version.known_endpoints,
        "min_endpoints": version.min_endpoints,
        "waiting": version.waiting_for_endpoints,
        "unhealthy": version.unhealthy or None,
    }


def _origin_data(revision: pb.Revision) -> Data:
    return {
        "kind": revision.kind,
        "source": revision.source or None,
        "author": revision.author,
        "comment": revision.comment,
        "created_at": revision.created_at.ToJsonString(),
    }
