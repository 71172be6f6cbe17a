"""Virtual hosts: each host with the routes of every deployment on it, longest path first.

Of deployments with the same path, those for models come before the one for whatever is left.
"""

import dataclasses
import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator

from xds.spec.claims import hosts_of
from xds.spec.deployment import MAIN
from xds.spec.gateway import MAX_BODY
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.translate.models import for_models, not_served, read
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
    models: tuple[str, ...] = ()
    """The models it answers for; none: whatever nobody else does."""
    scopes: dict[str, bytes] = dataclasses.field(default_factory=dict, compare=False, repr=False)
    """By host where it answers alone: the scope, once it was encoded (`xds.translate.scopes`)."""

    def clusters(self) -> frozenset[str]:
        """The clusters its routes name."""
        return self._clusters

    @functools.cached_property
    def _clusters(self) -> frozenset[str]:
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
    brought = Section(spec.name, spec.path_prefix, _routes(view), patched, main, spec.models)
    return hosts_of(spec, view.gateway), brought


def virtual_host(host: str, sections: Iterable[Section], max_body: int = MAX_BODY) -> route_v3.VirtualHost:
    """A host with the sections of all deployments on it.

    Args:
        host: also the virtual host's name.
        sections: what the deployments bring.
        max_body: bytes of a body that are taken in to read its model.
    """
    by_path: defaultdict[str, list[Section]] = defaultdict(list)
    for section in sections:
        by_path[section.path_prefix].append(section)
    longest_first = sorted(by_path, key=len, reverse=True)
    made = route_v3.VirtualHost(
        name=host,
        domains=[host],
        routes=[route for path in longest_first for route in _below(path, by_path[path], max_body)],
    )
    _retry_alike(made)
    return made


def _routes(view: View) -> tuple[route_v3.Route, ...]:
    """A deployment's routes; none for models where Envoys are too old to be trusted with them."""
    models = view.revision.spec.models
    if not models:
        return tuple(routes(view))
    return tuple(for_models(routes(view), models)) if view.reads_models else ()


def _retry_alike(host: route_v3.VirtualHost) -> None:
    """Say once for the host what all its routes say of retries: it is the longest text in each of them."""
    actions = [route.route for route in host.routes if route.HasField("route")]
    said = {action.retry_policy.SerializeToString(deterministic=True) for action in actions}
    if len(said) == 1 and all(said):
        host.retry_policy.MergeFromString(*said)
        for action in actions:
            action.ClearField("retry_policy")


def _below(path: str, sections: Iterable[Section], max_body: int) -> Iterator[route_v3.Route]:
    """The routes of one path."""
    by_model = [section for section in sections if section.models]
    others = [section for section in sections if not section.models]
    if any(section.routes for section in by_model):
        yield read(path, max_body)
    for section in (*by_model, *others):
        yield from section.routes
    if by_model and not others:
        yield not_served(path)
