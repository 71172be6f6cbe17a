"""How two states of a deployment differ, as text. Pure."""

import dataclasses
import difflib

from xds.control.standing import moved_percent
from xds.revisions import decide
from xds.revisions.record import Note, Revision
from xds.spec.deployment import Deployment
from xds.spec.read import Document
from xds.spec.write import to_yaml

_NOBODY = Note("diff", 0.0)


@dataclasses.dataclass(frozen=True)
class Difference:
    """Two states of a deployment.

    Attributes:
        before: what the one is called: `revision 3`, `nothing`.
        after: the other: `revision 4`, `chat.yaml:1`.
        text: a unified diff of the two as YAML; "" where they are equal.
        moved: percent of the users that get another version.
    """

    name: str
    before: str
    after: str
    text: str
    moved: float


def difference(name: str, before: Revision | None, after: Revision | Document) -> Difference:
    """How a revision or a file differs from a revision, or from nothing."""
    revision: Revision | None
    if isinstance(after, Revision):
        title, spec, revision = f"revision {after.number}", _spec(after), after
    else:
        title, spec = f"{after.file}:{after.line}", after.deployment
        revision = _applied(after.deployment, before)
    titled = f"revision {before.number}" if before else "nothing"
    text = "".join(
        difflib.unified_diff(
            _lines(_spec(before)), _lines(spec), f"{name} ({titled})", f"{name} ({title})", n=3
        )
    )
    return Difference(name, titled, title, text, moved_percent(before, revision) if revision else 0.0)


def _spec(revision: Revision | None) -> Deployment | None:
    """What a revision has in force; a deletion: nothing."""
    return None if revision is None or revision.kind == "delete" else revision.spec


def _lines(spec: Deployment | None) -> list[str]:
    return to_yaml(spec).splitlines(keepends=True) if spec is not None else []


def _applied(spec: Deployment | None, before: Revision | None) -> Revision | None:
    """The revision that a file would make."""
    if spec is None or before is None:
        return None
    return decide.apply(spec, before, {ref: key for key, ref in before.builds.items()}, _NOBODY) or before
