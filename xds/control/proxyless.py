"""Assembling a gateway in `proxyless` mode: each host has a listener and routes of its own."""

from collections.abc import Iterable, Iterator

import structlog

from xds.catalog.resource import Resource, encode
from xds.catalog.types import Type
from xds.control.hosts import Hosts
from xds.control.ledger import GIVEN, Key, Ledger
from xds.spec.gateway import Gateway
from xds.spec.proxyless import unresolved, unsupported
from xds.translate.proxyless import cluster, endpoints, listener, routes, section
from xds.translate.view import View

log = structlog.get_logger(__name__)


class ProxylessAssembly:
    """What gRPC's clients are to be told when they ask for it by name."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._ledger = Ledger()
        self._hosts = Hosts()

    def put(self, view: View) -> None:
        """A deployment is to be served like this.

        One that was accepted before the gateway was for gRPC's clients, and that they can't do, is
        not served at all: a sticky split at random would look right and be wrong.
        """
        spec = view.revision.spec
        faults = [*unsupported(spec, [view.gateway]), *unresolved(spec, [view.gateway], view.endpoints)]
        if faults:
            log.warning("not served without proxies", deployment=spec.name, faults=[*map(str, faults)])
            self.drop(spec.name)
            return
        self._ledger.own(spec.name, _clusters_and_endpoints(view))
        self._hosts.put(spec.name, *section(view))

    def drop(self, name: str) -> None:
        """A deployment is no longer to be served here."""
        self._ledger.own(name, ())
        self._hosts.drop(name)

    def bring(self, resources: Iterable[Resource]) -> None:
        """These are all the resources that people gave the gateway."""
        self._ledger.own(GIVEN, resources)

    def take(self) -> tuple[Iterable[Resource], Iterable[Key]]:
        """What came and what went since the last time."""
        for host, sections in self._hosts.take_stale():
            if sections:
                clusters = frozenset().union(*(part.clusters() for part in sections))
                self._ledger.add(encode(Type.LISTENER, host, listener(host)))
                self._ledger.add(encode(Type.ROUTE, host, routes(host, sections), clusters=clusters))
            else:
                self._ledger.remove((Type.LISTENER, host))
                self._ledger.remove((Type.ROUTE, host))
        return self._ledger.take()


def _clusters_and_endpoints(view: View) -> Iterator[Resource]:
    for build in view.builds():
        made = encode(Type.CLUSTER, build.cluster, cluster(view, build))
        yield made
        yield encode(Type.ENDPOINT, build.cluster, endpoints(build), salt=made.version)
