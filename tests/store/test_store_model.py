"""A thousand random operations on the store agree with a plain model of it, made of lists and dicts."""

import dataclasses
import itertools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from xds.errors import StoreError
from xds.revisions import decide
from xds.revisions.record import Note, Revision
from xds.revisions.resources import Content, ResourceSet
from xds.spec.deployment import Canary, Deployment, Version
from xds.spec.endpoints import Endpoint
from xds.store.records import Entry, Lease, Memory, Place, Reply, Snapshot, Write
from xds.store.sqlite import SqliteStore

DAY = 24 * 3600.0
AT_LEAST = 1000
STEPS = 50

names = st.sampled_from(["s", "t"])
gateways = st.sampled_from(["edge", "inner"])
refs = st.sampled_from(["s:1", "s@main", "t@a"])
sources = st.sampled_from(["api", "apply", "f.yaml"])
hosts = st.builds(Endpoint, address=st.sampled_from(["10.0.0.1", "fd00::1", "x.y"]), port=st.just(80))
places = st.tuples(refs, st.sampled_from(["", "10.0.0.1:80", "10.0.0.2:80"]))
writers = st.sampled_from(["ann", "bob"])


def within_limit(revisions: list[Revision]) -> list[Revision]:
    """Those that are kept: what only brought something back doesn't count, up to ten times the limit."""
    limit, head = revisions[-1].spec.revision_history_limit, revisions[-1].number
    counted = [each.number for each in revisions if each.kind not in {"rollback", "delete", "undelete"}]
    oldest = max(counted[-limit - 1] if len(counted) > limit else 0, head - 10 * limit)
    return [each for each in revisions if each.number > oldest]


@dataclasses.dataclass
class Model:
    """What the store is to have."""

    revisions: dict[str, list[Revision]] = dataclasses.field(default_factory=dict)
    builds: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)
    endpoints: dict[tuple[str, str], tuple[Endpoint, ...]] = dataclasses.field(default_factory=dict)
    applied: dict[tuple[str, str], str] = dataclasses.field(default_factory=dict)
    resources: dict[str, list[ResourceSet]] = dataclasses.field(default_factory=dict)
    leases: dict[Place, Lease] = dataclasses.field(default_factory=dict)
    drains: set[Place] = dataclasses.field(default_factory=set)
    snapshots: list[Snapshot] = dataclasses.field(default_factory=list)
    """One for each entry, also for those that brought nothing."""
    replies: dict[str, Reply] = dataclasses.field(default_factory=dict)
    commits: int = 0

    def write(self, write: Write) -> None:
        """What a commit does."""
        self.commits += 1
        for revision in write.revisions:
            kept = [*self.revisions.get(revision.deployment, ()), revision]
            self.revisions[revision.deployment] = kept if revision.kind == "delete" else within_limit(kept)
            known = {ref: key for key, ref in revision.builds.items()}
            self.builds[revision.deployment] = known | self.builds.get(revision.deployment, {})
        for given in write.resources:
            self.resources.setdefault(given.gateway, []).append(given)
        self.endpoints |= write.endpoints
        self.applied |= write.applied
        for place, lease in write.leases.items():
            self.leases.pop(place, None)
            self.leases |= {place: lease} if lease is not None else {}
        for place, drained in write.drains.items():
            (self.drains.add if drained else self.drains.discard)(place)
        if write.entry is not None:
            brought = {revision.deployment: revision.number for revision in write.revisions}
            given_to = {given.gateway: given.number for given in write.resources}
            number = len(self.snapshots) + 1
            self.snapshots.append(Snapshot(number, write.entry, brought, given_to))
        if write.reply is not None:
            oldest = write.reply.at - DAY
            self.replies = {name: reply for name, reply in self.replies.items() if reply.at >= oldest}
            self.replies[write.reply.request] = write.reply

    def memory(self, since: float) -> Memory:
        """What a server starts from."""
        return Memory(
            recent={name: self.recent(name, since) for name in self.revisions},
            builds=self.builds,
            endpoints=self.endpoints,
            applied=self.applied,
            resources={gateway: sets[-1] for gateway, sets in self.resources.items()},
            leases=self.leases,
            drains=frozenset(self.drains),
            snapshot=len(self.snapshots),
            position=self.commits,
        )

    def recent(self, name: str, since: float) -> tuple[Revision, ...]:
        """The newest revision, and those that were replaced after `since`."""
        kept = self.revisions[name]
        replaced = [before for before, after in itertools.pairwise(kept) if after.note.at > since]
        return (*replaced, kept[-1])

    def at_snapshot(self, number: int) -> tuple[dict[str, int], dict[str, int]]:
        """What was in force after an entry."""
        revisions: dict[str, int] = {}
        resources: dict[str, int] = {}
        for snapshot in self.snapshots[:number]:
            revisions |= snapshot.revisions
            resources |= snapshot.resources
        return revisions, resources


