"""Keeping one deployment's rejected configuration from holding up all the others.

In `table` mode every deployment's routes are in one resource. If an Envoy refuses one deployment's
cluster, the table that names it must not reach that Envoy; if it refuses the table, somebody's routes
spoil it. Either way all changes of all others would wait with it. So that Envoy is moved to a *lane*: a
target of its own in which the offender stays as it was last accepted, and everybody else is up to date.
It moves back by itself once the offender is mended, or reconnects.

Where nothing of the offender was accepted since this server began, everyone gets its `main`.

An Envoy that alone refuses what others have accepted has no lane: it keeps the table it has. So does
one that refuses a table before any was accepted: nobody knows whose routes are at fault.
"""

from collections import defaultdict
from collections.abc import Callable
from weakref import WeakKeyDictionary

from xds.catalog.types import Type
from xds.control.proof import Lane, Part, Proof, left_out
from xds.control.trial import Trial
from xds.discovery.hub import Hub, Target
from xds.discovery.stream import Stream, Verdict


class Lanes:
    """Which lane each stream is in."""

    def __init__(self, hub: Hub, wake: Callable[[Stream], None]) -> None:
        self._hub = hub
        self._wake = wake
        self._proofs: defaultdict[Target, Proof] = defaultdict(Proof)
        self._trials: WeakKeyDictionary[Stream, Trial[Part]] = WeakKeyDictionary()

    def lane(self, target: Target) -> Lane:
        """The lane that a target is for."""
        return Lane(self._proof(target), target.held)

    def hears(self, stream: Stream, verdict: Verdict) -> None:
        """A peer accepted or refused an answer."""
        if verdict.type == Type.ROUTE:
            self._judge(stream, verdict)
        elif verdict.type != Type.CLUSTER:
            return
        self._place(stream)

    def objects(self, stream: Stream) -> bool:
        """Whether a peer refused anybody's routes."""
        return stream in self._trials

    def objection(self, stream: Stream, deployment: str) -> str | None:
        """What a peer said of a deployment's routes, where it is held at older ones for that."""
        trial = self._trials.get(stream)
        return trial.reason(deployment) if trial else None

    def owner(self, resource: str) -> str | None:
        """The deployment a cluster or an endpoint resource belongs to; None: to none."""
        name = _deployment_of(resource)
        return name if any(name in proof.wanted for proof in self._proofs.values()) else None

    def review(self) -> None:
        """Something was published: who is held may be so no longer."""
        for target in self._hub.targets():
            for stream in self._hub.streams_of(target) if target.held else ():
                self._place(stream)

    def _judge(self, stream: Stream, verdict: Verdict) -> None:
        target = self._hub.target_of(stream)
        proof = self._proof(target)
        for item in verdict.items:
            if item.name != target.gateway or item.after is None:
                continue
            if verdict.error is not None:
                if proof.has_proven() or item.before is None:
                    suspects = proof.suspects(item.after.version)
                    self._trials.setdefault(stream, Trial()).refused(suspects, verdict.error)
                continue
            proof.accepted(item.after.version, lambda part: _has_clusters_of(stream, part))
            if stream in self._trials:
                self._trials[stream].accepted()

    def _place(self, stream: Stream) -> None:
        target = self._hub.target_of(stream)
        held = self._held(stream, self._proof(target))
        if held != target.held:
            self._hub.move(stream, target._replace(held=held))
            self._wake(stream)

    def _held(self, stream: Stream, proof: Proof) -> frozenset[str]:
        """The deployments whose newest routes this peer can't be given."""
        missing = _refused_and_missing(stream)
        suspects = {*map(_deployment_of, missing), *proof.patched} if missing else set()
        spoiled = {name for name in suspects if proof.names_any(name, missing)}
        trial = self._trials.get(stream)
        tried = trial.held(proof.wanted) if trial else frozenset()
        return frozenset(
            [name if proof.can_fall_back(name, missing) else left_out(name) for name in spoiled - tried]
            + [name if proof.proven(name) else left_out(name) for name in tried]
        )

    def _proof(self, target: Target) -> Proof:
        return self._proofs[target._replace(held=frozenset())]


def _has_clusters_of(stream: Stream, part: Part) -> bool:
    """Whether a peer acknowledged every cluster that a part names, as far as it asks us for clusters."""
    watch = stream.watches.get(Type.CLUSTER)
    return watch is None or not any(watch.unacknowledged_of(part.section.clusters()))


def _refused_and_missing(stream: Stream) -> set[str]:
    """Clusters that a peer refused and has in no earlier version either: what names them can't go out."""
    watch = stream.watches.get(Type.CLUSTER)
    if watch is None:
        return set()
    return {name for name in watch.rejections.parked if not watch.acknowledged(name)}


def _deployment_of(cluster: str) -> str:
    """The first underscore ends the deployment's name."""
    return cluster.partition("_")[0]
