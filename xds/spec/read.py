"""Reads deployment files: every document of every file, and everything that is wrong, at once.

    text -> documents (source, tree) -> a model (drafts, fit, relations) -> what spans files (here)

Pure: who opens files, and what is done with those that have faults, is decided elsewhere.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping

from pydantic import JsonValue

from xds.spec.deployment import Deployment
from xds.spec.drafts import Draft, draft, given_twice
from xds.spec.endpoints import Endpoint
from xds.spec.faults import Fault
from xds.spec.findings import Findings, Path
from xds.spec.source import parts_of


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
class _Read:
    line: int
    findings: Findings
    draft: Draft

    @property
    def place(self) -> str:
        return f"{self.findings.file}:{self.line}"


def read(
    sources: Iterable[tuple[str, str]],
    *,
    strict: bool = False,
    over: Callable[[JsonValue], JsonValue] = lambda value: value,
) -> Reading:
    """Read deployment files.

    Args:
        sources: a file's name, and its text: YAML or JSON, of one document or several.
        strict: unknown keys are faults, not warnings.
        over: what to read in place of what a document says: an update, over what is there.

    Returns:
        The documents, the faults and the warnings. Nothing is raised, whatever the text.
    """
    everything: list[_Read] = []
    faults: list[Fault] = []
    warnings: list[Fault] = []
    for file, text in sources:
        parts, broken = parts_of(file, text)
        faults += broken
        said = [part for part in parts if part.value is not None or part.findings.faults]
        if not said and not broken:
            warnings.append(Fault(file, 0, "", "is empty"))
        everything += [
            _Read(part.line, part.findings, draft(over(part.value), part.findings, strict=strict))
            for part in said
        ]
    _check_names_differ(everything)
    _check_endpoints_agree(everything)
    for each in everything:
        faults += each.findings.faults
        warnings += each.findings.warnings
    return Reading(tuple(_documents(everything)), tuple(sorted(faults)), tuple(sorted(warnings)))


def _documents(everything: Iterable[_Read]) -> Iterable[Document]:
    for each in everything:
        findings, drafted = each.findings, each.draft
        if not findings.faults:
            endpoints = {ref: listed for ref, (_, listed) in drafted.endpoints.items()}
            yield Document(findings.file, each.line, drafted.deployment, endpoints, findings.line_of)


def _check_names_differ(everything: Iterable[_Read]) -> None:
    first: dict[str, _Read] = {}
    for each in everything:
        findings = each.findings
        if each.draft.deployment is None or findings.spoiled(("name",)):
            continue
        name = each.draft.deployment.name
        earlier = first.setdefault(name, each)
        if earlier is not each:
            findings.fault(
                ("name",), f"{name} is also the deployment of {earlier.place}", "rename one of them"
            )


def _check_endpoints_agree(everything: Iterable[_Read]) -> None:
    """A build's endpoints may be given in several places, but not differently."""
    first: dict[str, tuple[Findings, Path, frozenset[Endpoint]]] = {}
    for each in everything:
        findings = each.findings
        for ref, (at, listed) in each.draft.endpoints.items():
            earlier, place, theirs = first.setdefault(ref, (findings, at, frozenset(listed)))
            if theirs != frozenset(listed):
                findings.fault(at, *given_twice(ref, f"{earlier.file}:{earlier.line_of(place)}"))
