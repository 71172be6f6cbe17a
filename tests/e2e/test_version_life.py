"""The life of a version under load, in both dialects: added, changed, renamed, dropped, its cluster gone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.admin_client import AdminClient
from tests.support.files import deployment, split
from tests.support.mesh import Mesh
from tests.support.traffic import Ask, Client, Load, versions
from tests.support.upstreams import Upstreams
from tests.support.waiting import eventually

pytestmark = pytest.mark.envoy

HOST = "living"


@pytest.fixture(params=["delta", "sotw"])
def hasty_mesh(request: pytest.FixtureRequest, tmp_path: Path, upstreams: Upstreams) -> Iterator[Mesh]:
    """A control plane that keeps retired builds for a second, with its Envoy."""
    with Mesh(tmp_path, upstreams, dialect=request.param, keep_builds="1s") as running:
        yield running


def stages() -> Iterator[str]:
    """The deployment's files, one after the other; `a` is always there."""
    a, b = ("a1", 20), ("b1", 20)
    yield deployment(HOST, canary=split("X-User-ID", route_type="header", a=a))
    added = split("X-User-ID", route_type="header", a=a, b=b)
    yield deployment(HOST, canary=added)
    versions = added["versions"]
    assert isinstance(versions, dict)
    versions["b"]["connect_timeout"] = "3.5s"  # makes its cluster anew
    yield deployment(HOST, canary=added)
    yield deployment(HOST, canary=split("X-User-ID", route_type="header", a=a, c=b))
    yield deployment(HOST, canary=split("X-User-ID", route_type="header", a=a))


async def test_a_version_comes_and_goes_under_load(hasty_mesh: Mesh) -> None:
    """Each step is taken while requests flow, and none fails; in the end Envoy has no cluster of it."""
    async with AdminClient(hasty_mesh.plane.admin) as admin, Client(hasty_mesh.gateway) as client:
        first, *steps = stages()
        await admin.apply(first)
        await admin.settled(HOST)
        async with Load(client, Ask(HOST, header="X-User-ID")) as load:
            for text in steps:
                await admin.apply(text)
                await admin.settled(HOST)
                await load.more(100)

            async def removed() -> bool:
                return hasty_mesh.envoy.stats("cluster_manager.")["cluster_manager.cluster_removed"] == 1

            await eventually(removed, "the retired cluster is removed")
            await load.more(100)

    counted = hasty_mesh.envoy.stats("cluster_manager.")
    assert load.failures() == {}
    assert set(versions(load.answers)) == {"main", "a", "b", "c"}
    assert counted["cluster_manager.cluster_modified"] >= 1
    assert f"{HOST}_b1" not in hasty_mesh.envoy.clusters()
