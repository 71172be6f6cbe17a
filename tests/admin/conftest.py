"""A control plane in the test's own process, called through real gRPC."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support import files
from tests.support.admin_client import AdminClient, Services
from tests.support.serving import Serving, serving
from xds.spec.gateway import Gateway, Listen

CHAT = files.documents(
    files.deployment("chat", main="m1", canary=files.split(a=("m2", 10))),
    files.endpoints(m1="127.0.0.1:3001", m2="127.0.0.1:3002"),
)
"""`main` and a canary of 10 %, both with an endpoint."""


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Serving]:
    """One gateway, `default`; nothing is deployed."""
    async with serving(tmp_path, Gateway(name="default", listeners=(Listen(port=10000),))) as running:
        yield running


@pytest.fixture
async def client(served: Serving) -> AsyncIterator[AdminClient]:
    """Calls it."""
    async with AdminClient(served.admin) as calling:
        yield calling


@pytest.fixture
async def api(client: AdminClient) -> Services:
    """Its methods, with `chat` deployed (revision 1)."""
    await client.apply(CHAT)
    return client.services
