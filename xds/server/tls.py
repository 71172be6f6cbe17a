"""TLS of the listeners: the files are read, and tried, before anything listens.

gRPC takes whatever it is given and then fails each handshake with a riddle. So what it is to be given is
tried first with Python's own TLS, in a handshake with ourselves that never leaves memory: a key that
doesn't match, a certificate that is no PEM, expired, or not for servers is one line at the start.
"""

import contextlib
import dataclasses
import ssl
import time
from pathlib import Path

import grpc

from xds.errors import SettingsError

_FLIGHTS = 3
"""More than a handshake has from either side."""


@dataclasses.dataclass(frozen=True)
class Tls:
    """What a listener shows and asks for; all PEM."""

    certificate: bytes
    """With the chain below it, if there is one."""
    key: bytes
    client_ca: bytes | None
    """Of whom clients must have a certificate; None: of nobody."""

    def credentials(self) -> grpc.ServerCredentials:
        """Make what gRPC listens with. It can require a client certificate, but not merely ask for one."""
        return grpc.ssl_server_credentials(
            [(self.key, self.certificate)],
            root_certificates=self.client_ca,
            require_client_auth=self.client_ca is not None,
        )


def read_tls(certificate: Path | None, key: Path | None, client_ca: Path | None) -> Tls | None:
    """Read and try the files.

    Returns:
        None if none is given.

    Raises:
        SettingsError: one is missing or of no use.
    """
    if certificate is None or key is None:
        given = {"--tls-cert": certificate, "--tls-key": key, "--client-ca": client_ca}
        said = [flag for flag, file in given.items() if file is not None]
        if said:
            raise SettingsError(f"{' and '.join(said)} alone is no TLS; give --tls-cert and --tls-key")
        return None
    tls = Tls(_bytes(certificate), _bytes(key), _bytes(client_ca) if client_ca is not None else None)
    _shake_hands(_ours(certificate, key), certificate)
    if client_ca is not None:
        _try_authority(client_ca)
    return tls


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"can't read {file}: {error.strerror}; check the path and its permissions"
        ) from error


def _ours(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")  # rather than ask on the terminal
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise SettingsError(
                f"the key {key} is not the key of the certificate {certificate}; give those made together"
            ) from error
        raise SettingsError(
            f"{certificate} is no certificate in PEM, or {key} no key in PEM without a password; "
            "give files that are"
        ) from error
    return context


def _shake_hands(ours: ssl.SSLContext, certificate: Path) -> None:
    """As a client that trusts this very certificate would, if it is good for anything."""
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    theirs.check_hostname = False  # what clients call us is not known here
    theirs.load_verify_locations(certificate)
    theirs.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client, server = theirs.wrap_bio(back, there), ours.wrap_bio(there, back, server_side=True)
    try:
        for side in (client, server) * _FLIGHTS:
            _go_on(side)
    except ssl.SSLCertVerificationError as error:
        raise SettingsError(
            f"no client would take the certificate {certificate}: {error.verify_message}; make a new one"
        ) from error
    except ssl.SSLError as error:
        raise SettingsError(f"{certificate} is of no use for TLS: {_reason(error)}") from error


def _go_on(side: ssl.SSLObject) -> None:
    with contextlib.suppress(ssl.SSLWantReadError):
        side.do_handshake()


def _try_authority(client_ca: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_verify_locations(client_ca)
    except ssl.SSLError as error:
        raise SettingsError(f"{client_ca} has no certificate in PEM; give a file that has") from error
    ends = [ssl.cert_time_to_seconds(str(known["notAfter"])) for known in context.get_ca_certs()]
    if not ends:
        raise SettingsError(f"{client_ca} is no authority's certificate; give the one that signs clients'")
    if max(ends) < time.time():
        raise SettingsError(f"the client CA {client_ca} has expired; make a new one")


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).replace("_", " ").lower()
