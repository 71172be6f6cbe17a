"""Assembling a gateway in `table` mode: one RouteConfiguration with every host."""

from collections.abc import Iterable

from xds.catalog.resource import Resource
from xds.catalog.table import Host, route_table
from xds.control.brought import Brought
from xds.control.ledger import Key
from xds.control.parts import Parts
from xds.control.proof import Lane
from xds.fleet.profile import Profile
from xds.spec.gateway import Gateway
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.translate.hosts import virtual_host
from xds.translate.raw_names import clusters_in


class TableAssembly(Parts):
    """What one gateway is to have; only the virtual hosts that changed are made anew."""

    def __init__(self, gateway: Gateway, lane: Lane, brought: Brought, profile: Profile) -> None:
        super().__init__(gateway, lane, brought, profile)
        self._encoded: dict[str, Host] = {}
        self._own_encoded = [_encoded(host) for host in self._own]
        self._table_stale = True

    def take(self) -> tuple[Iterable[Resource], Iterable[Key]]:
        """What came and what went since the last time."""
        self._refresh_hosts()
        if self._table_stale:
            hosts = [self._encoded[host] for host in sorted(self._encoded)]
            table = route_table(self.gateway.name, hosts + self._own_encoded)
            self._lane.proof.built(table.name, table.version, without=self._lane.held)
            self._ledger.add(table)
            self._table_stale = False
        return self._ledger.take()

    def _refresh_hosts(self) -> None:
        for host, sections in self._hosts.take_stale():
            self._table_stale = True
            if sections:
                body = virtual_host(host, sections, self.gateway.max_body).SerializeToString(
                    deterministic=True
                )
                clusters = frozenset().union(*(part.clusters() for part in sections))
                self._encoded[host] = Host(body, clusters)
            else:
                self._encoded.pop(host, None)


def _encoded(host: route_v3.VirtualHost) -> Host:
    return Host(host.SerializeToString(deterministic=True), clusters_in(host))
