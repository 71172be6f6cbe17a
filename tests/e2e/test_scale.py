"""Scale, with the real Envoy: many of them, many deployments, many changes, and nobody's request fails.

All Envoys of a gateway listen on one port here: the kernel shares the connections out among them.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.admin_client import AdminClient
from tests.support.control_plane import ControlPlane
from tests.support.envoys import Envoy, Json
from tests.support.files import deployment, documents, endpoints, split
from tests.support.mesh import BUILDS
from tests.support.prediction import sticky_split
from tests.support.traffic import Ask, Client, Load, versions
from tests.support.upstreams import Upstreams
from tests.support.wire_tap import WireTap
from xds.client import AsyncClient

pytestmark = pytest.mark.envoy

CHANGING = 5
"""Deployments whose weights change, in turn."""
MANY = 10_000
SAMPLE = [f"scaled-{number}" for number in range(0, MANY, 500)]
KEYS = [f"user-{number}" for number in range(10)]
FLIPS = 1_000
PATIENCE = 120.0
_LONG = (pytest.mark.long, pytest.mark.timeout(900))

log = logging.getLogger(__name__)
"""Figures, for who wants them: `pytest --log-cli-level info`."""


class Size(NamedTuple):
    """How many of everything."""

    envoys: int
    deployments: int
    changes: int
    mode: str


def file(upstreams: Upstreams, numbers: range) -> str:
    """Deployments of three builds each, and where those run."""
    canary = split("X-User-ID", route_type="header", a=("a1", 20), b=("b1", 30))
    where = endpoints(**{build: upstreams.endpoint(build) for build in BUILDS})
    return documents(where, *(deployment(f"scaled-{number}", canary=canary) for number in numbers))


@contextlib.asynccontextmanager
async def envoys(folder: Path, xds: tuple[str, int], count: int) -> AsyncIterator[list[Envoy]]:
    """So many Envoys of one gateway, started at once and ready."""
    started: list[Envoy] = []
    try:
        started.extend(Envoy(folder, xds, node_id=f"envoy-{each}", wait=False) for each in range(count))
        for envoy in started:
            await asyncio.to_thread(envoy.process.wait_until, envoy.ready, PATIENCE)
        yield started
    finally:
        for envoy in started:
            envoy.stop()


def memory(envoy: Envoy) -> int:
    """Megabytes that are resident."""
    status = Path(f"/proc/{envoy.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024


def slots(table: Json, host: str) -> dict[str, int]:
    """How an Envoy shares out the keys of a host."""
    shares = dict.fromkeys(("main", "a", "b"), 0)
    for entry in sticky_split(table, host):
        shares[entry.version] += entry.weight
    return shares


def refusals(envoy: Envoy) -> dict[str, int]:
    """What it refused, or failed to take."""
    ends = ("update_rejected", "update_failure")
    return {name: count for name, count in envoy.stats().items() if name.endswith(ends) and count}


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(Size(3, 200, 20, "scoped"), id="3"),
        pytest.param(Size(30, 10, 100, "table"), id="30-table", marks=_LONG),
        pytest.param(Size(30, 10, 100, "scoped"), id="30-scoped", marks=_LONG),
    ],
)
async def test_all_envoys_have_the_last_of_many_changes(
    tmp_path: Path, upstreams: Upstreams, size: Size
) -> None:
    """Made one right after the other, under load: every Envoy ends with the last, none refuses any."""
    plane = ControlPlane(tmp_path, mode=size.mode)
    last: dict[str, dict[str, int]] = {}
    try:
        async with AdminClient(plane.admin) as admin, Client(plane.listener, 2 * size.envoys) as client:
            await admin.apply(file(upstreams, range(size.deployments)))
            async with (
                envoys(tmp_path, plane.xds, size.envoys) as running,
                Load(client, Ask("scaled-0", header="X-User-ID"), workers=size.envoys, pause=0.1) as load,
            ):
                for number in range(size.changes):
                    name, a, b = f"scaled-{number % CHANGING}", number * 37 % 50, number * 11 % 51
                    await admin.set_weights(name, a=a, b=b)
                    last[name] = {"main": 10_000 - 100 * (a + b), "a": 100 * a, "b": 100 * b}
                for name in last:
                    await admin.settled(name, size.envoys, PATIENCE)
                await load.more(2 * size.envoys)
                for envoy in running:
                    table = envoy.route_table()
                    assert {name: slots(table, name) for name in last} == last
                    assert envoy.clusters().keys() == running[0].clusters().keys()
                    assert refusals(envoy) == {}
                log.info("MB of each Envoy: %s", [memory(envoy) for envoy in running])
            assert load.failures() == {}
    finally:
        plane.kill()


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_ten_thousand_deployments(tmp_path: Path, upstreams: Upstreams) -> None:
    """Changes, a promotion and rollbacks of one reach its users and nobody else; a restart sends nothing."""
    plane = ControlPlane(tmp_path, mode="scoped", patience=PATIENCE)
    changed, *others = SAMPLE
    try:
        async with (
            AdminClient(plane.admin) as admin,
            AsyncClient(plane.admin, timeout=PATIENCE) as canary,
            WireTap(plane.xds) as tap,
            Client(plane.listener) as client,
        ):

            async def builds(*hosts: str) -> dict[tuple[str, str], str]:
                found = {host: await client.ask_all(Ask(host, header="X-User-ID"), KEYS) for host in hosts}
                return {
                    (host, key): answer.build for host, each in found.items() for key, answer in each.items()
                }

            async def all_get() -> tuple[dict[str, int], set[str]]:
                await admin.settled(changed, seconds=PATIENCE)
                answers = await client.ask_all(Ask(changed, header="X-User-ID"), KEYS)
                return versions(answers.values()), {answer.build for answer in answers.values()}

            for first in range(0, MANY, 500):
                await admin.apply(file(upstreams, range(first, first + 500)))
            async with envoys(tmp_path, tap.address, 1) as (envoy,):
                await admin.settled(changed, seconds=PATIENCE)
                before = await builds(*SAMPLE)
                assert set(before.values()) == set(BUILDS)
                at_first = len(tap.lines[-1].responses)

                await admin.set_weights(changed, a=100, b=0)
                assert await all_get() == ({"a": len(KEYS)}, {"a1"})
                await canary.promote(changed, "a")
                assert await all_get() == ({"main": len(KEYS)}, {"a1"})
                await admin.rollback(changed)
                assert await all_get() == ({"a": len(KEYS)}, {"a1"})
                await admin.rollback(changed)
                await admin.settled(changed, seconds=PATIENCE)
                assert await builds(*SAMPLE) == before

                changes = tap.lines[-1].responses[at_first:]
                assert {resource.name for answer in changes for resource in answer.resources} == {changed}
                log.info("bytes of each change: %s", [answer.ByteSize() for answer in changes])

                lines = len(tap.lines)
                await asyncio.to_thread(plane.stop)
                await asyncio.to_thread(plane.start)
                async with AdminClient(plane.admin) as again:
                    await again.settled(changed, seconds=PATIENCE)
                    await again.set_weights(changed, a=25)
                    await again.settled(changed, seconds=PATIENCE)
                (closing,) = [answer for line in tap.lines[lines:] for answer in line.responses]
                assert [resource.name for resource in closing.resources] == [changed]
                assert await builds(*others) == {
                    at: build for at, build in before.items() if at[0] != changed
                }
                log.info("MB of the Envoy: %s", memory(envoy))
    finally:
        plane.kill()


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_a_thousand_flips_fail_no_request(admin: AdminClient, client: Client) -> None:
    """All to the canary and back, each taken by Envoy while requests are under way: no failure."""
    host = "flipping"
    await admin.apply(deployment(host, canary=split("X-User-ID", route_type="header", a=("a1", 0))))
    await admin.settled(host)

    async with Load(client, Ask(host, header="X-User-ID")) as load:
        for flip in range(FLIPS):
            await admin.set_weights(host, a=100 if flip % 2 == 0 else 0)
            await admin.settled(host)

    log.info("requests: %s", len(load.answers))
    assert load.failures() == {}
    assert set(versions(load.answers)) == {"main", "a"}
