"""The control plane's verbs. Each is decided, committed, adopted, and then left to be published.

One change at a time: a lock spans decision and commit, so that what was decided on is still in
force. The store's calls run in its own thread; nothing else here blocks.
"""

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, TypeVar

import structlog

from xds.catalog.catalog import Catalog
from xds.control.giving import ResourceStanding, give, give_back, standing
from xds.control.intake import EndpointChange, check, take_in
from xds.control.publisher import Publisher
from xds.control.state import State
from xds.discovery.request import Node
from xds.discovery.stream import Stream
from xds.errors import InvalidInput, SettingsError
from xds.fleet.convergence import Convergence, convergence
from xds.fleet.limits import refused
from xds.revisions import decide
from xds.revisions.record import Note, Revision
from xds.revisions.resources import ResourceSet
from xds.spec.deployment import Deployment
from xds.spec.endpoints import Endpoint
from xds.spec.faults import Fault
from xds.spec.read import Document, read
from xds.store.records import Write
from xds.store.sqlite import SqliteStore
from xds.translate.raw_gateway import clashes

T = TypeVar("T")
log = structlog.get_logger(__name__)


@dataclasses.dataclass(frozen=True)
class Standing:
    """A deployment as it stands: what is in force, where it runs, who has it."""

    revision: Revision
    endpoints: Mapping[str, tuple[Endpoint, ...]]
    convergence: Convergence
    notes: tuple[str, ...] = ()
    """What its owner should know besides."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a verb did to a deployment."""

    standing: Standing
    changed: bool


@dataclasses.dataclass(frozen=True)
class Applied:
    """What became of documents: of each deployment, and of each build whose endpoints they list."""

    outcomes: list[Outcome]
    endpoints: tuple[EndpointChange, ...]


