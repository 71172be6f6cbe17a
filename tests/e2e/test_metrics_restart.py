"""What versions did outlives a restart of `canary serve`: an Envoy reports on both sides of it."""

import json
from collections.abc import Iterator
from pathlib import Path

import click.testing
import pytest

from tests.support.control_plane import ControlPlane
from tests.support.envoys import Envoy
from tests.support.files import deployment, documents, endpoints
from tests.support.ports import LOOPBACK
from tests.support.traffic import Ask, Client
from tests.support.upstreams import Upstreams
from tests.support.waiting import eventually
from xds.cli.main import canary
from xds.translate.bootstrap import bootstrap

pytestmark = pytest.mark.envoy


@pytest.fixture
def plane(tmp_path: Path, upstreams: Upstreams) -> Iterator[ControlPlane]:
    """A control plane with one deployment."""
    specs = tmp_path / "specs"
    specs.mkdir()
    text = documents(deployment("lasting"), endpoints(m1=upstreams.endpoint("m1")))
    (specs / "lasting.yaml").write_text(text)
    running = ControlPlane(tmp_path, specs=specs)
    yield running
    running.kill()


@pytest.fixture
def envoy(tmp_path: Path, plane: ControlPlane) -> Iterator[Envoy]:
    """One that reports every second."""
    config = bootstrap(
        gateway="default", xds=plane.xds, node_id="e1", envoy_admin=(LOOPBACK, 0), report_every=1.0
    )
    made = Envoy(tmp_path, plane.xds, node_id="e1", config=config, wait=False)
    made.process.wait_until(made.ready)
    yield made
    made.stop()


def counted(plane: ControlPlane) -> int:
    """Requests of the last hour, as `canary metrics` has them."""
    args = ["metrics", "lasting", "--span", "1h", "-o", "json"]
    result = click.testing.CliRunner().invoke(canary, args, env={"CANARY_SERVER": plane.admin})
    assert result.exit_code == 0, result.output
    return sum(int(version["requests"]) for version in json.loads(result.stdout)["versions"])


@pytest.mark.usefixtures("envoy")
async def test_what_was_counted_before_a_restart_still_stands(plane: ControlPlane) -> None:
    """Exactly, and what comes after it is added."""

    async def reported(requests: int) -> None:
        async def there() -> bool:
            return counted(plane) >= requests

        await eventually(there, f"{requests} requests")

    async with Client(plane.listener) as client:

        async def served() -> bool:
            return (await client.ask(Ask("lasting"))).status == 200

        await eventually(served, "it is served")
        await client.ask_all(Ask("lasting", header="x"), [str(number) for number in range(100)])
        await reported(101)
        assert plane.stop() == 0
        plane.start()
        assert counted(plane) == 101
        await client.ask_all(Ask("lasting", header="x"), [str(number) for number in range(50)])
        await reported(151)
        assert counted(plane) == 151
