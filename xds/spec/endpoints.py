"""Endpoints: where a build runs. Live state, never part of a revision."""

import ipaddress
from typing import Annotated

from pydantic import Field

from xds.spec.upstream import Model
from xds.spec.values import Port


class Endpoint(Model):
    """One place a build can be reached at."""

    address: str
    """An IP address, or a name that Envoy resolves."""
    port: Port
    weight: Annotated[int, Field(ge=1, le=128)] = 1
    zone: str | None = None

    @property
    def is_name(self) -> bool:
        """Whether Envoy has to resolve it (the build's cluster is then STRICT_DNS)."""
        try:
            ipaddress.ip_address(self.address)
        except ValueError:
            return True
        return False

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"