class ControlPlane:
    """Deployments, from the outside; and what gateways are given besides.

    Raises:
        SettingsError: a gateway's own virtual hosts and a deployment claim the same host.
    """

    def __init__(
        self,
        state: State,
        store: SqliteStore,
        store_thread: Executor,
        publisher: Publisher,
    ) -> None:
        clashing = [str(fault) for fault in clashes(state.claims(), state.gateways.values())]
        if clashing:
            raise SettingsError("\n".join(clashing))
        self.hub = publisher.hub
        self.publisher = publisher
        self._state = state
        self._store = store
        self._store_thread = store_thread
        self._lock = asyncio.Lock()
        self._changes: set[asyncio.Task[Any]] = set()
        for spec in state.unserved():
            log.warning("no gateway serves it", deployment=spec.name, gateways=list(spec.gateways or ()))
        self.publisher.touch(state.names())
        self.publisher.publish()

    async def apply_texts(
        self, files: Iterable[tuple[str, str]], *, author: str, comment: str = "", strict: bool = False
    ) -> tuple[Applied, tuple[Fault, ...]]:
        """Apply whole deployment files, all or nothing; returns what became of them, and warnings.

        Raises:
            InvalidInput: every fault in every file; nothing was changed.
        """
        reading = read(files, strict=strict)
        if reading.faults:
            raise InvalidInput(reading.faults)
        applied = await self.apply(reading.documents, author=author, comment=comment)
        return applied, reading.warnings

    async def apply(
        self,
        documents: Sequence[Document],
        *,
        author: str,
        comment: str = "",
        governed: bool = False,
        present: Collection[str] = (),
    ) -> Applied:
        """Apply documents, all or nothing.

        Args:
            documents: what was read, without faults.
            author: who applies them.
            comment: and why.
            governed: they come from the specs folder.
            present: the files of that folder.

        Raises:
            InvalidInput: every fault; nothing was changed.
        """

        async def change() -> Applied:
            note = _note(author, comment)
            intake = take_in(self._state, documents, note, governed=governed, present=present)
            _raise(self._unfit(documents))
            await self._commit(intake.write)
            _log_endpoints(intake.endpoints, author)
            outcomes = [Outcome(self._standing(revision), new) for revision, new in intake.heads]
            return Applied(outcomes, intake.endpoints)

        return await self._whole(change)

    async def set_weights(
        self, name: str, weights: Mapping[str, float], *, author: str, comment: str = ""
    ) -> Outcome:
        """Give versions other weights; those not named keep theirs.

        Raises:
            NotFound, InvalidInput: nothing was changed.
        """

        async def change() -> Outcome:
            head = self._state.existing(name)
            revision = decide.set_weights(head, weights, _note(author, comment))
            if revision is not None:
                _raise(refused(revision.spec, self._nodes(revision.spec), name))
            return await self._advance(head, revision)

        return await self._whole(change)

    async def abort(self, name: str, *, author: str, comment: str = "") -> Outcome:
        """Everything to `main`.

        Raises:
            NotFound: there is no such deployment.
        """

        async def change() -> Outcome:
            head = self._state.existing(name)
            return await self._advance(head, decide.abort(head, _note(author, comment)))

        return await self._whole(change)

    async def rollback(self, name: str, *, author: str, comment: str = "") -> Outcome:
        """Back to the newest earlier revision that was never left on purpose.

        Raises:
            NotFound, NothingToDo, InvalidInput: nothing was changed.
        """

        async def change() -> Outcome:
            head = self._state.existing(name)
            history = await self._in_store(lambda: self._store.history(name))
            revision = decide.rollback(history, _note(author, comment))
            faults = check(self._state, [Document(f"revision {revision.source}", 0, revision.spec, {})])
            _raise(faults)
            return await self._advance(head, revision)

        return await self._whole(change)

    def get(self, name: str) -> Standing:
        """A deployment as it stands.

        Raises:
            NotFound: there is no such deployment.
        """
        return self._standing(self._state.existing(name))

    def deployments(self) -> list[Standing]:
        """Every deployment, by name."""
        return [self.get(name) for name in self._state.names()]

    async def history(self, name: str) -> tuple[Revision, ...]:
        """A deployment's revisions, oldest first.

        Raises:
            NotFound: there is no such deployment.
        """
        self._state.existing(name)
        return await self._in_store(lambda: self._store.history(name))

    async def set_resources(
        self, gateway: str, texts: Iterable[tuple[str, str]], *, author: str, comment: str = ""
    ) -> ResourceStanding:
        """Give a gateway Envoy resources in place of those it was given before, all or nothing.

        Args:
            gateway: its name.
            texts: a name and YAML or JSON each, of one document or several: resources with `@type`.
            author: who gives them.
            comment: why.

        Raises:
            NotFound, InvalidInput: nothing was changed.
        """
        texts = list(texts)

        async def change() -> ResourceStanding:
            catalog = self._published(gateway)
            given = give(self._state, catalog, gateway, texts, _note(author, comment))
            if given is not None:
                await self._commit(Write(resources=(given,)))
            return self.resources(gateway)

        return await self._whole(change)

    async def rollback_resources(self, gateway: str, *, author: str, comment: str = "") -> ResourceStanding:
        """Back to the newest earlier resources that were never left by a rollback.

        Raises:
            NotFound, NothingToDo, InvalidInput: nothing was changed.
        """

        async def change() -> ResourceStanding:
            catalog = self._published(gateway)
            history = await self.resource_history(gateway)
            given = give_back(self._state, catalog, gateway, history, _note(author, comment))
            await self._commit(Write(resources=(given,)))
            return self.resources(gateway)

        return await self._whole(change)

    def resources(self, gateway: str) -> ResourceStanding:
        """The resources that people gave a gateway, and what its Envoys made of them.

        Raises:
            NotFound: there is no such gateway.
        """
        self._state.check_gateway(gateway)
        streams = self.hub.streams(gateway)
        lanes = self.publisher.lanes
        return standing(self._state, gateway, streams, lanes, pending=self.publisher.pending)

    async def resource_history(self, gateway: str) -> tuple[ResourceSet, ...]:
        """All sets of resources that a gateway was given, oldest first.

        Raises:
            NotFound: there is no such gateway.
        """
        self._state.check_gateway(gateway)
        return await self._in_store(lambda: self._store.resource_history(gateway))

    def files_applied(self) -> set[str]:
        """The files of the specs folder that something was applied from."""
        return {file for file, _ in self._state.applied}

    async def _whole(self, change: Callable[[], Awaitable[T]]) -> T:
        """Run a change to its end, one at a time, even when the caller goes away in the middle.

        Otherwise a call cancelled during the commit would leave memory behind the store.
        """

        async def alone() -> T:
            async with self._lock:
                return await change()

        task = asyncio.create_task(alone())
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        return await asyncio.shield(task)

    async def _advance(self, head: Revision, revision: Revision | None) -> Outcome:
        if revision is None:
            return Outcome(self._standing(head), changed=False)
        await self._commit(Write(revisions=(revision,)))
        return Outcome(self._standing(revision), changed=True)

    async def _commit(self, write: Write) -> None:
        """Durable first; only then does anything see it."""
        if write == Write():
            return
        await self._in_store(lambda: self._store.commit(write))
        self.publisher.touch(self._state.adopt(write, time.time()))
        self.publisher.touch_resources(given.gateway for given in write.resources)
        for given in write.resources:
            log.info(
                "resources",
                gateway=given.gateway,
                number=given.number,
                kind=given.kind,
                count=len(given.contents),
                author=given.note.author,
            )
        for revision in write.revisions:
            log.info(
                "revision",
                deployment=revision.deployment,
                number=revision.number,
                kind=revision.kind,
                weights=revision.spec.weights(),
                author=revision.note.author,
            )

    def _published(self, gateway: str) -> Catalog:
        """A gateway's catalog, with everything in it that was committed."""
        self._state.check_gateway(gateway)
        if self.publisher.pending:
            self.publisher.publish()
        return self.hub.catalogs[gateway]

    async def _in_store(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._store_thread, call)

    def _unfit(self, documents: Iterable[Document]) -> list[Fault]:
        """What in documents is new, and refused because of an Envoy that can't do it."""
        faults = []
        for document in documents:
            spec = document.deployment
            head = self._state.head(spec.name) if spec is not None else None
            if spec is not None and (head is None or head.spec != spec):
                faults += refused(spec, self._nodes(spec), document.file, document.line)
        return faults

    def _nodes(self, spec: Deployment) -> list[Node]:
        return [stream.node for stream in self._streams(spec)]

    def _streams(self, spec: Deployment) -> list[Stream]:
        """The streams of the Envoys that are to serve a deployment."""
        gateways = spec.gateways or self._state.gateways
        return [stream for gateway in gateways for stream in self.hub.streams(gateway)]

    def _standing(self, revision: Revision) -> Standing:
        return Standing(
            revision=revision,
            endpoints={ref: self._state.endpoints.get(ref, ()) for ref in revision.builds.values()},
            convergence=convergence(
                revision,
                self._streams(revision.spec),
                self.publisher.lanes,
                pending=self.publisher.pending,
            ),
            notes=self._notes(revision.spec),
        )

    def _notes(self, spec: Deployment) -> tuple[str, ...]:
        if not self._state.has_no_gateway(spec):
            return ()
        return (f"no gateway serves it (its gateways: {', '.join(spec.gateways or ())})",)


def _log_endpoints(changes: Iterable[EndpointChange], author: str) -> None:
    for change in changes:
        if change.changed:
            log.info(
                "endpoints",
                build=change.build,
                count=change.count,
                deployments=list(change.deployments),
                author=author,
            )


def _raise(faults: Iterable[Fault]) -> None:
    """All of them at once, if there are any."""
    faults = tuple(faults)
    if faults:
        raise InvalidInput(faults)


def _note(author: str, comment: str) -> Note:
    return Note(author, time.time(), comment)
