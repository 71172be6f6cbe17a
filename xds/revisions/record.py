"""The revision: an immutable, numbered record of a deployment.

Labels are what users read and write; builds are what slots, clusters and endpoints belong to. A
revision maps the one to the other, so that relabelling (a promotion) moves nobody.
"""

import dataclasses
from collections.abc import Mapping
from typing import Literal

from xds.slots.table import SLOTS, SlotTable
from xds.spec.deployment import Deployment

Kind = Literal["apply", "set-weights", "promote", "abort", "rollback", "delete", "undelete"]


@dataclasses.dataclass(frozen=True)
class Note:
    """Who makes a change, when (seconds since the epoch) and why."""

    author: str
    at: float
    comment: str = ""


@dataclasses.dataclass(frozen=True)
class Revision:
    """One state of a deployment.

    Attributes:
        number: 1 for a deployment's first.
        labels: build key by label, `main` among them.
        builds: build ref (its tag, or `<deployment>@<label>`) by key: every key labelled here.
        source: the revision whose content a rollback or an undelete brought back; None for other kinds.
    """

    number: int
    kind: Kind
    spec: Deployment
    labels: Mapping[str, str]
    builds: Mapping[str, str]
    slots: SlotTable
    note: Note
    source: int | None = None

    @property
    def deployment(self) -> str:
        """The deployment's name."""
        return self.spec.name

    @property
    def title(self) -> str:
        """What it is a record of."""
        return self.deployment

    def same_content(self, other: "Revision") -> bool:
        """Whether both say the same, whoever made them and when."""
        return (self.spec, self.labels, self.builds, self.slots) == (
            other.spec,
            other.labels,
            other.builds,
            other.slots,
        )

    def label_of(self, key: str) -> str:
        """The label of a build; the first (so `main`) where it has several."""
        return next(label for label, labelled in self.labels.items() if labelled == key)

    def cluster_of(self, key: str) -> str:
        """The name of a build's cluster in Envoy: named for the build, never for its role."""
        return cluster_name(self.deployment, key)


def cluster_name(deployment: str, key: str) -> str:
    """`<deployment>_<key>`: neither part has an underscore, so the first one separates them."""
    return f"{deployment}_{key}"


def percent(slots: int) -> float:
    """Percent of a number of slots."""
    return round(slots * 100 / SLOTS, 2)
