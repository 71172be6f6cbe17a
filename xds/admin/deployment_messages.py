"""Deployments as messages."""

from xds.admin.messages import convergence, timestamp
from xds.control.differences import Difference
from xds.control.feeds import Current, Event, Gone
from xds.control.intake import EndpointChange
from xds.control.standing import Outcome, Past, Standing
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
        convergence=convergence(standing.convergence),
        notes=standing.notes,
        deleted=standing.deleted,
    )


def change(outcome: Outcome) -> admin.Change:
    """What a verb did."""
    before = outcome.previous
    return admin.Change(
        deployment=deployment(outcome.standing),
        changed=outcome.changed,
        moved=outcome.moved,
        previous=before.number if before else 0,
        previous_weights=before.spec.weights() if before and before.kind != "delete" else {},
    )


def endpoint_change(edit: EndpointChange) -> admin.EndpointChange:
    """What became of a build's endpoints."""
    return admin.EndpointChange(
        build=edit.build, count=edit.count, changed=edit.changed, deployments=edit.deployments
    )


def revision(said: Revision, not_returnable: str = "") -> admin.Revision:
    """One revision."""
    return admin.Revision(
        number=said.number,
        kind=said.kind,
        source=said.source or 0,
        author=said.note.author,
        comment=said.note.comment,
        created_at=timestamp(said.note.at),
        weights=said.spec.weights(),
        not_returnable=not_returnable,
    )


def past(said: Past) -> admin.Revision:
    """One revision of a history."""
    return revision(said.revision, said.not_returnable)


def difference(said: Difference) -> admin.Difference:
    """How two states of a deployment differ."""
    return admin.Difference(
        name=said.name, before=said.before, after=said.after, text=said.text, moved=said.moved
    )


def event(said: Event[Standing]) -> admin.WatchResponse:
    """What a watcher sees."""
    if isinstance(said, Gone):
        return admin.WatchResponse(deleted=said.name)
    if isinstance(said, Current):
        return admin.WatchResponse(current=True)
    return admin.WatchResponse(deployment=deployment(said.value))


def _versions(standing: Standing) -> list[admin.Version]:
    said = standing.revision
    waiting = waiting_builds(said, standing.endpoints)
    effective = effective_slots(said, standing.lending).shares()
    weights = said.spec.weights()
    seen: set[str] = set()
    versions = []
    for label, key in said.labels.items():
        ref = said.builds[key]
        versions.append(
            admin.Version(
                label=label,
                build=ref,
                cluster=said.cluster_of(key),
                weight=weights[label],
                effective_weight=0 if key in seen else percent(effective.get(key, 0)),
                endpoints=[str(endpoint) for endpoint in standing.endpoints[ref]],
                waiting_for_endpoints=key in waiting,
                known_endpoints=standing.known.get(ref, 0),
                min_endpoints=said.spec.min_endpoints_of(label),
                unhealthy=standing.unhealthy.get(ref, ""),
            )
        )
        seen.add(key)
    return versions
