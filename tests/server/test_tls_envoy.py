"""TLS between the control plane and the real Envoy, each of which proves who it is."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority
from tests.support.envoys import Envoy
from tests.support.ports import LOOPBACK, free_port
from tests.support.serving import Serving, serving
from tests.support.waiting import eventually
from xds.spec.gateway import Gateway, Listen
from xds.translate.bootstrap import ControlPlaneTls, Dialect, bootstrap

pytestmark = pytest.mark.envoy


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Whom both sides trust."""
    return Authority(tmp_path)


@pytest.fixture
async def server(tmp_path: Path, authority: Authority) -> AsyncIterator[Serving]:
    """A control plane that wants certificates of its Envoys."""
    gateway = Gateway(name="default", listeners=(Listen(address=LOOPBACK, port=free_port()),))
    async with serving(tmp_path, gateway, tls=authority.server(client_certificates=True)) as running:
        yield running


@contextlib.asynccontextmanager
async def envoy(
    folder: Path, server: Serving, tls: ControlPlaneTls | None, dialect: Dialect = "delta"
) -> AsyncIterator[Envoy]:
    """An Envoy that reaches the control plane this way."""
    config: dict[str, Any] = bootstrap(
        gateway="default",
        xds=server.xds,
        node_id="envoy-1",
        envoy_admin=(LOOPBACK, 0),
        dialect=dialect,
        tls=tls,
    )
    running = Envoy(folder, server.xds, config=config, wait=False)
    try:
        yield running
    finally:
        running.stop()


async def becomes(look: Callable[[], bool], what: str) -> None:
    """Wait until it is so; an Envoy that does not answer yet is not."""

    def now() -> bool:
        try:
            return look()
        except OSError:
            return False

    await eventually(lambda: asyncio.to_thread(now), what)


@pytest.mark.parametrize("dialect", ["delta", "sotw"])
async def test_an_envoy_with_a_certificate_gets_its_configuration(
    tmp_path: Path, authority: Authority, server: Serving, dialect: Dialect
) -> None:
    """Each verifies the other; an Envoy is ready only once it has it all."""
    certificate, key = authority.issue("edge-1")
    tls = ControlPlaneTls(str(authority.ca), str(certificate), str(key))

    async with envoy(tmp_path, server, tls, dialect) as running:
        await becomes(running.ready, "the Envoy is ready")


@pytest.mark.parametrize("speaks_tls", [True, False])
async def test_an_envoy_without_a_certificate_is_turned_away(
    tmp_path: Path, authority: Authority, server: Serving, *, speaks_tls: bool
) -> None:
    """It tries again and again, and is told nothing."""
    tls = ControlPlaneTls(str(authority.ca)) if speaks_tls else None

    async with envoy(tmp_path, server, tls) as running:
        await becomes(lambda: running.cluster_stats("xds")["upstream_cx_total"] > 2, "it tried often")

        assert not await asyncio.to_thread(running.ready)
        assert list(server.plane.hub.streams("default")) == []


async def test_an_envoy_takes_no_orders_from_a_strange_authority(
    tmp_path: Path, authority: Authority, server: Serving
) -> None:
    """The control plane's certificate is of another one than the Envoy trusts."""
    certificate, key = authority.issue("edge-1")
    tls = ControlPlaneTls(str(Authority(tmp_path, "strange").ca), str(certificate), str(key))

    async with envoy(tmp_path, server, tls) as running:
        await becomes(lambda: running.cluster_stats("xds")["ssl.fail_verify_error"] > 0, "it refuses")

        assert not await asyncio.to_thread(running.ready)


@pytest.mark.parametrize(("name", "counter"), [("another", "ssl.fail_verify_san"), ("localhost", None)])
async def test_the_control_planes_certificate_must_be_its_own(
    tmp_path: Path, authority: Authority, server: Serving, name: str, counter: str | None
) -> None:
    """One of the same authority, but for another name than the server's, is refused."""
    certificate, key = authority.issue("edge-1")
    tls = ControlPlaneTls(str(authority.ca), str(certificate), str(key), server_name=name)

    async with envoy(tmp_path, server, tls) as running:
        if counter is None:
            await becomes(running.ready, "the Envoy is ready")
        else:
            await becomes(lambda: running.cluster_stats("xds")[counter] > 0, "it refuses")
