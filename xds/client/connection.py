"""Where the server is, who calls, and the channel between.

What isn't given is taken from the environment: CANARY_SERVER, CANARY_TOKEN, CANARY_TLS_CA,
CANARY_TLS_CERT, CANARY_TLS_KEY, CANARY_TLS_SERVER_NAME and CANARY_INSECURE.
"""

import dataclasses
import getpass
import ipaddress
import os
from pathlib import Path

import grpc

from xds.errors import SettingsError

DEFAULT_SERVER = "127.0.0.1:18001"
SYSTEM = "system"
"""Instead of a file: the certificate authorities of this machine."""
_YES = {"1", "true", "t", "yes", "y", "on"}
"""As click has it, for the server's variable of the same name."""
_MOST_METADATA = 16 * 1024 * 1024
"""Bytes; every fault of every file travels in the trailing metadata."""

OPTIONS = (
    ("grpc.max_metadata_size", _MOST_METADATA),
    ("grpc.absolute_max_metadata_size", _MOST_METADATA),
    ("grpc.max_receive_message_length", -1),  # a page may have a thousand deployments
    ("grpc.enable_http_proxy", 0),  # a proxy for web pages is none for the admin API
    ("grpc.initial_reconnect_backoff_ms", 100),  # a server that restarts is back within a second
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)


@dataclasses.dataclass(frozen=True)
class Tls:
    """How the connection is secured.

    Attributes:
        ca: file of the authorities that sign the server's certificate; "system": this machine's.
        cert: file of the client's certificate, where the server asks for one.
        key: file of its key.
        server_name: the name in the server's certificate, where it isn't the host connected to.
    """

    ca: str = SYSTEM
    cert: str | None = None
    key: str | None = None
    server_name: str | None = None

    def credentials(self) -> grpc.ChannelCredentials:
        """As gRPC wants them.

        Raises:
            SettingsError: a file can't be read, or the certificate has no key.
        """
        if (self.cert is None) != (self.key is None):
            raise SettingsError("a client certificate needs its key (CANARY_TLS_CERT and CANARY_TLS_KEY)")
        return grpc.ssl_channel_credentials(
            root_certificates=None if self.ca == SYSTEM else _read(self.ca),
            private_key=None if self.key is None else _read(self.key),
            certificate_chain=None if self.cert is None else _read(self.cert),
        )


@dataclasses.dataclass(frozen=True)
class Connection:
    """All that a channel is made of.

    Attributes:
        server: `host:port`.
        tls: None: none.
        metadata: what goes along with every call.
    """

    server: str
    tls: Tls | None
    metadata: tuple[tuple[str, str], ...]

    @property
    def options(self) -> tuple[tuple[str, str | int], ...]:
        """Of the channel."""
        name = self.tls.server_name if self.tls else None
        return (*OPTIONS, ("grpc.ssl_target_name_override", name)) if name else OPTIONS

    def channel(self) -> grpc.Channel:
        """A channel for threads."""
        if self.tls is None:
            return grpc.insecure_channel(self.server, options=self.options)
        return grpc.secure_channel(self.server, self.tls.credentials(), options=self.options)

    def aio_channel(self) -> grpc.aio.Channel:
        """A channel for asyncio."""
        if self.tls is None:
            return grpc.aio.insecure_channel(self.server, options=self.options)
        return grpc.aio.secure_channel(self.server, self.tls.credentials(), options=self.options)


def connection(
    server: str | None = None,
    *,
    token: str | None = None,
    tls: Tls | None = None,
    author: str | None = None,
    insecure: bool | None = None,
) -> Connection:
    """What is given, and the environment for the rest.

    Raises:
        SettingsError: the token would go over the network in plain text.
    """
    server = server or os.environ.get("CANARY_SERVER") or DEFAULT_SERVER
    token = token if token is not None else os.environ.get("CANARY_TOKEN")
    tls = tls or tls_of_environment()
    insecure = os.environ.get("CANARY_INSECURE", "").lower() in _YES if insecure is None else insecure
    if token and tls is None and not insecure and not is_loopback(server):
        raise SettingsError(
            f"the token would go to {server} in plain text, for everyone on the way to read (CANARY_TLS_CA "
            "turns TLS on; --insecure or CANARY_INSECURE=1 sends it all the same)"
        )
    return Connection(
        server,
        tls,
        (
            ("canary-author", _ascii(author or who())),
            *((("authorization", f"Bearer {token.strip()}"),) if token else ()),
        ),
    )


def tls_of_environment() -> Tls | None:
    """TLS where any of its variables is set."""
    ca, cert, key, name = (
        os.environ.get(f"CANARY_TLS_{part}") or None for part in ("CA", "CERT", "KEY", "SERVER_NAME")
    )
    return Tls(ca or SYSTEM, cert, key, name) if ca or cert or key or name else None


def is_loopback(server: str) -> bool:
    """Whether `host:port` stays on this machine."""
    host = server.rpartition(":")[0].removeprefix("[").removesuffix("]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name may be anybody's
        return False


def who() -> str:
    """The user of this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user often has no name
        return "unknown"


def _ascii(text: str) -> str:
    """What metadata can carry."""
    return text.encode("ascii", "replace").decode()


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror} (name a PEM file that can be read)") from error
