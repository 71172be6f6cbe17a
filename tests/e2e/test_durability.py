"""kill -9 while writes are under way: what was acknowledged is there and whole."""

import asyncio
import itertools
import random
from pathlib import Path

import grpc

from tests.support.admin_client import AdminClient
from tests.support.control_plane import ControlPlane
from tests.support.files import deployment, split

MOMENTS = 20
NAMES = ("alpha", "beta", "gamma")


async def write(admin: AdminClient, name: str, said: dict[tuple[str, int], float]) -> None:
    """Change weights until the server is gone; what was acknowledged goes to `said`."""
    for step in itertools.count():
        weight = round((step * 7.01) % 99, 2)
        try:
            revision = (await admin.set_weights(name, a=weight)).deployment.revision
        except grpc.aio.AioRpcError:
            return
        said[name, revision.number] = revision.weights["a"]


async def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """At 20 moments of three writers' work the server is killed; every acknowledged revision survives."""
    plane = ControlPlane(tmp_path)
    moments = random.Random(2)
    said: dict[tuple[str, int], float] = {}
    try:
        async with AdminClient(plane.admin) as admin:
            for name in NAMES:
                await admin.apply(deployment(name, canary=split(a=("a1", 100))))
        for _ in range(MOMENTS):
            async with AdminClient(plane.admin) as admin, asyncio.TaskGroup() as writers:
                for name in NAMES:
                    writers.create_task(write(admin, name, said))
                await asyncio.sleep(moments.uniform(0.02, 0.2))
                await asyncio.to_thread(plane.kill)
            await asyncio.to_thread(plane.start)
        async with AdminClient(plane.admin) as admin:
            kept = {
                (name, revision.number): revision.weights["a"]
                for name in NAMES
                for revision in await admin.history(name)
            }
            in_force = {name: (await admin.get(name)).revision.number for name in NAMES}
    finally:
        plane.kill()

    assert len(said) > MOMENTS
    assert {revision: kept.get(revision) for revision in said} == said
    assert in_force == {name: max(number for owner, number in kept if owner == name) for name in NAMES}
