"""The routes of a host on one gateway, and requests as somebody with a key would send them."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

from xds.revisions.record import Revision
from xds.spec.claims import hosts_of
from xds.spec.deployment import Deployment
from xds.spec.gateway import Gateway
from xds.spec.scoped import SCOPED, is_exact
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.translate.explain.answer import EMPTY, FADING, UNHEALTHY, Down
from xds.translate.explain.asked import Request
from xds.translate.hosts import section, virtual_host
from xds.translate.view import View


@dataclasses.dataclass(frozen=True)
class Table:
    """What one host of a gateway has.

    Attributes:
        host: as a deployment names it, wildcards as they stand.
        routes: of every deployment there, in Envoy's order.
        revisions: those in force, by deployment.
        down: what is wrong with their builds, by cluster.
    """

    gateway: str
    host: str
    routes: Sequence[route_v3.Route]
    revisions: dict[str, Revision]
    down: Down = dataclasses.field(default_factory=dict)


def table_of(views: Iterable[View], domain: str) -> Table | None:
    """What answers to a host; None where nothing does.

    Args:
        views: of deployments on one gateway.
        domain: the host as deployments name it.
    """
    there = [view for view in views if domain in hosts_of(view.revision.spec, view.gateway)]
    if not there:
        return None
    gateway = there[0].gateway
    built = virtual_host(domain, [section(view)[1] for view in there], gateway.max_body)
    revisions = {view.revision.deployment: view.revision for view in there}
    down = {cluster: state for view in there for cluster, state in _down(view)}
    return Table(gateway.name, domain, built.routes, revisions, down)


def _down(view: View) -> Iterator[tuple[str, str]]:
    """The clusters that can't answer; of endpoints that are somebody else's nothing is known."""
    if not view.lends:
        return
    for key, ref in view.revision.builds.items():
        cluster = view.revision.cluster_of(key)
        if not view.endpoints.get(ref):
            yield cluster, FADING if view.fading.get(ref) else EMPTY
        elif ref in view.unhealthy:
            yield cluster, UNHEALTHY


def keyed(spec: Deployment, request: Request, key: bytes) -> Request:
    """The request as somebody with this key sends it; without a sticky split nothing changes."""
    by = spec.canary.route_by or ""
    if not spec.canary.is_sticky:
        return request
    if spec.canary.route_type == "header":
        others = tuple(each for each in request.headers if each[0].lower() != by.lower())
        return dataclasses.replace(request, headers=(*others, (by, key)))
    path, _, query = request.target.partition(b"?")
    rest = [each for each in query.split(b"&") if each and each.partition(b"=")[0] != by.encode()]
    return dataclasses.replace(request, target=path + b"?" + b"&".join([by.encode() + b"=" + key, *rest]))


def domain_of(host: str, domains: Iterable[str], gateway: Gateway) -> str | None:
    """The domain Envoy chooses for a host: exact, the longest `*.x`, the longest `x.*`, or `*`.

    In `scoped` mode the exact one in its exact case, or none.
    """
    if gateway.mode == SCOPED:
        name = host.partition(":")[0]
        return name if is_exact(name) and name in domains else None
    bare = host.lower() if host.startswith("[") else host.partition(":")[0].lower()
    best = max(domains, key=lambda domain: _nearness(bare, domain), default=None)
    return best if best is not None and _nearness(bare, best) != _FAR else None


_FAR = (0, 0)


def _nearness(host: str, domain: str) -> tuple[int, int]:
    """How well a domain fits a host: higher is better."""
    if domain == host:
        return 4, 0
    if domain == "*":
        return 1, 0
    if len(host) < len(domain):
        return _FAR
    if domain.startswith("*"):
        return (3, len(domain)) if host.endswith(domain[1:]) else _FAR
    return (2, len(domain)) if domain.endswith("*") and host.startswith(domain[:-1]) else _FAR
