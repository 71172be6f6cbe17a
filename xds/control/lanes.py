"""Keeping one deployment's rejected configuration from holding up all the others.

In `table` mode every deployment's routes are in one resource. If an Envoy refuses one deployment's
cluster, the table that names it must not reach that Envoy; if it refuses the table, somebody's routes
spoil it. Either way all changes of all others would wait with it. So that Envoy is moved to a *lane*: a
target of its own in which the offender stays as it was last accepted, and everybody else is up to date.
It moves back by itself once the offender is mended, or reconnects.

An Envoy that alone refuses what others have accepted has no lane: it keeps the table it has.
"""

from collections import defaultdict
from collections.abc import Callable
from weakref import WeakKeyDictionary

from xds.catalog.types import Type
from xds.control.proof import Lane, Part, Proof
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
                self._trials.setdefault(stream, Trial()).refused(
                    proof.suspects(item.after.version), verdict.error
                )
                continue
            proof.accepted(item.after.version)
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
        refused = {rejection.name for type_, rejection in stream.rejections() if type_ == Type.CLUSTER}
        suspects = {*map(_deployment_of, refused), *proof.patched} if refused else set()
        spoiled = {name for name in suspects if proof.names_any(name, refused)}
        trial = self._trials.get(stream)
        return frozenset(spoiled) | (trial.held(proof.wanted) if trial else frozenset())

    def _proof(self, target: Target) -> Proof:
        return self._proofs[target._replace(held=frozenset())]


def _deployment_of(cluster: str) -> str:
    """The first underscore ends the deployment's name."""
    return cluster.partition("_")[0]
