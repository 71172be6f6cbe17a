"""The specs folder: deployment files that are followed as they change.

A broken file leaves its own deployments as they were and says so, in the log and for as long as it is
broken wherever they are shown (`xds.control.troubles`); the others apply. A file that
disappears deletes nothing. What was applied from a file is remembered in the store, so a restart
or a touch applies nothing again (`xds.control.intake`).
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import structlog
from watchfiles import awatch

from xds.control.plane import ControlPlane
from xds.control.terms import Terms
from xds.errors import InvalidInput, StoreError
from xds.server.spec_files import SpecFiles
from xds.spec.faults import Fault
from xds.spec.read import Document

_HEARTBEAT = 1_000
"""Milliseconds after which the watcher reports that nothing happened."""

log = structlog.get_logger(__name__)


class SpecsFolder:
    """Follows one folder on behalf of a control plane."""

    def __init__(self, folder: Path, plane: ControlPlane) -> None:
        self._folder = folder
        self._files = SpecFiles(folder)
        self._plane = plane
        self._reported: frozenset[str] = frozenset()
        self._broken: set[str] = set()
        self._gone: set[str] = set()
        self._unfinished = False

    async def follow(self) -> None:
        """Load whenever something in the folder changes, until cancelled.

        And once when watching has begun, for what changed since the load at the start; and again while
        the store can't be written.
        """
        begun = False
        watcher = awatch(self._folder, debounce=200, step=50, rust_timeout=_HEARTBEAT, yield_on_timeout=True)
        async for changes in watcher:
            if changes or self._unfinished or not begun:
                begun = True
                await self.load()

    async def load(self) -> None:
        """Apply what is new in the folder; report what is wrong with it."""
        look = await asyncio.to_thread(self._files.look)
        self._report_missing(look.names)
        faults = [*look.faults]
        faults += await self._apply(look.documents, {fault.file for fault in faults}, look.names)
        self._plane.troubles.found(faults)
        broken = {fault.file for fault in faults}
        self._report([*faults, *look.warnings], broken)
        self._report_mended(broken, look.names)

    async def _apply(
        self, documents: Sequence[Document], broken: set[str], present: Collection[str]
    ) -> list[Fault]:
        """Apply the documents of all files nothing is wrong with; returns what is wrong with the others.

        Those that were applied before are not among them: nothing in them is new.
        """
        faults: list[Fault] = []
        while True:
            documents = [document for document in documents if document.file not in broken]
            try:
                await self._plane.deployments.apply(documents, Terms("specs"), governed=True, present=present)
            except InvalidInput as error:
                faults += error.faults
                broken = {fault.file for fault in error.faults}
                if broken.isdisjoint(document.file for document in documents):
                    return faults
            except StoreError as error:
                log.error("specs not applied; trying again", error=str(error))
                self._unfinished = True
                return faults
            else:
                self._files.applied({document.file for document in documents})
                self._unfinished = False
                return faults

    def _report(self, faults: Iterable[Fault], broken: set[str]) -> None:
        """Say each thing once, not at every load."""
        said = {str(fault): fault for fault in faults}
        for text, fault in said.items():
            if text not in self._reported:
                level = "error" if fault.file in broken else "warning"
                getattr(log, level)("spec", fault=text)
        self._reported = frozenset(said)

    def _report_mended(self, broken: set[str], present: Collection[str]) -> None:
        for file in sorted((self._broken - broken).intersection(present)):
            log.info("spec file is fine again", file=file)
        self._broken = broken

    def _report_missing(self, present: Collection[str]) -> None:
        gone = self._plane.deployments.files_applied().difference(present)
        for file in sorted(gone - self._gone):
            log.warning("spec file is gone; its deployments stay as they are", file=file)
        self._gone = gone
