"""Reads deployment files: every document of every file, and everything that is wrong, at once.

    text -> documents (source, tree) -> a model (drafts, fit, relations) -> what spans files (spanning)

Pure: who opens files, and what is done with those that have faults, is decided elsewhere.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping

from pydantic import JsonValue

from xds.spec.deployment import Deployment
from xds.spec.drafts import Draft, draft
from xds.spec.endpoints import Endpoint
from xds.spec.faults import Fault
from xds.spec.findings import Path
from xds.spec.source import Part, parts_of
from xds.spec.spanning import Statement, spanning, statements


@dataclasses.dataclass(frozen=True)
class Document:
    """One document that is fine: a deployment, or endpoints by tag.

    Attributes:
        file: the name its text came under.
        line: where it begins.
        deployment: None for endpoints by tag.
        endpoints: by build ref: the tag, or `<deployment>@<label>` where there is none. An empty
            list says that there are none now; a build that is absent was not spoken of.
        line_of: the line in which a path of the document stands.
    """

    file: str
    line: int
    deployment: Deployment | None
    endpoints: Mapping[str, tuple[Endpoint, ...]]
    line_of: Callable[[Path], int] = dataclasses.field(default=lambda _: 0, compare=False, repr=False)


@dataclasses.dataclass(frozen=True)
class Reading:
    """Everything that was read.

    Attributes:
        documents: those without a fault, in the order they came in.
        faults: everything that is wrong, sorted by file and line.
        warnings: everything that is worth a look, sorted likewise.
    """

    documents: tuple[Document, ...]
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]

    @property
    def broken_files(self) -> frozenset[str]:
        """The files something is wrong with."""
        return frozenset(fault.file for fault in self.faults)


@dataclasses.dataclass(frozen=True)
class File:
    """One file, read by itself: what spans files is not compared.

    Attributes:
        documents: those without a fault.
        faults: everything that is wrong with it.
        warnings: everything that is worth a look.
        statements: what is to be compared with what other files say.
    """

    documents: tuple[Document, ...]
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    statements: tuple[Statement, ...]


def _as_it_stands(value: JsonValue) -> JsonValue:
    return value


def read(
    sources: Iterable[tuple[str, str]],
    *,
    strict: bool = False,
    over: Callable[[JsonValue], JsonValue] = _as_it_stands,
) -> Reading:
    """Read deployment files.

    Args:
        sources: a file's name, and its text: YAML or JSON, of one document or several.
        strict: unknown keys are faults, not warnings.
        over: what to read in place of what a document says: an update, over what is there.

    Returns:
        The documents, the faults and the warnings. Nothing is raised, whatever the text.
    """
    files = [read_file(name, text, strict=strict, over=over) for name, text in sources]
    clashes = list(spanning(said for file in files for said in file.statements))
    clashing = {(said.file, said.document) for said, _ in clashes}
    documents = (document for file in files for document in file.documents)
    faults = [fault for file in files for fault in file.faults] + [fault for _, fault in clashes]
    warnings = (warning for file in files for warning in file.warnings)
    return Reading(
        tuple(each for each in documents if (each.file, each.line) not in clashing),
        tuple(sorted(faults)),
        tuple(sorted(warnings)),
    )


def read_file(
    name: str, text: str, *, strict: bool = False, over: Callable[[JsonValue], JsonValue] = _as_it_stands
) -> File:
    """Read one file by itself; as `read`."""
    parts, broken = parts_of(name, text)
    said = [part for part in parts if part.value is not None or part.findings.faults]
    drafts = [(part, draft(over(part.value), part.findings, strict=strict)) for part in said]
    empty = () if said or broken else (Fault(name, 0, "", "is empty"),)
    return File(
        tuple(_document(name, *drafted) for drafted in drafts if not drafted[0].findings.faults),
        (*broken, *(fault for part in said for fault in part.findings.faults)),
        (*empty, *(warning for part in said for warning in part.findings.warnings)),
        tuple(each for part, drafted in drafts for each in statements(drafted, part.line, part.findings)),
    )


def _document(file: str, part: Part, drafted: Draft) -> Document:
    endpoints = {ref: listed for ref, (_, listed) in drafted.endpoints.items()}
    return Document(file, part.line, drafted.deployment, endpoints, part.findings.line_of)
