"""Assembling a gateway in `scoped` mode: each host's routes are a resource of their own.

A change of one deployment makes, sends and has Envoy take in the scopes of its hosts, however many
others there are.
"""

from collections.abc import Iterable

import structlog

from xds.catalog.resource import Resource, encode
from xds.catalog.types import Type
from xds.control.brought import Brought
from xds.control.ledger import Key
from xds.control.parts import Parts, own_part
from xds.control.proof import Lane
from xds.fleet.profile import Profile
from xds.spec.gateway import Gateway
from xds.spec.scoped import is_exact
from xds.translate.raw_names import clusters_in
from xds.translate.scopes import encoded_scope, own_scopes

log = structlog.get_logger(__name__)


class ScopedAssembly(Parts):
    """What one gateway is to have; only the scopes of hosts that changed are made anew."""

    def __init__(self, gateway: Gateway, lane: Lane, brought: Brought, profile: Profile) -> None:
        super().__init__(gateway, lane, brought, profile)
        for host in self._own:
            for made in own_scopes(host):
                body = made.SerializeToString(deterministic=True)
                self._add(made.name, body, [own_part(host.name)], clusters_in(host))

    def take(self) -> tuple[Iterable[Resource], Iterable[Key]]:
        """What came and what went since the last time."""
        for host, sections in self._hosts.take_stale():
            deployments = [section.deployment for section in sections]
            if not is_exact(host):
                # It was accepted when the gateway was in another mode.
                log.warning("not served: scoped gateways know no wildcards", host=host, by=deployments)
            elif sections:
                clusters = frozenset().union(*(section.clusters() for section in sections))
                self._add(host, encoded_scope(host, sections, self.gateway.max_body), deployments, clusters)
            else:
                self._ledger.remove((Type.SCOPED_ROUTE, host))
                if not self._lane.held:
                    self._lane.proof.dropped_scope(host)
        return self._ledger.take()

    def _add(self, host: str, scope: bytes, deployments: list[str], clusters: frozenset[str]) -> None:
        resource = encode(Type.SCOPED_ROUTE, host, scope, clusters=clusters)
        self._lane.proof.built_scope(resource.name, resource.version, deployments, without=self._lane.held)
        self._ledger.add(resource)
