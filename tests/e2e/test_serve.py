"""`canary serve` as scripts meet it: the ready file, health, metrics, and a polite end."""

import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from tests.support.admin_client import AdminClient
from tests.support.control_plane import ControlPlane
from tests.support.files import deployment
from tests.support.ports import LOOPBACK


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane with a folder in which one file is broken."""
    folder = tmp_path_factory.mktemp("serve")
    specs = folder / "specs"
    specs.mkdir()
    (specs / "broken.yaml").write_text("name: [")
    (specs / "good.yaml").write_text(deployment("good"))
    running = ControlPlane(folder, specs=specs)
    yield running
    running.kill()


def status(url: str) -> int:
    """The HTTP status of a GET."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_http_answers(plane: ControlPlane, path: str) -> None:
    """Health, readiness (for which a broken file doesn't matter) and metrics: 200."""
    assert status(f"http://{plane.http}{path}") == 200


def test_the_ready_file_names_the_free_ports_taken(plane: ControlPlane) -> None:
    """Port 0 was asked for everywhere; `xds`, `admin` and `http` say what came of it."""
    ports = [int(address.rsplit(":", 1)[1]) for address in (plane.admin, plane.http)] + [plane.xds[1]]

    assert len(set(ports)) == 3
    assert 0 not in ports


def test_grpc_health_is_served(plane: ControlPlane) -> None:
    """The standard health service says SERVING."""
    with grpc.insecure_channel(plane.admin) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        answer = check(health_pb2.HealthCheckRequest(), timeout=5)

    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_reflection_names_the_admin_service(plane: ControlPlane) -> None:
    """`grpcurl` finds its way without any proto file."""
    with grpc.insecure_channel(plane.admin) as channel:
        reflect = channel.stream_stream(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        (answer,) = reflect(iter([asked]), timeout=5)

    names = [service.name for service in answer.list_services_response.service]
    assert "canary.admin.v1.DeploymentService" in names


def test_it_ends_politely(tmp_path: Path) -> None:
    """SIGTERM: it ends by itself, with 0."""
    assert ControlPlane(tmp_path).stop() == 0


async def test_the_store_alone_decides_on_start(tmp_path: Path) -> None:
    """Started again without its folder, it still knows what it served."""
    specs = tmp_path / "specs"
    specs.mkdir()
    (specs / "kept.yaml").write_text(deployment("kept"))
    plane = ControlPlane(tmp_path, specs=specs)
    plane.stop()
    plane.specs = None
    plane.start()
    try:
        async with AdminClient(plane.admin) as admin:
            kept = await admin.deployments()
    finally:
        plane.kill()

    assert [deployment.name for deployment in kept] == ["kept"]


def test_a_second_server_on_the_same_store_is_refused(plane: ControlPlane) -> None:
    """In one line with the first one's pid, whose ready file stays."""
    second = subprocess.run(plane.command, capture_output=True, text=True, timeout=20, check=False)

    assert second.returncode == 1
    line = rf"Error: the store \S+canary\.db is in use by another server \(pid {plane.process.pid}\).*\n"
    assert re.fullmatch(line, second.stderr)
    assert plane.ready_file.exists()


def test_the_ready_file_goes_when_the_server_does(tmp_path: Path) -> None:
    """Whoever waits for it waits for the next one."""
    plane = ControlPlane(tmp_path)
    plane.stop()

    assert not plane.ready_file.exists()


def test_a_stale_ready_file_is_gone_before_ports_are_taken(plane: ControlPlane, tmp_path: Path) -> None:
    """A start that fails on a port taken doesn't leave what a killed server said."""
    stale = tmp_path / "ready.json"
    stale.write_text("{}")
    command = [*plane.command, "--store", str(tmp_path / "db"), "--ready-file", str(stale)]
    failed = subprocess.run(
        [*command, "--xds-listen", f"{LOOPBACK}:{plane.xds[1]}"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert "is the port taken?" in failed.stderr
    assert not stale.exists()
