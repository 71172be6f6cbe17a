"""`canary serve` with TLS, tokens and client certificates, called by the SDK."""

from collections.abc import Iterator

import pytest

from tests.support.certificates import Authority
from tests.support.control_plane import ControlPlane
from tests.support.files import deployment
from xds.client import AsyncClient, NoAnswer, Tls
from xds.errors import Unauthenticated
from xds.spec.tokens import Token, sha256_of, write_token

TOKEN = "secret"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whom everybody trusts."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module", params=["tokens", "certificates"])
def access(request: pytest.FixtureRequest) -> str:
    """How callers are known."""
    return str(request.param)


@pytest.fixture(scope="module")
def plane(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority, access: str
) -> Iterator[ControlPlane]:
    """A server with a client CA, and perhaps tokens."""
    folder = tmp_path_factory.mktemp("serve")
    certificate, key = authority.issue("server")
    settings = {"tls_cert": str(certificate), "tls_key": str(key), "client_ca": str(authority.ca)}
    if access == "tokens":
        tokens = folder / "tokens.yaml"
        tokens.write_text(write_token(Token(name="ci", sha256=sha256_of(TOKEN))))
        settings["admin_tokens"] = str(tokens)
    running = ControlPlane(folder, settings=settings)
    yield running
    running.kill()


async def test_a_change_has_the_name_of_who_made_it(
    plane: ControlPlane, authority: Authority, access: str
) -> None:
    """Whatever else the caller claims."""
    certificate, key = map(str, authority.issue("ci"))
    tls = Tls(str(authority.ca)) if access == "tokens" else Tls(str(authority.ca), certificate, key)
    token = TOKEN if access == "tokens" else ""

    async with AsyncClient(plane.admin, token=token, tls=tls, author="somebody-else") as client:
        await client.apply(deployment("known"))
        authors = [revision.author async for revision in client.history("known")]

    assert authors == ["ci"]


async def test_without_either_nothing_is_told(plane: ControlPlane, authority: Authority, access: str) -> None:
    """A caller without a token is told so; one without a certificate gets no connection."""
    error = Unauthenticated if access == "tokens" else NoAnswer
    async with AsyncClient(plane.admin, token="", tls=Tls(str(authority.ca)), timeout=1, retry=0) as client:
        with pytest.raises(error):
            await client.get("known")
