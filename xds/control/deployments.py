"""The verbs for deployments. Each is decided, committed, adopted, and then left to be published."""

import dataclasses
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Literal

import structlog

from xds.control.endpoint_book import EndpointBook
from xds.control.expected import check_expected
from xds.control.intake import EndpointChange, Intake, check, take_in
from xds.control.merge import merged_documents
from xds.control.shown import Shown
from xds.control.standing import Applied, Outcome, said_shares
from xds.control.terms import Terms
from xds.control.turns import anything
from xds.control.writer import Answered, concerning, digest_of, entry, reply
from xds.errors import AlreadyExists, InvalidInput, TooFewEndpoints
from xds.fleet.limits import refused
from xds.revisions import decide
from xds.revisions.record import Note, Revision
from xds.spec.faults import Fault
from xds.spec.read import Document, Reading, read
from xds.store.records import Write

Mode = Literal["apply", "create", "update"]

Decision = Callable[[Revision, Note], Awaitable[Revision | None]]
"""From what is in force (or its deletion) to the next revision; None: nothing would change."""

Texts = Iterable[tuple[str, str]]
"""Files: a name, and YAML or JSON each."""

_GUARDED = ("set-weights", "promote", "rollback")
"""The verbs that are refused where a version would get users whom it can't serve."""

_NARROW = ("set-weights", "promote", "abort")
"""The verbs for which no other deployment matters: hosts stay as they are."""

log = structlog.get_logger(__name__)


