"""Certificates and keys that are of no use: one line at the start, which says what to do."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from xds.errors import SettingsError
from xds.server.tls import read_tls

Files = tuple[Path | None, Path | None, Path | None]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Whoever signs."""
    return Authority(tmp_path)


def test_what_is_fine_is_taken_with_its_chain(authority: Authority) -> None:
    """The bytes are the files'."""
    certificate, key = authority.issue("server")

    tls = read_tls(certificate, key, authority.ca)

    assert tls is not None
    assert (tls.certificate, tls.key, tls.client_ca) == (
        certificate.read_bytes(),
        key.read_bytes(),
        authority.ca.read_bytes(),
    )


def test_nothing_given_is_no_tls() -> None:
    """Plain text."""
    assert read_tls(None, None, None) is None


def _swapped_keys(authority: Authority) -> Files:
    return authority.issue("one")[0], authority.issue("two")[1], None


def _expired(authority: Authority) -> Files:
    return *authority.issue("old", expired=True), None


def _missing(authority: Authority) -> Files:
    certificate, key = authority.issue("one")
    return certificate, key.with_name("nowhere.key"), None


def _no_pem(authority: Authority) -> Files:
    certificate, key = authority.issue("one")
    key.write_text("what")
    return certificate, key, None


def _no_pem_ca(authority: Authority) -> Files:
    certificate, key = authority.issue("one")
    return certificate, key, key


def _no_authority(authority: Authority) -> Files:
    certificate, key = authority.issue("one")
    return certificate, key, certificate


def _no_key(authority: Authority) -> Files:
    return authority.issue("one")[0], None, None


def _only_a_ca(authority: Authority) -> Files:
    return None, None, authority.ca


@pytest.mark.parametrize(
    ("files", "line"),
    [
        (_swapped_keys, r"the key \S+two.key is not the key of the certificate \S+one.crt; give"),
        (_expired, r"no client would take the certificate \S+old.crt: certificate has expired; make"),
        (_missing, r"can't read \S+nowhere.key: No such file or directory; check"),
        (_no_pem, r"one.crt is no certificate in PEM, or \S+one.key no key in PEM .*; give"),
        (_no_pem_ca, r"one.key has no certificate in PEM; give"),
        (_no_authority, r"one.crt is no authority's certificate; give"),
        (_no_key, "--tls-cert alone is no TLS; give --tls-cert and --tls-key"),
        (_only_a_ca, "--client-ca alone is no TLS; give --tls-cert and --tls-key"),
    ],
)
def test_what_is_of_no_use_is_refused(
    authority: Authority, files: Callable[[Authority], Files], line: str
) -> None:
    """Before anything listens."""
    with pytest.raises(SettingsError, match=line) as refused:
        read_tls(*files(authority))
    assert "\n" not in str(refused.value)
