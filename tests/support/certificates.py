"""Certificates for tests, as files: an authority, and what it signs."""

import datetime as dt
from pathlib import Path

import trustme

from tests.support.ports import LOOPBACK
from xds.server.tls import Tls, read_tls

_LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


class Authority:
    """One authority.

    Attributes:
        ca: its certificate.
    """

    def __init__(self, folder: Path, name: str = "ca") -> None:
        """Make one, whose files go to `folder`."""
        self._authority = trustme.CA()
        self._folder = folder
        self.ca = folder / f"{name}.crt"
        self._authority.cert_pem.write_to_path(self.ca)

    def issue(self, name: str, *hosts: str, expired: bool = False) -> tuple[Path, Path]:
        """Sign a certificate for a common name and hosts (this machine, if none); its file and its key's."""
        issued = self._authority.issue_cert(
            *(hosts or (LOOPBACK, "localhost")),
            common_name=name or None,
            not_before=_LONG_AGO if expired else None,
            not_after=_LONG_AGO + dt.timedelta(days=1) if expired else None,
        )
        certificate, key = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(key)
        return certificate, key

    def server(self, *, client_certificates: bool) -> Tls:
        """TLS of a listener on this machine, for clients of the same authority."""
        tls = read_tls(*self.issue("server"), self.ca if client_certificates else None)
        assert tls is not None
        return tls
