"""What the end-to-end tests share: model services, a control plane and an Envoy for the session.

Tests that only add deployments share one mesh, each with names of its own. Tests that kill or restart
something build their own. In the long profile, and with `both_modes` always, they run in both modes of
routing: what a gateway's mode is must not be seen.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.admin_client import AdminClient
from tests.support.mesh import BUILDS, GRPC_BUILDS, Mesh
from tests.support.traffic import Client
from tests.support.upstreams import Upstreams


@pytest.fixture(scope="session")
def upstreams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstreams]:
    """The model services."""
    services = Upstreams(tmp_path_factory.mktemp("upstreams"), *BUILDS, *GRPC_BUILDS)
    yield services
    services.stop()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what depends on the mode in both."""
    if "mode" in metafunc.fixturenames:
        always = metafunc.definition.get_closest_marker("both_modes") is not None
        scoped = pytest.param("scoped", marks=() if always else pytest.mark.long)
        metafunc.parametrize("mode", ["table", scoped], indirect=True, scope="session")


@pytest.fixture(scope="session")
def mode(request: pytest.FixtureRequest) -> str:
    """The gateway's mode."""
    return str(request.param)


@pytest.fixture(scope="session")
def mesh(tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams, mode: str) -> Iterator[Mesh]:
    """The shared control plane with its Envoy."""
    with Mesh(tmp_path_factory.mktemp("mesh"), upstreams, mode=mode) as running:
        yield running


@pytest.fixture
def own_mesh(tmp_path: Path, upstreams: Upstreams) -> Iterator[Mesh]:
    """A control plane with its Envoy that the test may do anything to."""
    with Mesh(tmp_path, upstreams) as running:
        yield running


@pytest.fixture
async def admin(mesh: Mesh) -> AsyncIterator[AdminClient]:
    """The admin API of the shared mesh."""
    async with AdminClient(mesh.plane.admin) as client:
        yield client


@pytest.fixture
async def client(mesh: Mesh) -> AsyncIterator[Client]:
    """Requests to the shared mesh."""
    async with Client(mesh.gateway) as client:
        yield client
