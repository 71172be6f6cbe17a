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
class _Made:
    """What was made of a deployment, and from what."""

    revision: Revision
    builds: tuple[Build, ...]
    lending: frozenset[str]
    """The builds that lend their slots, by key; for a while they still have the endpoints they had."""
    resources: tuple[Resource, ...]
    parts: dict[tuple[bool, bool], Part] = dataclasses.field(default_factory=dict)
    """By what the Envoys can do."""


class Brought:
    """The newest of every deployment on one gateway."""

    def __init__(self) -> None:
        self._made: dict[str, _Made] = {}

    def resources(self, view: View) -> tuple[Resource, ...]:
        """A deployment's clusters and endpoints, encoded."""
        return self._of(view).resources

    def part(self, view: View) -> Part:
        """A deployment's part of the route table."""
        parts, able = self._of(view).parts, (view.sticky_splits, view.other_version)
        if able not in parts:
            parts[able] = Part(*section(view), since=view.revision.note.at)
        return parts[able]

    def main_only(self, view: View) -> Part:
        """The same with everyone at `main`."""
        return Part(*section(dataclasses.replace(view, only_main=True)))

    def forget(self, name: str) -> None:
        """A deployment brings nothing any more."""
        self._made.pop(name, None)

    def _of(self, view: View) -> _Made:
        name, builds = view.revision.deployment, tuple(view.builds())
        made = self._made.get(name)
        if (
            made is None
            or made.revision is not view.revision
            or (made.builds, made.lending) != (builds, view.lending)
        ):
            self._made[name] = made = _Made(view.revision, builds, view.lending, _encoded(view, builds))
        return made


def _encoded(view: View, builds: tuple[Build, ...]) -> tuple[Resource, ...]:
    resources = []
    for build in builds:
        made = encode(Type.CLUSTER, build.cluster, cluster(view, build))
        resources.append(made)
        if not build.is_dns:
            places = assignment(build.cluster, build.endpoints)
            resources.append(encode(Type.ENDPOINT, build.cluster, places, salt=made.version))
    return tuple(resources)
