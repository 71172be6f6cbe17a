"""What deployments bring to a gateway of Envoys, however its hosts are put together."""

from collections.abc import Iterable

from xds.catalog.resource import Resource, encode
from xds.catalog.types import Type
from xds.control.brought import Brought, main_only
from xds.control.hosts import Hosts
from xds.control.ledger import GIVEN, Ledger
from xds.control.proof import Lane, Part
from xds.fleet.profile import Profile
from xds.spec.gateway import Gateway
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.translate.hosts import Section
from xds.translate.listeners import listener
from xds.translate.raw_gateway import virtual_hosts
from xds.translate.raw_names import clusters_in
from xds.translate.view import View


class Parts:
    """Listeners, clusters and endpoints, and which deployment has which routes on which host."""

    def __init__(self, gateway: Gateway, lane: Lane, brought: Brought, profile: Profile) -> None:
        self.gateway = gateway
        self._lane = lane
        self._deployments = brought
        self._ledger = Ledger()
        self._hosts = Hosts()
        self._own = [
            host for host in virtual_hosts(gateway) if lane.part(own_part(host.name), _part(host), _nothing)
        ]
        """The gateway's own virtual hosts."""
        for listen in gateway.listeners:
            made = listener(
                gateway, listen, reads_models=profile.reads_models, times_answers=profile.times_answers
            )
            self._ledger.add(encode(Type.LISTENER, made.name, made, clusters=clusters_in(made)))

    def put(self, view: View) -> None:
        """A deployment is to be served like this."""
        name = view.revision.deployment
        made = self._deployments.made(view)
        self._ledger.own(name, made.resources)
        part = self._lane.part(name, made.part(view), lambda: main_only(view))
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


def own_part(virtual_host: str) -> str:
    """What a virtual host of the gateway's own is called among deployments."""
    return f"{GIVEN}/{virtual_host}"


def _nothing() -> None:
    """A raw virtual host has no `main` to fall back to."""


def _part(host: route_v3.VirtualHost) -> Part:
    """A virtual host of the gateway's own: contained like a deployment, if an Envoy refuses it."""
    return Part(tuple(host.domains), Section(host.name, "", tuple(host.routes), patched=True))
