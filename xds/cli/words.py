"""The words that answers and tables are made of."""

from collections.abc import Iterable

from xds.cli.output import counted
from xds.cli.shapes import MAIN, main_first, number
from xds.stubs import canary_admin_v1_pb2 as pb

_ENDS = {"delete": "deleted", "undelete": "brought back"}
"""What became of a deployment that went or came, whatever was asked for: a gateway's rollback does both."""


def change_sentence(change: pb.Change, done: str, *, dry: bool = False) -> str:
    """`deployment 'x' applied: revision 3 (main 80 %, a 20 %)`, in the past tense of what was asked for."""
    deployment = change.deployment
    outcome = _outcome(_ENDS.get(deployment.revision.kind, done), changed=change.changed, dry=dry)
    revision = f"revision {deployment.revision.number}"
    if deployment.deleted or not deployment.versions:
        return f"deployment '{deployment.name}' {outcome}: {revision}"
    users = moved(change.moved) if change.changed else ""
    return f"deployment '{deployment.name}' {outcome}: {revision} ({split(deployment)}){users}"


def plan_sentence(change: pb.Change) -> str:
    """`plan: x: revision 3 -> 4, main 90 %, a 10 % -> main 80 %, a 20 %; 10 % of the users ...`."""
    deployment = change.deployment
    if not change.changed:
        return f"plan: {deployment.name}: unchanged"
    before = _shares(main_first(change.previous_weights))
    numbers = f"revision {change.previous} -> {deployment.revision.number}"
    if deployment.deleted:
        return f"plan: {deployment.name}: {numbers}, deleted (it has {before})"
    if not before:
        end = f"{numbers}, brought back" if change.previous else "new"
        return f"plan: {deployment.name}: {end}, {split(deployment)}"
    splits = split(deployment) if before == split(deployment) else f"{before} -> {split(deployment)}"
    return f"plan: {deployment.name}: {numbers}, {splits}{moved(change.moved)}"


def moved(share: float) -> str:
    """`; 10 % of the users get another version`; "" where nobody does."""
    return f"; {percent(share)} of the users get another version" if number(share) else ""


def endpoints_sentence(edit: pb.EndpointChange, *, dry: bool = False) -> str:
    """`endpoints of 'chat:v2' set: 2 (used by chat)`."""
    outcome = _outcome("set", changed=edit.changed, dry=dry)
    users = f" (used by {', '.join(edit.deployments)})" if edit.deployments else ""
    return f"endpoints of '{edit.build}' {outcome}: {edit.count}{users}"


def source_problem(source: pb.EndpointSource) -> str:
    """`file_sd: a.json:1: ...`: what is wrong with a source of endpoints; in a file, with its line."""
    said = source.problem
    return said if said.startswith(source.name) else f"{source.name}: {said}"


def bare_problem(source: pb.EndpointSource) -> str:
    """`line 1: ...`: the same beside the source's name."""
    bare = source.problem.removeprefix(f"{source.name}:")
    return bare if bare == source.problem else f"{'line ' if bare[:1].isdigit() else ''}{bare.lstrip()}"


def warnings_of(deployment: pb.Deployment) -> list[str]:
    """What makes a change less than it seems: versions that run nowhere yet, gateways there are not."""
    waiting = (_lacks(version) for version in deployment.versions if _lacks(version) and version.weight)
    return [f"deployment '{deployment.name}': {what}" for what in (*waiting, *deployment.notes)]


def notes(deployment: pb.Deployment) -> list[str]:
    """What a deployment's owner should know of at a glance."""
    waiting = [_lacks(version) for version in deployment.versions if _lacks(version)]
    rejections = len(deployment.convergence.rejections)
    limited = len(deployment.convergence.limited)
    return [
        *deployment.notes,
        *waiting,
        *([f"{rejections} rejected by Envoy"] if rejections else []),
        *([f"limited on {counted(limited, 'Envoy')}"] if limited else []),
    ]


def facts(deployment: pb.Deployment) -> list[tuple[str, str]]:
    """What there is to say about a deployment as a whole."""
    revision = deployment.revision
    by = f" by {revision.author}" if revision.author else ""
    why = f": {revision.comment}" if revision.comment else ""
    return [
        ("Deployment", deployment.name),
        ("Revision", f"{revision.number} ({kind(revision)}{by}, {moment(revision)}{why})"),
        *([("State", "deleted")] if deployment.deleted else []),
        ("Envoys", f"{in_sync(deployment)} in sync"),
        *(("Rejected", rejection) for rejection in deployment.convergence.rejections),
        *(("Limited", limit) for limit in deployment.convergence.limited),
        *(
            ("Unhealthy", f"{version.label}: {version.unhealthy}")
            for version in deployment.versions
            if version.unhealthy
        ),
        *(("Note", note) for note in deployment.notes),
    ]


def line(deployment: pb.Deployment) -> str:
    """A deployment as it is, in a line."""
    said = [f"revision {deployment.revision.number}", split(deployment), f"{in_sync(deployment)} in sync"]
    return f"{deployment.name}: {'; '.join([*said, *notes(deployment)])}"


def usable(version: pb.Version) -> str:
    """`1/2`: of two endpoints known one can be used."""
    return f"{len(version.endpoints)}/{max(version.known_endpoints, len(version.endpoints))}"


def state(version: pb.Version) -> str:
    """How a version is doing, in a few words."""
    if version.waiting_for_endpoints:
        return "waits for endpoints"
    if version.unhealthy:
        return f"unhealthy, {fate(version)}"
    return "serving" if version.effective_weight else "ready"


def fate(version: pb.Version) -> str:
    """What becomes of the requests for a version that is unhealthy."""
    return "requests for it fail" if fails(version) else "main serves its share"


def fails(version: pb.Version) -> bool:
    """Whether requests for a version that is unhealthy have nowhere else to go."""
    return version.label == MAIN or bool(version.effective_weight)


def split(deployment: pb.Deployment) -> str:
    """`main 80 %, a 20 %`: what was asked for."""
    return _shares((version.label, version.weight) for version in deployment.versions)


def revision_split(revision: pb.Revision) -> str:
    """`main 80 %, a 20 %`: what a revision asked for."""
    return _shares(main_first(revision.weights))


def kind(revision: pb.Revision) -> str:
    """What made a revision: `apply`, `rollback to 2`."""
    return f"{revision.kind} to {revision.source}" if revision.source else revision.kind


def moment(revision: pb.Revision) -> str:
    """When a revision was made: UTC, to the second."""
    return f"{revision.created_at.ToDatetime():%Y-%m-%d %H:%M:%S}Z"


def in_sync(deployment: pb.Deployment) -> str:
    """`2/3`: of three Envoys connected two have acknowledged everything."""
    return f"{deployment.convergence.in_sync}/{deployment.convergence.envoys}"


def percent(value: float) -> str:
    """`12.5 %`."""
    return f"{number(value)} %"


def _outcome(done: str, *, changed: bool, dry: bool) -> str:
    if not changed:
        return "unchanged"
    return f"would be {done}" if dry else done


def _lacks(version: pb.Version) -> str:
    """What a version lacks, and what becomes of its requests; "" where it lacks nothing."""
    if version.unhealthy:
        return f"{version.label} is unhealthy: {fate(version)}"
    if not version.waiting_for_endpoints:
        return ""
    keeps = version.label == MAIN or version.effective_weight
    meanwhile = "requests for it get 503" if keeps else "main serves its share"
    return f"{version.label} waits for endpoints, {meanwhile}"


def _shares(weights: Iterable[tuple[str, float]]) -> str:
    return ", ".join(f"{label} {percent(share)}" for label, share in weights)
