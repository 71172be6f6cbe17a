"""A connection that can't be made says why, and with TLS what is wrong with the certificates."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from tests.cli.fake_admin import AdminApi
from tests.support.certificates import Authority
from xds.client import Client, NoAnswer, Tls
from xds.client.connection import connection, is_loopback
from xds.errors import SettingsError
from xds.stubs import canary_admin_v1_pb2 as pb


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Who signs the server's certificate."""
    return Authority(tmp_path)


@pytest.fixture
def secured(authority: Authority) -> Iterator[str]:
    """An admin API with TLS; its address."""
    certificate, key = authority.issue("server", "127.0.0.1")
    with ThreadPoolExecutor(max_workers=2) as pool:
        server = grpc.server(pool)
        server.add_generic_rpc_handlers(AdminApi(answers={"List": pb.ListResponse()}).services())
        pair = (key.read_bytes(), certificate.read_bytes())
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
        server.start()
        yield f"127.0.0.1:{port}"
        server.stop(grace=None).wait()


def failing(server: str, tls: Tls | None) -> str:
    """What a call says that doesn't get through."""
    with Client(server, tls=tls, retry=0) as client, pytest.raises(NoAnswer) as raised:
        list(client.list())
    assert not raised.value.reached
    return str(raised.value)


def test_a_certificate_of_another_authority_is_named(secured: str, tmp_path: Path) -> None:
    """TLS, whose certificate, and the variable that mends it."""
    other = Authority(tmp_path, "other")

    said = failing(secured, Tls(ca=str(other.ca)))

    assert said.startswith(f"TLS: the certificate of {secured} can't be trusted: unable to get")
    assert said.endswith("(CANARY_TLS_CA names the authority that signed it)")


def test_a_certificate_for_another_name_is_named(secured: str, authority: Authority) -> None:
    """With the variable that says which name to expect."""
    said = failing(secured, Tls(ca=str(authority.ca), server_name="canary.example"))

    assert said.startswith(f"TLS: the certificate of {secured} is for another name (CANARY_TLS_SERVER_NAME")


def test_a_server_without_tls_is_named(api: AdminApi, authority: Authority) -> None:
    """The other way round: TLS was asked for."""
    assert failing(api.address, Tls(ca=str(authority.ca))).startswith(f"TLS: {api.address} speaks no TLS (")


def test_a_server_with_tls_may_want_it(secured: str) -> None:
    """All that is seen is a closed socket."""
    assert "Socket closed; it may want TLS" in failing(secured, None)


def test_a_token_does_not_leave_the_machine_in_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless that is asked for; with TLS or on loopback there is nothing to ask."""
    monkeypatch.delenv("CANARY_INSECURE", raising=False)
    with pytest.raises(SettingsError, match=r"in plain text.*--insecure or CANARY_INSECURE=1"):
        connection("canary.example:18001", token="secret")

    assert connection("canary.example:18001", token="secret", tls=Tls()).metadata[1:]
    assert connection("canary.example:18001", token="secret", insecure=True).metadata[1:]
    monkeypatch.setenv("CANARY_INSECURE", "1")
    assert connection("canary.example:18001", token="secret").metadata[1:]
    with pytest.raises(SettingsError):
        connection("canary.example:18001", token="secret", insecure=False)


@pytest.mark.parametrize(
    ("server", "here"),
    [
        ("127.0.0.1:1", True),
        ("[::1]:1", True),
        ("localhost:1", True),
        ("10.0.0.1:1", False),
        ("canary:1", False),
    ],
)
def test_what_is_on_this_machine(server: str, here: bool) -> None:  # noqa: FBT001 (expected)
    """Loopback addresses, and the name that stands for them."""
    assert is_loopback(server) is here
