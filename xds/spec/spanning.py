"""What may be said once only, wherever it is said: a name by one document, a build's endpoints in one way.

It is compared over all files. A statement is all that is needed of a document for that, so that a folder can
be compared as a whole again when one of its files changed.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from xds.spec.drafts import Draft, given_twice
from xds.spec.endpoints import Endpoint
from xds.spec.faults import Fault
from xds.spec.findings import Findings, Path, dotted

_NAME: Path = ("name",)


class Statement(NamedTuple):
    """What a document says that others may not say, or not otherwise.

    Attributes:
        file: where it is said.
        document: the line in which the document begins.
        subject: a deployment's name, or a build's ref.
        endpoints: of a build; None where it is about a name.
        path: where in the document it is said.
        line_of: the line in which a path of the document stands.
    """

    file: str
    document: int
    subject: str
    endpoints: frozenset[Endpoint] | None
    path: Path
    line_of: Callable[[Path], int]


def statements(draft: Draft, document: int, findings: Findings) -> Iterator[Statement]:
    """What one document says, as far as that is fine by itself."""
    file, line_of = findings.file, findings.line_of
    if draft.deployment is not None and not findings.spoiled(_NAME):
        yield Statement(file, document, draft.deployment.name, None, _NAME, line_of)
    for ref, (at, listed) in draft.endpoints.items():
        yield Statement(file, document, ref, frozenset(listed), at, line_of)


def spanning(said: Iterable[Statement]) -> Iterator[tuple[Statement, Fault]]:
    """The statements that don't agree with one before them, and what is wrong with each."""
    names: dict[str, Statement] = {}
    builds: dict[str, Statement] = {}
    for each in said:
        first = (names if each.endpoints is None else builds).setdefault(each.subject, each)
        if first is not each and (each.endpoints is None or each.endpoints != first.endpoints):
            yield each, _fault(each, first)


def _fault(said: Statement, first: Statement) -> Fault:
    if said.endpoints is None:
        message = f"{said.subject} is also the deployment of {first.file}:{first.document}"
        mend = "rename one of them"
    else:
        message, mend = given_twice(said.subject, f"{first.file}:{first.line_of(first.path)}")
    return Fault(said.file, said.line_of(said.path), dotted(said.path), message, mend)
