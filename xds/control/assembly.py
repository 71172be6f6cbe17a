"""One gateway's resources, put together from its deployments' views; only what changed is made.

A deployment brings its clusters and endpoints, which are its own, and its routes, which it may share
a host with others. What it brought last is remembered by name and version, so the outcome of a
change is the few resources that differ. How the parts fit together is the gateway's mode.
"""

from collections.abc import Iterable
from typing import Protocol

from xds.catalog.resource import Resource
from xds.control.brought import Brought
from xds.control.ledger import Key
from xds.control.proof import Lane
from xds.control.proxyless import ProxylessAssembly
from xds.control.scoped import ScopedAssembly
from xds.control.table import TableAssembly
from xds.fleet.profile import Profile
from xds.spec.gateway import Gateway
from xds.spec.proxyless import PROXYLESS
from xds.spec.scoped import SCOPED
from xds.translate.view import View


class Assembly(Protocol):
    """What one gateway is to have. Feed it views, then `take` what is to be committed."""

    @property
    def gateway(self) -> Gateway: ...  # noqa: D102 (whose resources they are)
    def put(self, view: View) -> None: ...  # noqa: D102 (a deployment is to be served like this)
    def drop(self, name: str) -> None: ...  # noqa: D102 (a deployment is no longer to be served here)
    def bring(self, resources: Iterable[Resource]) -> None: ...  # noqa: D102 (all that people gave it)
    def take(self) -> tuple[Iterable[Resource], Iterable[Key]]: ...  # noqa: D102 (what came, what went)


def assembly_of(gateway: Gateway, lane: Lane, brought: Brought, profile: Profile) -> Assembly:
    """The assembly that a gateway's mode asks for (`brought`: shared by all targets of the gateway)."""
    if gateway.mode == PROXYLESS:
        return ProxylessAssembly(gateway)
    if gateway.mode == SCOPED:
        return ScopedAssembly(gateway, lane, brought, profile)
    return TableAssembly(gateway, lane, brought, profile)
