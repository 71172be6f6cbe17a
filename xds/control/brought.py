"""What a deployment brings to a gateway, made once for all of the gateway's targets.

Targets differ in little: a split that some Envoys can't do, a deployment that some refused. Clusters and
endpoints are the same for all of them, and so are most routes. When the first Envoy of a new target
connects, nearly everything it is to have is there already.
"""

import dataclasses

from xds.catalog.resource import Resource, encode
from xds.catalog.types import Type
from xds.control.proof import Part
from xds.revisions.record import Revision
from xds.translate.clusters import cluster
from xds.translate.endpoints import assignment
from xds.translate.hosts import section
from xds.translate.view import Build, View


@dataclasses.dataclass(frozen=True)
class Made:
    """What was made of a deployment, and from what.

    Attributes:
        lending: the builds that lend their slots, by key; for a while they still have the endpoints they had.
        resources: its clusters and endpoints, encoded.
    """

    revision: Revision
    builds: tuple[Build, ...]
    lending: frozenset[str]
    resources: tuple[Resource, ...]
    _parts: dict[tuple[bool, bool], Part] = dataclasses.field(default_factory=dict)
    """By what the Envoys can do, as far as it makes a difference."""

    def part(self, view: View) -> Part:
        """Its part of the route table."""
        sticky, elsewhere = view.needs
        able = view.sticky_splits or not sticky, view.other_version or not elsewhere
        if able not in self._parts:
            self._parts[able] = Part(*section(view), since=view.revision.note.at)
        return self._parts[able]


class Brought:
    """The newest of every deployment on one gateway."""

    def __init__(self) -> None:
        self._made: dict[str, Made] = {}

    def made(self, view: View) -> Made:
        """What a deployment brings now."""
        name, builds = view.revision.deployment, tuple(view.builds())
        made = self._made.get(name)
        if (
            made is None
            or made.revision is not view.revision
            or (made.builds, made.lending) != (builds, view.lending)
        ):
            self._made[name] = made = Made(view.revision, builds, view.lending, _encoded(view, builds))
        return made

    def forget(self, name: str) -> None:
        """A deployment brings nothing any more."""
        self._made.pop(name, None)


def main_only(view: View) -> Part:
    """A deployment's part of the route table with everyone at `main`."""
    return Part(*section(dataclasses.replace(view, only_main=True)))


def _encoded(view: View, builds: tuple[Build, ...]) -> tuple[Resource, ...]:
    resources = []
    for build in builds:
        made = encode(Type.CLUSTER, build.cluster, cluster(view, build))
        resources.append(made)
        if not build.is_dns:
            places = assignment(build.cluster, build.endpoints)
            resources.append(encode(Type.ENDPOINT, build.cluster, places, salt=made.version))
    return tuple(resources)
