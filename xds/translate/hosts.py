"""Virtual hosts: each host with the routes of every deployment on it, longest path first."""

import dataclasses
from collections.abc import Iterable

from xds.spec.claims import hosts_of
from xds.spec.deployment import MAIN
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.translate.raw_names import clusters_in
from xds.translate.routes import routes
from xds.translate.view import View


@dataclasses.dataclass(frozen=True)
class Section:
    """The part of a host's routes that one deployment brings."""

    deployment: str
    path_prefix: str
    routes: tuple[route_v3.Route, ...]
    patched: bool = False
    """Whether they have parts that are not ours."""
    main: str = ""
    """The cluster of the deployment's `main`."""

    def clusters(self) -> frozenset[str]:
        """The clusters its routes name."""
        if self.patched:
            return clusters_in(*self.routes)
        actions = [route.route for route in self.routes if route.HasField("route")]
        return frozenset(
            name
            for action in actions
            for name in (
                *(entry.name for entry in action.weighted_clusters.clusters),
                *(copies.cluster for copies in action.request_mirror_policies),
            )
        )


def section(view: View) -> tuple[tuple[str, ...], Section]:
    """A deployment's hosts on a gateway, and what it brings to each of them."""
    spec = view.revision.spec
    versions = spec.canary.versions.values()
    patched = spec.envoy is not None or any(version.envoy is not None for version in versions)
    main = view.revision.cluster_of(view.revision.labels[MAIN])
    brought = Section(spec.name, spec.path_prefix, tuple(routes(view)), patched, main)
    return hosts_of(spec, view.gateway), brought


def virtual_host(host: str, sections: Iterable[Section]) -> route_v3.VirtualHost:
    """A host with the sections of all deployments on it."""
    longest_first = sorted(sections, key=lambda section: len(section.path_prefix), reverse=True)
    return route_v3.VirtualHost(
        name=host,
        domains=[host],
        routes=[route for section in longest_first for route in section.routes],
    )
