"""One gateway's resources, put together from its deployments' views; only what changed is made.

A deployment brings its clusters and endpoints, which are its own, and its routes, which it may share
a host with others. What it brought last is remembered by name and version, so the outcome of a
change is the few resources that differ.
"""

from collections import defaultdict
from collections.abc import Iterable

from xds.catalog.resource import Resource, encode
from xds.catalog.table import Host, route_table
from xds.catalog.types import Type
from xds.spec.gateway import Gateway
from xds.translate.clusters import cluster
from xds.translate.endpoints import assignment
from xds.translate.hosts import Section, section, virtual_host
from xds.translate.listeners import listener, listener_name
from xds.translate.view import View


class Assembly:
    """What one gateway is to have. Feed it views, then `take` what is to be committed."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._owned: dict[str, set[tuple[str, str]]] = {}
        self._hosts_of: dict[str, tuple[str, ...]] = {}
        self._sections: defaultdict[str, dict[str, Section]] = defaultdict(dict)
        self._hosts: dict[str, Host] = {}
        self._stale_hosts: set[str] = set()
        self._table_stale = True
        self._put: dict[tuple[str, str], Resource] = {}
        self._gone: set[tuple[str, str]] = set()
        for listen in gateway.listeners:
            self._add(encode(Type.LISTENER, listener_name(listen), listener(gateway, listen)))

    def put(self, view: View) -> None:
        """A deployment is to be served like this."""
        name = view.revision.deployment
        resources = list(_clusters_and_endpoints(view))
        for resource in resources:
            self._add(resource)
        self._own(name, {(resource.type, resource.name) for resource in resources})
        hosts, brought = section(view)
        self._leave_hosts(name, self._hosts_of.get(name, ()))
        for host in hosts:
            self._sections[host][name] = brought
        self._stale_hosts.update(hosts)
        self._hosts_of[name] = hosts

    def drop(self, name: str) -> None:
        """A deployment is no longer to be served here."""
        self._own(name, set())
        self._leave_hosts(name, self._hosts_of.pop(name, ()))

    def take(self) -> tuple[Iterable[Resource], Iterable[tuple[str, str]]]:
        """What came and what went since the last time."""
        self._refresh_hosts()
        if self._table_stale:
            self._add(route_table(self.gateway.name, (self._hosts[host] for host in sorted(self._hosts))))
            self._table_stale = False
        put, gone = self._put, self._gone
        self._put, self._gone = {}, set()
        return put.values(), gone

    def _add(self, resource: Resource) -> None:
        key = (resource.type, resource.name)
        self._put[key] = resource
        self._gone.discard(key)

    def _own(self, name: str, owned: set[tuple[str, str]]) -> None:
        for key in self._owned.pop(name, set()) - owned:
            self._put.pop(key, None)
            self._gone.add(key)
        if owned:
            self._owned[name] = owned

    def _leave_hosts(self, name: str, hosts: Iterable[str]) -> None:
        for host in hosts:
            self._sections[host].pop(name, None)
            self._stale_hosts.add(host)

    def _refresh_hosts(self) -> None:
        for host in self._stale_hosts:
            sections = self._sections[host].values()
            if sections:
                body = virtual_host(host, sections).SerializeToString(deterministic=True)
                clusters = frozenset().union(*(part.clusters() for part in sections))
                self._hosts[host] = Host(body, clusters)
            else:
                del self._sections[host]
                self._hosts.pop(host, None)
        self._table_stale = self._table_stale or bool(self._stale_hosts)
        self._stale_hosts.clear()


def _clusters_and_endpoints(view: View) -> Iterable[Resource]:
    for build in view.builds():
        made = encode(Type.CLUSTER, build.cluster, cluster(view, build))
        yield made
        if not build.is_dns:
            places = assignment(build.cluster, build.endpoints)
            yield encode(Type.ENDPOINT, build.cluster, places, salt=made.version)
