"""Where a client connects to and as whom: arguments, else the environment."""

from pathlib import Path

import pytest

from tests.cli.fake_admin import AdminApi, only_main
from xds.client import Client, Tls
from xds.client.connection import connection
from xds.errors import SettingsError


def test_the_environment_names_the_server(api: AdminApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """CANARY_SERVER and CANARY_TOKEN; arguments win."""
    api.answers["Get"] = only_main()
    monkeypatch.setenv("CANARY_SERVER", api.address)
    monkeypatch.setenv("CANARY_TOKEN", "secret\n")

    with Client(author="Zoë") as client:
        client.get("x")

    assert api.metadata["authorization"] == "Bearer secret"
    assert api.metadata["canary-author"] == "Zo?"
    assert connection("other:1", token="").metadata[1:] == ()


def test_the_environment_names_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any of CANARY_TLS_* turns TLS on."""
    assert connection().tls is None

    monkeypatch.setenv("CANARY_TLS_CA", "ca.pem")
    monkeypatch.setenv("CANARY_TLS_SERVER_NAME", "canary")

    assert connection().tls == Tls(ca="ca.pem", server_name="canary")
    assert connection(tls=Tls()).tls == Tls()


def test_a_certificate_that_cannot_be_used_is_said_at_once(tmp_path: Path) -> None:
    """Before the first call."""
    with pytest.raises(SettingsError, match=r"nothing\.pem"):
        Client(tls=Tls(ca=str(tmp_path / "nothing.pem")))
    with pytest.raises(SettingsError, match="needs its key"):
        Client(tls=Tls(cert="cert.pem"))
