"""gRPC's own client without any Envoy: it follows the split, its changes and their undoing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import yaml

from tests.support.admin_client import AdminClient
from tests.support.control_plane import ControlPlane
from tests.support.files import deployment, documents, endpoints, split
from tests.support.grpc_calls import GrpcCalls
from tests.support.mesh import GRPC_BUILDS
from tests.support.upstreams import Upstreams

HOST = "chat"
SAMPLE = 2_000
"""Calls in which a share differs by less than 5 percentage points from its weight."""


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[ControlPlane]:
    """A control plane with a gateway for clients of `node.cluster` mesh."""
    running = ControlPlane(tmp_path, gateways=[{"name": "mesh", "mode": "proxyless"}])
    yield running
    running.kill()


def file(upstreams: Upstreams, canary: dict[str, object]) -> str:
    """A deployment of gRPC builds with their endpoints."""
    where = {build: upstreams.grpc_endpoint(build) for build in GRPC_BUILDS}
    return documents(deployment(HOST, main="gm1", canary=canary, gateways=["mesh"]), endpoints(**where))


async def shares(calls: GrpcCalls) -> dict[str, int]:
    """Percent of the next calls by who answered, rounded to tens (weights in these tests are tens)."""
    answers = await asyncio.to_thread(calls.next, SAMPLE)
    return {build: round(count * 10 / SAMPLE) * 10 for build, count in sorted(answers.items())}


def failures(calls: GrpcCalls) -> list[str]:
    """The calls that failed, from the first on."""
    return [answer for answer in calls.answers() if answer.startswith("!")]


async def test_the_client_follows_every_change(
    plane: ControlPlane, upstreams: Upstreams, tmp_path: Path
) -> None:
    """Split, weights, a version added, one removed, a rollback: the right shares, and no failed call."""
    async with AdminClient(plane.admin) as admin:
        await admin.apply(file(upstreams, split(a=("ga1", 30))))
        with GrpcCalls(tmp_path, plane.xds, HOST, "mesh") as calls:
            assert await shares(calls) == {"ga1": 30, "gm1": 70}

            await admin.set_weights(HOST, a=60)
            await admin.settled(HOST)
            assert await shares(calls) == {"ga1": 60, "gm1": 40}

            await admin.apply(file(upstreams, split(a=("ga1", 30), b=("gb1", 20))))
            await asyncio.to_thread(calls.wait_for, "gb1")
            assert await shares(calls) == {"ga1": 30, "gb1": 20, "gm1": 50}

            await admin.apply(file(upstreams, split(b=("gb1", 20))))
            await admin.settled(HOST)
            assert await shares(calls) == {"gb1": 20, "gm1": 80}

            await admin.rollback(HOST)
            await asyncio.to_thread(calls.wait_for, "ga1")
            assert await shares(calls) == {"ga1": 30, "gb1": 20, "gm1": 50}
            assert failures(calls) == []


async def test_calls_outlive_the_control_plane(
    plane: ControlPlane, upstreams: Upstreams, tmp_path: Path
) -> None:
    """Killed and started again under load: no call fails, and the client hears of the next change."""
    async with AdminClient(plane.admin) as admin:
        await admin.apply(file(upstreams, split(a=("ga1", 30))))
    with GrpcCalls(tmp_path, plane.xds, HOST, "mesh") as calls:
        await asyncio.to_thread(calls.wait_for, "ga1")
        await asyncio.to_thread(plane.kill)
        await asyncio.to_thread(calls.next, 300)
        await asyncio.to_thread(plane.start)
        async with AdminClient(plane.admin) as admin:
            await admin.settled(HOST)
            await admin.set_weights(HOST, a=60)
            await admin.settled(HOST)
        assert await shares(calls) == {"ga1": 60, "gm1": 40}
        assert failures(calls) == []


async def test_deployments_share_a_host_by_service(
    plane: ControlPlane, upstreams: Upstreams, tmp_path: Path
) -> None:
    """A service's calls go to the deployment below its path, not to the one for all the others."""
    where = {build: upstreams.grpc_endpoint(build) for build in GRPC_BUILDS}
    hosts, mesh = ["models.test"], ["mesh"]
    async with AdminClient(plane.admin) as admin:
        await admin.apply(
            documents(
                deployment("echo", main="ga1", path_prefix="/test.Echo", hosts=hosts, gateways=mesh),
                deployment("rest", main="gm1", hosts=hosts, gateways=mesh),
                endpoints(**where),
            )
        )
    with GrpcCalls(tmp_path, plane.xds, "models.test", "mesh") as calls:
        assert await asyncio.to_thread(calls.next, 50) == {"ga1": 50}


async def test_the_client_takes_all_that_it_is_sent(
    plane: ControlPlane, upstreams: Upstreams, tmp_path: Path
) -> None:
    """Ring hash, limits, a single method, zones with weights: it refuses none of it, and acts on it."""
    host, port = upstreams.grpc_endpoint("gm1").split(":")
    spec = {
        "name": HOST,
        "gateways": ["mesh"],
        "path_prefix": "/test.Echo/Chat",
        "protocol": "grpc",
        "timeout": "5s",
        "circuit_breakers": {"max_requests": 10},
        "load_balancing": {"policy": "ring_hash", "header": "X-Session"},
        "outlier_detection": {},
        "endpoints": [{"address": host, "port": int(port), "weight": 3, "zone": "b"}],
    }
    async with AdminClient(plane.admin) as admin:
        await admin.apply(yaml.safe_dump(spec))
        with GrpcCalls(tmp_path, plane.xds, HOST, "mesh") as calls:
            assert await asyncio.to_thread(calls.next, 50) == {"gm1": 50}
            standing = await admin.settled(HOST)
            assert list(standing.convergence.rejections) == []


async def test_a_sticky_split_is_refused(plane: ControlPlane) -> None:
    """The message names the gateway that can't do it, and says which could."""
    sticky = split("X-User-ID", route_type="header", a=("a1", 20))
    async with AdminClient(plane.admin) as admin:
        with pytest.raises(grpc.aio.AioRpcError, match=r"gateway mesh is for these.*gateways: \[default\]"):
            await admin.apply(deployment("everywhere", canary=sticky))