class Operations(RuleBasedStateMachine):
    """Each rule is a write, or a restart; after each the two are compared as a start sees them."""

    done = 0

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = SqliteStore(self.folder / "db")
        self.model = Model()
        self.now = 0.0

    def teardown(self) -> None:
        self.compare()
        self.store.close()
        shutil.rmtree(self.folder)

    def commit(self, write: Write, author: str, *subjects: str) -> None:
        """Do it in both, with an entry."""
        whole = dataclasses.replace(write, entry=Entry(self.note(author), "verb", subjects, "done", "id"))
        self.model.write(whole)
        assert self.store.commit(whole) == len(self.model.snapshots)

    def note(self, author: str) -> Note:
        self.now += 1
        return Note(author, self.now)

    def advance(self, name: str, author: str, step: Callable[[Revision], Revision | None]) -> None:
        """Commit what a step makes of a deployment's newest revision, if it makes anything."""
        revision = step(self.model.revisions[name][-1])
        if revision is not None:
            self.commit(Write(revisions=(revision,)), author, name)

    @rule(name=names, weight=st.integers(0, 100), limit=st.integers(1, 4), author=writers)
    def apply(self, name: str, weight: int, limit: int, author: str) -> None:
        canary = Canary(versions={"a": Version(weight=weight)})
        spec = Deployment(name=name, canary=canary, revision_history_limit=limit)
        head = self.model.revisions.get(name, [None])[-1]
        revision = decide.apply(spec, head, self.model.builds.get(name, {}), self.note(author))
        if revision is not None:
            applied = {("f.yaml", name): str(weight)}
            self.commit(Write(revisions=(revision,), applied=applied), author, name, f"{name}@a")

    @precondition(lambda self: "s" in self.model.revisions)
    @rule(author=writers)
    def delete(self, author: str) -> None:
        self.advance("s", author, lambda head: decide.delete(head, self.note(author)))

    @precondition(
        lambda self: self.model.revisions.get("s", [])[-1:] and self.model.revisions["s"][-1].kind == "delete"
    )
    @rule(author=writers)
    def undelete(self, author: str) -> None:
        history = self.model.revisions["s"]
        self.advance("s", author, lambda head: decide.undelete(head, history, self.note(author)))

    @rule(gateway=gateways, size=st.integers(0, 2), author=writers)
    def give(self, gateway: str, size: int, author: str) -> None:
        number = len(self.model.resources.get(gateway, ())) + 1
        contents: tuple[Content, ...] = tuple({"@type": "t", "x": None, "n": index} for index in range(size))
        given = ResourceSet(gateway, number, "set", contents, self.note(author))
        self.commit(Write(resources=(given,)), author, gateway)

    @rule(source=sources, ref=refs, listed=st.lists(hosts, max_size=2), author=writers)
    def list_endpoints(self, source: str, ref: str, listed: list[Endpoint], author: str) -> None:
        self.commit(Write(endpoints={(source, ref): tuple(listed)}), author, ref)

    @rule(place=places, host=hosts, ttl=st.integers(1, 60), ends=st.booleans(), author=writers)
    def lease(self, place: Place, host: Endpoint, ttl: int, ends: bool, author: str) -> None:  # noqa: FBT001
        self.commit(Write(leases={place: None if ends else Lease(host, ttl)}), author, place[0])

    @rule(drains=st.dictionaries(places, st.booleans(), max_size=3), author=writers)
    def drain(self, drains: dict[Place, bool], author: str) -> None:
        self.commit(Write(drains=drains), author, *sorted({ref for ref, _ in drains}))

    @rule(request=st.sampled_from("xyz"), later=st.sampled_from([0, DAY / 2, DAY]), new=st.booleans())
    def answer(self, request: str, later: float, new: bool) -> None:  # noqa: FBT001
        self.now += later
        if request not in self.model.replies:
            self.commit(Write(reply=Reply(request, "digest", self.now, {"s": (1, new)})), "ann")

    @precondition(lambda self: self.model.revisions)
    @rule()
    def write_what_is_taken(self) -> None:
        """Nothing of it is there then."""
        taken = next(iter(self.model.revisions.values()))[-1]
        drains = {("s:1", "never"): True}
        with pytest.raises(StoreError):
            self.store.commit(Write(revisions=(taken,), drains=drains, entry=Entry(taken.note, "v", ())))

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = SqliteStore(self.folder / "db")
        self.compare()

    def compare(self) -> None:
        """Ask everything there is to ask."""
        assert self.store.load(0) == self.model.memory(0)
        self.what_is_kept_agrees()
        self.the_audit_agrees()

    @invariant()
    def what_is_loaded_agrees(self) -> None:
        Operations.done += 1
        since = self.now - 2
        assert self.store.load(since) == self.model.memory(since)

    def what_is_kept_agrees(self) -> None:
        for name in ("s", "t"):
            kept = self.model.revisions.get(name, [])
            assert self.store.history(name) == tuple(kept)
            assert (
                self.store.revisions(name, 3, 2) == [each for each in reversed(kept) if each.number < 3][:2]
            )
            found = {number: self.store.revision(name, number) for number in range(5)}
            assert found == dict.fromkeys(range(5)) | {each.number: each for each in kept if each.number < 5}
        for gateway in ("edge", "inner"):
            assert self.store.resource_history(gateway) == tuple(self.model.resources.get(gateway, ()))
        assert {name: self.store.reply(name) for name in "xyz"} == {
            name: self.model.replies.get(name) for name in "xyz"
        }

    def the_audit_agrees(self) -> None:
        newest_first = self.model.snapshots[::-1]
        entries = [(each.number, each.entry) for each in newest_first]
        assert self.store.entries(limit=100) == entries
        assert (
            self.store.entries("s", "ann", self.now / 2, 40, limit=3)
            == [
                (number, entry)
                for number, entry in entries
                if "s" in entry.subjects
                and entry.note.author == "ann"
                and entry.note.at >= self.now / 2
                and number < 40
            ][:3]
        )
        bringing = [each for each in newest_first if each.revisions or each.resources]
        assert self.store.snapshots(None, 100) == bringing
        assert self.store.snapshots(20, 5) == [each for each in bringing if each.number < 20][:5]
        for number in (0, len(entries) // 2, len(entries)):
            assert self.store.at_snapshot(number) == self.model.at_snapshot(number)


def test_random_operations_agree_with_the_model(request: pytest.FixtureRequest) -> None:
    """After each what a start loads; now and then, and at the end, all that can be asked."""
    Operations.done = 0
    runs = 400 if request.config.getoption("--long") else 25
    settings = hypothesis.settings(max_examples=runs, stateful_step_count=STEPS)
    run_state_machine_as_test(Operations, settings=settings)
    assert Operations.done >= AT_LEAST
