"""The admin API's messages, made from what the control plane says."""

from google.protobuf.timestamp_pb2 import Timestamp

from xds.control.intake import EndpointChange
from xds.control.standing import Outcome, Standing
from xds.revisions.record import Revision, percent
from xds.spec.write import to_json
from xds.stubs import canary_admin_v1_pb2 as admin
from xds.translate.view import effective_slots, waiting_builds


def deployment(standing: Standing) -> admin.Deployment:
    """A deployment as it stands."""
    said = standing.revision
    return admin.Deployment(
        name=said.deployment,
        revision=revision(said),
        versions=_versions(standing),
        spec_json=to_json(said.spec),
        convergence=admin.Convergence(
            envoys=standing.convergence.envoys,
            in_sync=standing.convergence.in_sync,
            rejections=standing.convergence.rejections,
            limited=standing.convergence.limited,
        ),
        notes=standing.notes,
    )


def change(outcome: Outcome) -> admin.Change:
    """What a verb did."""
    return admin.Change(deployment=deployment(outcome.standing), changed=outcome.changed)


def endpoint_change(edit: EndpointChange) -> admin.EndpointChange:
    """What became of a build's endpoints."""
    return admin.EndpointChange(
        build=edit.build, count=edit.count, changed=edit.changed, deployments=edit.deployments
    )


def revision(said: Revision) -> admin.Revision:
    """One revision."""
    created_at = Timestamp()
    created_at.FromNanoseconds(round(said.note.at * 1000) * 1_000_000)
    return admin.Revision(
        number=said.number,
        kind=said.kind,
        source=said.source or 0,
        author=said.note.author,
        comment=said.note.comment,
        created_at=created_at,
        weights=said.spec.weights(),
    )


def _versions(standing: Standing) -> list[admin.Version]:
    said = standing.revision
    waiting = waiting_builds(said, standing.endpoints)
    effective = effective_slots(said, standing.endpoints).shares()
    seen: set[str] = set()
    versions = []
    for label, key in said.labels.items():
        ref = said.builds[key]
        versions.append(
            admin.Version(
                label=label,
                build=ref,
                cluster=said.cluster_of(key),
                weight=said.spec.weights()[label],
                effective_weight=0 if key in seen else percent(effective.get(key, 0)),
                endpoints=[str(endpoint) for endpoint in standing.endpoints[ref]],
                waiting_for_endpoints=key in waiting,
            )
        )
        seen.add(key)
    return versions
