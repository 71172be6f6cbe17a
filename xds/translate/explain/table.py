"""The routes of a host on one gateway, and requests as somebody with a key would send them."""

import dataclasses
from collections.abc import Iterable, Sequence

from xds.revisions.record import Revision
from xds.spec.claims import hosts_of
from xds.spec.deployment import Deployment
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
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
    """

    gateway: str
    host: str
    routes: Sequence[route_v3.Route]
    revisions: dict[str, Revision]


def table_of(views: Iterable[View], host: str) -> Table | None:
    """What answers to a host; None where nothing does.

    Args:
        views: of all deployments on one gateway.
        host: as a client names it.
    """
    claimed = [(view, frozenset(hosts_of(view.revision.spec, view.gateway))) for view in views]
    domain = _domain(host.partition(":")[0].lower(), {each for _, hosts in claimed for each in hosts})
    there = [view for view, hosts in claimed if domain in hosts]
    if domain is None or not there:
        return None
    gateway = there[0].gateway
    built = virtual_host(domain, [section(view)[1] for view in there], gateway.max_body)
    return Table(
        gateway.name, domain, built.routes, {view.revision.deployment: view.revision for view in there}
    )


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


def _domain(host: str, domains: Iterable[str]) -> str | None:
    """The domain that Envoy chooses: exact, else the longest `*.x`, else the longest `x.*`, else `*`."""

    def rank(domain: str) -> tuple[int, int]:
        if domain == host:
            return 3, 0
        if domain.startswith("*") and len(domain) > 1 and len(host) > len(domain) - 1:
            return (2, len(domain)) if host.endswith(domain[1:]) else (-1, 0)
        if domain.endswith("*") and len(domain) > 1 and len(host) > len(domain) - 1:
            return (1, len(domain)) if host.startswith(domain[:-1]) else (-1, 0)
        return (0, 0) if domain == "*" else (-1, 0)

    best = max(domains, key=rank, default=None)
    return best if best is not None and rank(best) >= (0, 0) else None
