"""What the server says of itself: filled by `xds.server.run`, answered by ServerService."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class About:
    """One run of a server. Addresses are `HOST:PORT`, with the ports it took."""

    version: str
    started_at: float
    """Seconds since the epoch."""
    xds_address: str
    admin_address: str
    http_address: str
    xds_tls: bool
    xds_client_certificates: bool
    """Whether Envoys have to show one."""
    admin_tls: bool
    admin_access: tuple[str, ...]
    """Who may call the admin API: `anybody`, `tokens`, `client certificates`."""
    store: str
    """Where the database is."""
