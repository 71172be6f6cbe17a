"""Both clients against a fake admin API."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.cli.fake_admin import AdminApi, fake_admin
from xds.client import AsyncClient, Client


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("SERVER", "TOKEN", "TLS_CA", "TLS_CERT", "TLS_KEY", "TLS_SERVER_NAME"):
        monkeypatch.delenv(f"CANARY_{variable}", raising=False)


@pytest.fixture
def api() -> Iterator[AdminApi]:
    """An admin API on a port of its own."""
    with fake_admin() as fake:
        yield fake


@pytest.fixture
def client(api: AdminApi) -> Iterator[Client]:
    """A client of it."""
    with Client(api.address) as client:
        yield client


@pytest.fixture
async def async_client(api: AdminApi) -> AsyncIterator[AsyncClient]:
    """Another one."""
    async with AsyncClient(api.address) as client:
        yield client
