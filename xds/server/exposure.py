"""What may be reached from other machines: with TLS, and for changes only by callers who are known.

On loopback neither is needed. /healthz, /readyz and /metrics are plain HTTP wherever they listen; they
change nothing and tell numbers.
"""

import ipaddress
from collections.abc import Iterator

from xds.errors import SettingsError
from xds.server.settings import Settings


def check(settings: Settings) -> tuple[str, ...]:
    """Refuse to be open to everybody by accident.

    Returns:
        What is open all the same, for the log; only with `insecure`.

    Raises:
        SettingsError: a listener off loopback lacks TLS, or the admin API callers who are known.
    """
    open_ends = tuple(_open_ends(settings))
    if open_ends and not settings.insecure:
        raise SettingsError(f"{'; '.join(open_ends)} (or say --insecure, or listen on 127.0.0.1)")
    return open_ends


def is_loopback(listen: str) -> bool:
    """Whether `HOST:PORT` is reached from this machine alone; a name but localhost may be anything."""
    host = listen.rpartition(":")[0].removeprefix("[").removesuffix("]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _open_ends(settings: Settings) -> Iterator[str]:
    with_tls = settings.tls_cert is not None
    admin_is_open = not is_loopback(settings.admin_listen)
    if not is_loopback(settings.xds_listen) and not with_tls:
        yield f"Envoys reach {settings.xds_listen} without TLS: give --tls-cert and --tls-key"
    reports = settings.metrics_listen
    if reports is not None and not is_loopback(reports) and not with_tls:
        yield f"Envoys report metrics to {reports} without TLS: give --tls-cert and --tls-key"
    if admin_is_open and not with_tls:
        yield f"the admin API is on {settings.admin_listen} without TLS: give --tls-cert and --tls-key"
    if admin_is_open and settings.admin_tokens is None and settings.client_ca is None:
        yield (
            f"anybody can change what is served, on {settings.admin_listen}: "
            "give --admin-tokens or --client-ca"
        )
