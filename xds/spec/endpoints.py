"""Endpoints: where a build runs. Live state, never part of a revision."""

from xds.spec.places import Address, is_ip
from xds.spec.upstream import Model
from xds.spec.values import EndpointWeight, Port, Text


class Endpoint(Model):
    """One place a build can be reached at."""

    address: Address
    """An IP address, or a name that Envoy resolves."""
    port: Port
    weight: EndpointWeight = 1
    """Its share of the build's requests, against the other endpoints'."""
    zone: Text | None = None
    """Where it stands, for Envoys that prefer what is near."""

    @property
    def is_name(self) -> bool:
        """Whether Envoy has to resolve it (the build's cluster is then STRICT_DNS)."""
        return not is_ip(self.address)

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"
