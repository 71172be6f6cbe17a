"""Requests to be explained, and explanations, as messages."""

from xds.control.explained import Simulation, Told
from xds.revisions.record import Revision
from xds.slots.table import SLOTS
from xds.stubs import canary_admin_v1_pb2 as admin
from xds.translate.explain.answer import Explanation
from xds.translate.explain.asked import Request

_PERCENT = 100


def asked(said: admin.ExplainRequest) -> Request:
    """The request that a message is about."""
    return Request(
        method=said.method or "GET",
        target=said.target,
        headers=tuple((header.name, header.value) for header in said.headers),
        host=said.host,
        model=said.model if said.HasField("model") else None,
    )


def told(said: Told) -> admin.ExplainResponse:
    """What was explained."""
    return admin.ExplainResponse(
        explanations=map(explanation, said.explanations),
        gateway=said.table.gateway,
        host=said.table.host,
        revision=said.revision.number,
    )


def explanation(said: Explanation) -> admin.Explanation:
    """What there is to say of one request."""
    out = admin.Explanation(
        version=said.version or "",
        slot=said.slot,
        reason=said.reason,
        route=said.route,
        shares=said.shares,
        status=said.status,
    )
    if said.segment:
        out.segment.index, out.segment.start, out.segment.end = (
            said.segment.index,
            said.segment.start,
            said.segment.end,
        )
    if said.place:
        out.deployment, out.build, out.cluster = (
            said.place.deployment,
            said.place.build,
            said.place.cluster,
        )
    return out


def simulation(said: Simulation) -> admin.Simulation:
    """What files would do to a deployment's users."""
    before, after, moves = said.before, said.after, said.moves
    out = admin.Simulation(name=after.deployment, revision=before.number if before else 0)
    if before and moves:
        out.moved, out.least, out.note = moves.moved, moves.least, moves.note
        for (old, new), size in sorted(moves.slots.items(), key=lambda move: -move[1]):
            if old != new:
                out.moves.append(_move(before, old, after, new, size))
    for key, was, will in said.keys:
        out.keys.add(
            key=key,
            before=(was.version or "") if was else "",
            after=will.version or "",
            moved=was is not None and _build(was) != _build(will),
        )
    return out


def _move(before: Revision, old: str, after: Revision, new: str, size: float) -> admin.Simulation.Move:
    return admin.Simulation.Move(
        from_version=before.label_of(old),
        from_build=before.builds[old],
        to_version=after.label_of(new),
        to_build=after.builds[new],
        percent=size * _PERCENT / SLOTS,
    )


def _build(said: Explanation) -> str:
    return said.place.build if said.place else ""