class Deployments(Shown):
    """Deployments, changed."""

    async def apply_texts(
        self, files: Texts, terms: Terms, *, mode: Mode = "apply", strict: bool = False
    ) -> tuple[Applied, tuple[Fault, ...]]:
        """Apply deployment files, all or nothing; returns what became of them, and warnings.

        Args:
            files: the files.
            terms: `expected` is held against each deployment in them.
            mode: `create` only makes, `update` only changes, and only in the keys given (null takes one
                away).
            strict: unknown keys are faults.

        Raises:
            InvalidInput, AlreadyExists, NotFound, Conflict: nothing was changed.
        """
        files = list(files)

        def documents() -> Reading:
            if mode == "update":
                return merged_documents(files, self._state, strict=strict)
            reading = read(files, strict=strict)
            if mode == "create":
                self._check_new(reading.documents)
            return reading

        digest = digest_of(mode, files, strict)
        return await self._writer.alone(lambda: self._apply(documents, terms, digest, verb=mode))

    async def apply(
        self,
        documents: Sequence[Document],
        terms: Terms,
        *,
        governed: bool = False,
        present: Collection[str] = (),
    ) -> Applied:
        """Apply documents, all or nothing; returns what became of them.

        Args:
            documents: what was read, without faults.
            terms: who applies them, and why.
            governed: they come from the specs folder: only what became of endpoints is returned.
            present: the files of that folder.

        Raises:
            InvalidInput, Conflict: every fault; nothing was changed.
        """
        if governed:
            self._state.present = frozenset(present)
        reading = Reading(tuple(documents), (), ())
        said = [(each.deployment, each.endpoints) for each in documents if terms.request]
        digest = digest_of("apply", said)
        applied, _ = await self._writer.alone(
            lambda: self._apply(lambda: reading, terms, digest, governed=governed, present=present)
        )
        return applied

    async def set_weights(self, name: str, weights: Mapping[str, float], terms: Terms) -> Outcome:
        """Give versions other weights; those not named keep theirs.

        Raises:
            NotFound, InvalidInput, TooFewEndpoints, Conflict: nothing was changed.
        """

        async def decision(head: Revision, note: Note) -> Revision | None:
            revision = decide.set_weights(head, weights, note)
            if revision is not None:
                _raise(refused(revision.spec, self._standings.limited(revision.spec), name))
            return revision

        return await self._verb("set-weights", name, terms, decision, said=sorted(weights.items()))

    async def promote(self, name: str, version: str, terms: Terms) -> Outcome:
        """Make a version `main`, with all traffic; "" where there is only one canary.

        Raises:
            NotFound, InvalidInput, TooFewEndpoints, Conflict: nothing was changed.
        """

        async def decision(head: Revision, note: Note) -> Revision | None:
            return decide.promote(head, version, note)

        return await self._verb("promote", name, terms, decision, said=version)

    async def abort(self, name: str, terms: Terms) -> Outcome:
        """Everything to `main`; whatever is expected to be in force.

        Raises:
            NotFound: there is no such deployment.
        """

        async def decision(head: Revision, note: Note) -> Revision | None:
            return decide.abort(head, note)

        return await self._verb("abort", name, terms, decision)

    async def rollback(
        self, name: str, terms: Terms, *, to: int | None = None, stable: bool = False
    ) -> Outcome:
        """Back to an earlier revision: spec, labels and slots as they were, endpoints as they are.

        Args:
            name: what to roll back.
            terms: who, why.
            to: the number of a revision.
            stable: to the newest earlier one with `main` at 100 %. Neither: to what the one in
                force replaced; for a rollback or an abort, further back.

        Raises:
            NotFound, NothingToDo, InvalidInput, TooFewEndpoints, Conflict: nothing was changed.
        """

        async def decision(_: Revision, note: Note) -> Revision | None:
            history = await self._writer.ask(lambda store: store.history(name))
            revision = decide.rollback(history, note, to, stable=stable)
            self._check_again(revision)
            return revision

        return await self._verb("rollback", name, terms, decision, said=(to, stable))

    async def delete(self, name: str, terms: Terms) -> Outcome:
        """Take a deployment out of service; its history is kept.

        Raises:
            NotFound, Conflict: nothing was changed.
        """

        async def decision(head: Revision, note: Note) -> Revision | None:
            return decide.delete(head, note)

        return await self._verb("delete", name, terms, decision)

    async def undelete(self, name: str, terms: Terms) -> Outcome:
        """Bring a deleted deployment back as it was.

        Raises:
            NotFound, NothingToDo, InvalidInput, TooFewEndpoints, Conflict: nothing was changed.
        """

        async def decision(head: Revision, note: Note) -> Revision | None:
            history = await self._writer.ask(lambda store: store.history(name))
            revision = decide.undelete(head, history, note)
            self._check_again(revision)
            return revision

        return await self._verb("undelete", name, terms, decision)

    async def undo(self, revision: Revision, terms: Terms) -> int:
        """Back to exactly what was in force before a revision; returns what undid it.

        Raises:
            Conflict: it isn't in force any more.
            NotFound: what was before is kept no more.
        """
        name, number = revision.deployment, revision.number
        terms = dataclasses.replace(terms, expected=number, force=True)
        before = await self.revision(name, number - 1) if number > 1 else None
        if revision.kind == "delete":
            outcome = await self.undelete(name, terms)
        elif before is None or before.kind == "delete":
            outcome = await self.delete(name, terms)
        else:
            outcome = await self.rollback(name, terms, to=before.number)
        return outcome.standing.revision.number

    def files_applied(self) -> set[str]:
        """The files of the specs folder that something was applied from."""
        return {file for file, _ in self._state.applied}

    async def _verb(
        self,
        verb: str,
        name: str,
        terms: Terms,
        decision: Decision,
        *,
        said: object = None,
    ) -> Outcome:
        """Decide on one deployment and commit it.

        Args:
            verb: what the audit calls it.
            name: of the deployment.
            terms: who, why, and under which conditions.
            decision: what is to be in force then.
            said: what else tells the request from another one.
        """
        digest = digest_of(verb, name, said)

        async def change() -> Outcome:
            answered = await self._writer.answered(terms, digest)
            if answered is not None:
                return await self._as_answered(name, *answered[name])
            head = self._state.ever(name) if verb == "undelete" else self._state.existing(name)
            if verb != "abort":  # which is never in the way of anybody
                check_expected(name, head, terms)
            revision = await decision(head, terms.note())
            if revision is not None and verb in _GUARDED and not terms.force:
                self._check_endpoints(head, revision)
            number = (revision or head).number
            if not terms.dry_run:
                made = (revision,) if revision is not None else ()
                line = entry(terms, verb, [name], said_shares(made)) if made else None
                answer = reply(terms, digest, {name: (number, revision is not None)})
                await self._writer.commit(Write(revisions=made, entry=line, reply=answer))
            return self._standings.outcome(revision or head, head, changed=revision is not None)

        concerned = concerning(terms, name)
        return await self._writer.alone(change, (lambda: concerned) if verb in _NARROW else anything)

    async def _apply(
        self,
        documents: Callable[[], Reading],
        terms: Terms,
        digest: str,
        *,
        verb: str = "apply",
        governed: bool = False,
        present: Collection[str] = (),
    ) -> tuple[Applied, tuple[Fault, ...]]:
        answered = await self._writer.answered(terms, digest)
        if answered is not None:
            return await self._as_applied(answered), ()
        reading = documents()
        _raise(reading.faults)
        previous = {
            document.deployment.name: self._state.newest(document.deployment.name)
            for document in reading.documents
            if document.deployment is not None
        }
        for name, newest in previous.items():
            check_expected(name, newest, terms)
        intake = take_in(self._state, reading.documents, terms.note(), governed=governed, present=present)
        _raise(self._unfit(reading.documents, {revision.deployment for revision, _ in intake.heads}))
        if not terms.dry_run:
            await self._writer.commit(_write(intake, terms, verb, digest))
            _log_endpoints(intake.endpoints, terms.author)
        told = () if governed else intake.heads  # a folder wants no answer, and brings thousands
        outcomes = self._standings.outcomes(
            [(revision, previous[revision.deployment], new) for revision, new in told],
            self._coming(intake.write) if terms.dry_run else {},
        )
        return Applied(outcomes, intake.endpoints), reading.warnings

    def _coming(self, write: Write) -> dict[str, EndpointBook]:
        """The books of the builds whose endpoints would be written."""
        book, now = self._state.book, self._state.clock()
        return {ref: book.trial(ref, write, now) for _, ref in write.endpoints}

    async def _as_applied(self, answered: Answered) -> Applied:
        """What was said to an apply before."""
        return Applied([await self._as_answered(name, *each) for name, each in answered.items()], ())

    async def _as_answered(self, name: str, number: int, new: bool) -> Outcome:  # noqa: FBT001 (as recorded)
        """What was said to a request before."""
        kept = await self._writer.ask(lambda store: store.revision(name, number))
        revision = kept or self._state.ever(name)
        before = revision if not new else None
        if new and number > 1:
            before = await self._writer.ask(lambda store: store.revision(name, number - 1))
        return self._standings.outcome(revision, before, changed=new)

    def _check_new(self, documents: Iterable[Document]) -> None:
        heads = (self._state.head(each.deployment.name) for each in documents if each.deployment is not None)
        for head in heads:
            if head is not None:
                raise AlreadyExists(
                    f"{head.deployment} is there already (revision {head.number} by {head.note.author}); "
                    "nothing was changed; apply it, or give it another name"
                )

    def _check_endpoints(self, head: Revision, revision: Revision) -> None:
        """Nobody gets a version that can't serve them."""
        against = self._standings.objections(head, revision)
        if against:
            raise TooFewEndpoints(
                f"{revision.deployment}: {', '.join(against)}; nothing was changed; "
                "add endpoints, or force it"
            )

    def _check_again(self, revision: Revision) -> None:
        """What a revision of before needs may have been taken since."""
        document = Document(f"revision {revision.source}", 0, revision.spec, {})
        _raise(check(self._state, [document]))

    def _unfit(self, documents: Iterable[Document], names: Collection[str]) -> list[Fault]:
        """What these deployments would become, and is refused because of an Envoy that can't do it."""
        faults = []
        for document in documents:
            spec = document.deployment
            head = self._state.head(spec.name) if spec is not None else None
            if spec is not None and spec.name in names and (head is None or head.spec != spec):
                faults += refused(spec, self._standings.limited(spec), document.file, document.line)
        return faults


def _write(intake: Intake, terms: Terms, verb: str, digest: str) -> Write:
    """What an apply commits, with its line of the audit and what makes a retry safe."""
    write = intake.write
    builds = [change.build for change in intake.endpoints if change.changed]
    subjects = [*(revision.deployment for revision in write.revisions), *builds]
    said = [said_shares(write.revisions)] if write.revisions else []
    said += [_counted(change) for change in intake.endpoints if change.changed]
    answered = {revision.deployment: (revision.number, new) for revision, new in intake.heads}
    return Write(
        revisions=write.revisions,
        endpoints=write.endpoints,
        applied=write.applied,
        entry=entry(terms, verb, subjects, "; ".join(said)) if subjects else None,
        reply=reply(terms, digest, answered),
    )


def _counted(change: EndpointChange) -> str:
    return f"{change.count} endpoint{'' if change.count == 1 else 's'} of {change.build}"


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
