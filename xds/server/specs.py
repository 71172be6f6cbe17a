"""The specs folder: deployment files that are followed as they change.

A broken file leaves its own deployments as they were and says so; the others apply. A file that
disappears deletes nothing. What was applied from a file is remembered in the store, so a restart
or a touch applies nothing again (`xds.control.intake`).
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import structlog
from watchfiles import awatch

from xds.control.plane import ControlPlane
from xds.errors import InvalidInput, StoreError
from xds.spec.faults import Fault
from xds.spec.read import Document, read

_HEARTBEAT = 1_000
"""Milliseconds after which the watcher reports that nothing happened."""

_ENDINGS = {".yaml", ".yml", ".json"}
log = structlog.get_logger(__name__)


class SpecsFolder:
    """Follows one folder on behalf of a control plane."""

    def __init__(self, folder: Path, plane: ControlPlane) -> None:
        self._folder = folder
        self._plane = plane
        self._reported: frozenset[str] = frozenset()
        self._gone: set[str] = set()

    async def follow(self) -> None:
        """Load whenever something in the folder changes, until cancelled.

        And once when watching has begun, for what changed since the load at the start.
        """
        begun = False
        watcher = awatch(self._folder, debounce=200, step=50, rust_timeout=_HEARTBEAT, yield_on_timeout=True)
        async for changes in watcher:
            if changes or not begun:
                begun = True
                await self.load()

    async def load(self) -> None:
        """Apply what is new in the folder; report what is wrong with it."""
        texts = await asyncio.to_thread(lambda: dict(_texts(self._folder)))
        self._report_missing(texts)
        reading = read(texts.items())
        documents, faults = self._sound(reading.documents, reading.faults)
        self._report([*faults, *reading.warnings], broken={fault.file for fault in faults})
        try:
            await self._plane.apply(documents, author="specs", governed=True)
        except (InvalidInput, StoreError) as error:
            log.error("specs not applied", error=str(error))

    def _sound(
        self, documents: Iterable[Document], faults: Iterable[Fault]
    ) -> tuple[Sequence[Document], list[Fault]]:
        """The documents of files nothing is wrong with, and all that is wrong with the others."""
        faults = list(faults)
        while True:
            broken = {fault.file for fault in faults}
            documents = [document for document in documents if document.file not in broken]
            found = self._plane.faults_of(documents)
            if not found:
                return documents, faults
            faults += found

    def _report(self, faults: Iterable[Fault], broken: set[str]) -> None:
        """Say each thing once, not at every load."""
        said = {str(fault): fault for fault in faults}
        for text, fault in said.items():
            if text not in self._reported:
                level = "error" if fault.file in broken else "warning"
                getattr(log, level)("spec", fault=text)
        self._reported = frozenset(said)

    def _report_missing(self, texts: Iterable[str]) -> None:
        gone = self._plane.files_applied() - set(texts)
        for file in sorted(gone - self._gone):
            log.warning("spec file is gone; its deployments stay as they are", file=file)
        self._gone = gone


def _texts(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in _ENDINGS and path.is_file() and not path.name.startswith("."):
            yield str(path.relative_to(folder)), path.read_text(encoding="utf-8", errors="replace")
