"""Our image and Envoy's, without compose: what they promise to whoever runs them otherwise."""

import contextlib
from collections.abc import Iterator

import pytest
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network
from testcontainers.core.wait_strategies import HealthcheckWaitStrategy, HttpWaitStrategy

from examples.audience import Audience, Request
from tests.support.admin_client import AdminClient
from tests.support.process import ROOT
from tests.support.waiting import eventually

pytestmark = pytest.mark.container

IMAGE = "canary-xds"
ENVOY = "envoyproxy/envoy:v1.40-latest"
XDS, ADMIN, HTTP = 18000, 18001, 18002
GATEWAY = 10000
SERVE = [
    "serve",
    f"--xds-listen=0.0.0.0:{XDS}",
    f"--admin-listen=0.0.0.0:{ADMIN}",
    f"--http-listen=0.0.0.0:{HTTP}",
    "--insecure",
]
PATIENCE = 30
"""Seconds a container may take to be ready."""
SPEC = """\
endpoints: {"chat:v1": ["chat-v1:3000"]}
---
{name: chat, bento: "chat:v1"}
"""


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    """Where containers find each other by name."""
    with Network() as network:
        yield network


@pytest.fixture(scope="module")
def control_plane(network: Network) -> Iterator[DockerContainer]:
    """Our image as it is, with a gateway that listens on every address of its Envoys."""
    container = (
        DockerContainer(IMAGE)
        .with_command([*SERVE, "--config=/canary.yaml"])
        .with_volume_mapping(ROOT / "examples" / "compose" / "canary.yaml", "/canary.yaml")
        .with_network(network)
        .with_network_aliases("control-plane")
        .with_exposed_ports(ADMIN, HTTP)
        .waiting_for(HttpWaitStrategy(HTTP, "/readyz").with_startup_timeout(PATIENCE))
    )
    with container:
        yield container


def test_it_is_healthy_by_its_own_check(control_plane: DockerContainer) -> None:
    """The image's HEALTHCHECK finds the server, without a curl."""
    HealthcheckWaitStrategy().with_startup_timeout(PATIENCE).wait_until_ready(control_plane)


def test_it_does_not_listen_in_the_open_by_accident() -> None:
    """Run as it is, with neither TLS nor `--insecure`, it ends and says what to do."""
    with DockerContainer(IMAGE) as container:
        ended = container.get_wrapped_container().wait(timeout=PATIENCE)
        said = b"".join(container.get_logs()).decode()

    assert ended["StatusCode"] != 0
    assert "--tls-cert" in said
    assert "--insecure" in said


def test_it_does_not_run_as_root(control_plane: DockerContainer) -> None:
    """The server's user may write the store's folder, and no program of the image."""
    told = control_plane.exec(
        [
            "python",
            "-c",
            "import os, sys; print(os.getuid(), os.access('.', os.W_OK), os.access(sys.prefix, os.W_OK))",
        ]
    )

    assert told.output.decode().split() == ["10001", "True", "False"]


async def test_an_envoy_has_its_configuration_from_it_and_routes(
    network: Network, control_plane: DockerContainer
) -> None:
    """What the admin API is given, the official Envoy does."""
    model = (
        DockerContainer(IMAGE, entrypoint=["python", "/model.py"])
        .with_command("--model chat --version v1 --host 0.0.0.0 --port 3000")
        .with_volume_mapping(ROOT / "examples" / "model.py", "/model.py")
        .with_network(network)
        .with_network_aliases("chat-v1")
    )
    envoy = (
        DockerContainer(ENVOY)
        .with_command("-c /etc/envoy/envoy.yaml --log-level warning")
        .with_volume_mapping(ROOT / "envoy" / "compose.yaml", "/etc/envoy/envoy.yaml")
        .with_network(network)
        .with_exposed_ports(GATEWAY)
    )
    with contextlib.ExitStack() as running:
        for container in (model, envoy):
            running.enter_context(container)
        async with (
            AdminClient(_address(control_plane, ADMIN)) as admin,
            Audience(_address(envoy, GATEWAY)) as users,
        ):
            await admin.apply(SPEC)

            async def answered() -> bool:
                return await users.ask(Request("chat")) == "main"

            await eventually(answered, "chat is answered by main")


def _address(container: DockerContainer, port: int) -> str:
    return f"{container.get_container_host_ip()}:{container.get_exposed_port(port)}"
