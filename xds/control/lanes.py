"""Keeping one deployment's rejected configuration from holding up all the others.

In `table` mode every deployment's routes are in one resource. If an Envoy refuses one deployment's
cluster, the table that names it must not reach that Envoy; if it refuses the table, somebody's routes
spoil it. Either way all changes of all others would wait with it. So that Envoy is moved to a *lane*: a
target of its own in which the offender stays as it was last accepted, and everybody else is up to date.
It moves back by itself once the offender is mended, or reconnects.

In `scoped` mode each host has a small table of its own, its scope, and is judged by itself. A refused
answer may hold many; the stream tries them in halves, and a scope is judged once it was refused alone.

What an Envoy brings from before, at a version that this server made as well, it has accepted too. Where
nothing of the offender was accepted since this server began, everyone gets its `main`. Where nothing of
anybody was, the newest changes are held first: with the others the Envoy loses nothing it has.

An Envoy that alone refuses what others have accepted has no lane: it keeps the table it has. Whose routes
it refuses is known where only one deployment's changed since.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping

from xds.catalog.types import Type
from xds.control.proof import LEFT_OUT, Lane, Part, Proof, left_out
from xds.control.trial import Trial
from xds.discovery.answer import Item
from xds.discovery.hub import Hub, Target
from xds.discovery.stream import Stream, Verdict

_TABLES = frozenset({Type.ROUTE, Type.SCOPED_ROUTE})
"""What holds the routes of several deployments."""


class Lanes:
    """Which lane each stream is in."""

    def __init__(self, hub: Hub, wake: Callable[[Stream], None]) -> None:
        self._hub = hub
        self._wake = wake
        self._proofs: defaultdict[Target, Proof] = defaultdict(Proof)
        self._trials: dict[Stream, dict[str, Trial[Part]]] = {}
        self._blamed: dict[Stream, dict[str, tuple[str, Part, str]]] = {}
        """For a table or scope that stays as it is: who is at fault, with what, and what the peer said."""

    def lane(self, target: Target) -> Lane:
        """The lane that a target is for."""
        return Lane(self._proof(target), target.held)

    def hears(self, stream: Stream, verdict: Verdict) -> None:
        """A peer accepted or refused an answer."""
        if verdict.type in _TABLES:
            self._judge(stream, verdict)
        elif verdict.type == Type.CLUSTER:
            self._look_back(stream, verdict)
        else:
            return
        if self._hub.target_of(stream).held or self._trials.get(stream) or _refuses_clusters(stream):
            self._place(stream)

    def left(self, stream: Stream) -> None:
        """A stream ended: what its peer refused is forgotten."""
        self._trials.pop(stream, None)
        self._blamed.pop(stream, None)

    def objects(self, stream: Stream) -> bool:
        """Whether a peer refused anybody's routes."""
        return bool(self._trials.get(stream) or self._blamed.get(stream))

    def objection(self, stream: Stream, deployment: str) -> str | None:
        """What a peer said of a deployment's routes, where it has older ones for that."""
        for trial in self._trials.get(stream, {}).values():
            said = trial.reason(deployment)
            if said is not None:
                return said
        wanted = self._proof(self._hub.target_of(stream)).wanted
        for name, part, said in self._blamed.get(stream, {}).values():
            if name == deployment and wanted.get(name) == part:
                return said
        return None

    def holds(self, stream: Stream) -> dict[str, str]:
        """By deployment whose newest routes a peer is not given: what it said of them, if that is known."""
        held = {name.removeprefix(LEFT_OUT) for name in self._hub.target_of(stream).held}
        blamed = {name for name, _, _ in self._blamed.get(stream, {}).values()}
        said = {name: self.objection(stream, name) for name in sorted(held | blamed)}
        return {name: text or "" for name, text in said.items() if name in held or text is not None}

    def shares(self, stream: Stream, scope: str, deployment: str) -> bool | None:
        """Whether a deployment has routes in a scope; None: it is no scope of ours."""
        return self._proof(self._hub.target_of(stream)).shares(scope, deployment)

    def owner(self, resource: str) -> str | None:
        """The deployment a cluster or an endpoint resource belongs to; None: to none."""
        name = _deployment_of(resource)
        return name if any(name in proof.wanted for proof in self._proofs.values()) else None

    def review(self) -> None:
        """Something was published: who is held may be so no longer."""
        for target in self._hub.targets():
            for stream in self._hub.streams_of(target) if target.held else ():
                self._place(stream)

    def catch_up(self) -> None:
        """Judge what peers refused before anybody listened, while they were served from an image.

        What they accepted meanwhile is like what they bring from before.
        """
        for target in self._hub.targets():
            for stream in self._hub.streams_of(target):
                for type_, parked in list(stream.rejections()):
                    refused = stream.catalog.get(type_, parked.name)
                    if refused is not None and refused.version == parked.version:
                        item = Item(parked.name, stream.watches[type_].held(parked.name), refused)
                        self.hears(stream, Verdict(type_, (item,), parked.text))

    def _judge(self, stream: Stream, verdict: Verdict) -> None:
        proof = self._proof(self._hub.target_of(stream))
        if verdict.error is not None:
            scopes = verdict.type == Type.SCOPED_ROUTE
            for item in () if scopes and len(verdict.items) > 1 else verdict.items:
                self._refused(stream, proof, item, verdict.error)
            return
        trials = self._trials.get(stream, {})
        for item in verdict.items:
            self._blamed.get(stream, {}).pop(item.name, None)
            if item.after is None:
                # It may be gone because all who have routes in it are held.
                if item.name in trials and not trials[item.name].held(proof.wanted):
                    del trials[item.name]
                continue
            self._accepted(stream, proof, item.name, item.after.version)
            if item.name in trials:
                trials[item.name].accepted()

    def _refused(self, stream: Stream, proof: Proof, item: Item, text: str) -> None:
        if item.after is None:
            return
        if item.before is not None:
            self._accepted(stream, proof, item.name, item.before.version)
        trials = self._trials.setdefault(stream, {})
        suspects = proof.suspects(item.name, item.after.version)
        blind = not proof.has_proven(item.name)
        if blind and item.before is not None and len(suspects) == 1 and item.name not in trials:
            # It is alone in there: the Envoy keeps what it has.
            self._blame(stream, item.name, suspects, text)
        elif suspects or item.name in trials:
            trials.setdefault(item.name, Trial()).refused(suspects, text, blind=blind)
        elif item.before is not None:
            self._blame(stream, item.name, proof.changed_since(item.name, item.before.version), text)

    def _blame(self, stream: Stream, table: str, suspects: Mapping[str, Part], text: str) -> None:
        """Remember who it is that a peer keeps what it has for, if it can only be one."""
        blamed = self._blamed.setdefault(stream, {})
        blamed.pop(table, None)
        if len(suspects) == 1:
            ((name, part),) = suspects.items()
            blamed[table] = name, part, text

    def _look_back(self, stream: Stream, verdict: Verdict) -> None:
        """What a peer that refuses clusters has of the tables: these it has accepted, if long ago."""
        if verdict.error is None:
            return
        proof = self._proof(self._hub.target_of(stream))
        tables = proof.tables_of({_deployment_of(item.name) for item in verdict.items})
        for watch in (stream.watches[type_] for type_ in _TABLES & stream.watches.keys()):
            for table in filter(watch.subscription.covers, tables):
                held = watch.held(table)
                if held is not None:
                    self._accepted(stream, proof, table, held.version)

    def _accepted(self, stream: Stream, proof: Proof, table: str, version: str) -> None:
        proof.accepted(table, version, lambda part: _has_clusters_of(stream, part))

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
        trials = self._trials.get(stream, {}).values()
        tried = frozenset[str]().union(*(trial.held(proof.wanted) for trial in trials))
        return frozenset(
            [name if proof.can_fall_back(name, missing) else left_out(name) for name in spoiled - tried]
            + [name if proof.proven(name) else left_out(name) for name in tried]
        )

    def _proof(self, target: Target) -> Proof:
        return self._proofs[target._replace(held=frozenset()) if target.held else target]


def _has_clusters_of(stream: Stream, part: Part) -> bool:
    """Whether a peer acknowledged every cluster that a part names, as far as it asks us for clusters."""
    watch = stream.watches.get(Type.CLUSTER)
    return watch is None or not any(watch.unacknowledged_of(part.section.clusters()))


def _refuses_clusters(stream: Stream) -> bool:
    watch = stream.watches.get(Type.CLUSTER)
    return watch is not None and bool(watch.rejections.parked)


def _refused_and_missing(stream: Stream) -> set[str]:
    """Clusters that a peer refused and has in no earlier version either: what names them can't go out."""
    watch = stream.watches.get(Type.CLUSTER)
    if watch is None:
        return set()
    return {name for name in watch.rejections.parked if not watch.acknowledged(name)}


def _deployment_of(cluster: str) -> str:
    """The first underscore ends the deployment's name."""
    return cluster.partition("_")[0]
