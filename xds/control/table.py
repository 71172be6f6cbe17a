"""Assembling a gateway in `table` mode: listeners, and one RouteConfiguration with every host."""

from collections.abc import Iterable

from xds.catalog.resource import Resource, encode
from xds.catalog.table import Host, route_table
from xds.catalog.types import Type
from xds.control.brought import Brought
from xds.control.hosts import Hosts
from xds.control.ledger import GIVEN, Key, Ledger
from xds.control.proof import Lane, Part
from xds.fleet.profile import Profile
from xds.spec.gateway import Gateway
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.translate.hosts import Section, virtual_host
from xds.translate.listeners import listener
from xds.translate.raw_gateway import virtual_hosts
from xds.translate.raw_names import clusters_in
from xds.translate.view import View


class TableAssembly:
    """What one gateway is to have; only the virtual hosts that changed are made anew."""

    def __init__(self, gateway: Gateway, lane: Lane, brought: Brought, profile: Profile) -> None:
        self.gateway = gateway
        self._lane = lane
        self._deployments = brought
        self._ledger = Ledger()
        self._hosts = Hosts()
        self._encoded: dict[str, Host] = {}
        self._brought = [
            _encoded(host)
            for host in virtual_hosts(gateway)
            if lane.part(own_part(host.name), _part(host), _nothing)
        ]
        self._table_stale = True
        for listen in gateway.listeners:
            made = listener(
                gateway, listen, reads_models=profile.reads_models, times_answers=profile.times_answers
            )
            self._ledger.add(encode(Type.LISTENER, made.name, made, clusters=clusters_in(made)))

    def put(self, view: View) -> None:
        """A deployment is to be served like this."""
        name = view.revision.deployment
        self._ledger.own(name, self._deployments.resources(view))
        part = self._lane.part(name, self._deployments.part(view), lambda: self._deployments.main_only(view))
        if part is None:
            self._hosts.drop(name)
        else:
            self._hosts.put(name, part.hosts, part.section)

    def drop(self, name: str) -> None:
        """A deployment is no longer to be served here."""
        self._deployments.forget(name)
        self._lane.proof.forget(name)
        self._ledger.own(name, ())
        self._hosts.drop(name)

    def bring(self, resources: Iterable[Resource]) -> None:
        """These are all the resources that people gave the gateway."""
        self._ledger.own(GIVEN, resources)

    def take(self) -> tuple[Iterable[Resource], Iterable[Key]]:
        """What came and what went since the last time."""
        self._refresh_hosts()
        if self._table_stale:
            hosts = [self._encoded[host] for host in sorted(self._encoded)]
            table = route_table(self.gateway.name, hosts + self._brought)
            self._lane.proof.built(table.version, without=self._lane.held)
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


def own_part(virtual_host: str) -> str:
    """What a virtual host of the gateway's own is called among deployments."""
    return f"{GIVEN}/{virtual_host}"


def _nothing() -> None:
    """A raw virtual host has no `main` to fall back to."""


def _part(host: route_v3.VirtualHost) -> Part:
    """A virtual host of the gateway's own: contained like a deployment, if an Envoy refuses it."""
    return Part(tuple(host.domains), Section(host.name, "", tuple(host.routes), patched=True))


def _encoded(host: route_v3.VirtualHost) -> Host:
    return Host(host.SerializeToString(deterministic=True), clusters_in(host))
