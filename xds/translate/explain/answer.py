"""What there is to say of a request: where it goes, and why, in full sentences."""

import dataclasses
from collections.abc import Mapping

from xds.revisions.record import Revision


@dataclasses.dataclass(frozen=True)
class Segment:
    """Neighbouring slots of one version, as Envoy has them.

    Attributes:
        index: from 0, in the route's order.
        start: its first slot.
        end: its last.
        of: how many slots there are.
    """

    index: int
    start: int
    end: int
    of: int

    def __str__(self) -> str:
        return f"{self.start}-{self.end}"


@dataclasses.dataclass(frozen=True)
class Place:
    """A version, as far as a cluster's name tells.

    Attributes:
        version: its label; "" where the cluster is none of ours.
        build: its tag, or `<deployment>@<label>`.
    """

    cluster: str
    deployment: str = ""
    version: str = ""
    build: str = ""

    def __str__(self) -> str:
        return self.version or f"the cluster {self.cluster}"


Down = Mapping[str, str]
"""What is wrong with builds, by cluster: EMPTY, FADING or UNHEALTHY."""
EMPTY = "has no endpoint: 503"
FADING = "has no endpoint any more; for 30 s those it had are still tried, then it is a 503"
UNHEALTHY = "is unhealthy, so 503 is likely"


@dataclasses.dataclass(frozen=True)
class Explanation:
    """Which version a request gets.

    Attributes:
        reason: why, in sentences.
        place: the version; None where nobody can say beforehand, or no version answers.
        route: the name of the route that answers; "" where there is none.
        slot: where its hash falls; None where nothing is hashed.
        shares: percent by version, where chance decides.
        choices: the versions it decides among.
        status: of an answer that Envoy gives by itself, for a version without endpoints too; 0: a
            version answers.
    """

    reason: str
    place: Place | None = None
    route: str = ""
    slot: int | None = None
    segment: Segment | None = None
    shares: Mapping[str, float] = dataclasses.field(default_factory=dict)
    choices: tuple[Place, ...] = ()
    status: int = 0

    @property
    def version(self) -> str | None:
        """The version's label; None where there is none to name."""
        return self.place.version or None if self.place else None


def place_of(cluster: str, revisions: Mapping[str, Revision]) -> Place:
    """Whose a cluster is.

    Args:
        cluster: its name.
        revisions: those in force, by deployment.
    """
    name, _, key = cluster.partition("_")
    revision = revisions.get(name)
    if revision is None or key not in revision.builds:
        return Place(cluster)
    return Place(cluster, name, revision.label_of(key), revision.builds[key])
