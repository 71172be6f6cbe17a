"""State-of-the-world and a control plane that dies and returns: what Envoy has is not loaded again.

Envoy counts the answers it takes, by type. What is asked for by wildcard is skipped by its version; what
is asked for by name is answered in full, because a version says nothing of which names it covered.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.admin_client import AdminClient
from tests.support.control_plane import ControlPlane
from tests.support.envoys import Envoy, changed_envoy
from tests.support.files import deployment, documents, endpoints, split
from tests.support.upstreams import Upstreams
from tests.support.waiting import eventually

pytestmark = pytest.mark.envoy

HOST = "steady"
BY_WILDCARD = {"cluster_manager.cds", "listener_manager.lds"}
BY_NAME = {"http.default.rds.default", f"cluster.{HOST}_m1", f"cluster.{HOST}_a1"}
UPDATES = ".update_success"


@pytest.fixture
async def wired(tmp_path: Path, upstreams: Upstreams) -> AsyncIterator[tuple[ControlPlane, Envoy]]:
    """A control plane and an Envoy, serving a deployment."""
    plane = ControlPlane(tmp_path)
    where = {build: upstreams.endpoint(build) for build in ("m1", "a1")}
    async with changed_envoy(tmp_path, plane.xds, "sotw") as envoy:
        async with AdminClient(plane.admin) as admin:
            await admin.apply(documents(deployment(HOST, canary=split(a=("a1", 20))), endpoints(**where)))
            await admin.settled(HOST)
        yield plane, envoy
    plane.kill()


async def test_only_what_was_asked_for_by_name_is_sent_again(wired: tuple[ControlPlane, Envoy]) -> None:
    """After the return each named type is answered once; clusters and listeners are not."""
    plane, envoy = wired

    async def taken() -> dict[str, int]:
        stats = await asyncio.to_thread(envoy.stats)
        return {name: stats[name + UPDATES] for name in BY_WILDCARD | BY_NAME}

    before = await taken()
    await asyncio.to_thread(plane.kill)
    await asyncio.to_thread(plane.start)

    async def answered() -> bool:
        now = await taken()
        return all(now[name] > before[name] for name in BY_NAME)

    await eventually(answered, "what was asked for by name is answered")
    async with AdminClient(plane.admin) as admin:
        await admin.settled(HOST)

    after = await taken()
    assert {name: after[name] - before[name] for name in after} == (
        dict.fromkeys(BY_WILDCARD, 0) | dict.fromkeys(BY_NAME, 1)
    )
