"""Promotion by file: `main` takes over the canary's build, and nothing in Envoy is re-made."""

import pytest

from tests.support.admin_client import AdminClient
from tests.support.files import deployment, split
from tests.support.mesh import Mesh
from tests.support.traffic import Answer, Ask, Client, Load

pytestmark = pytest.mark.envoy

KEYS = [f"user-{number}" for number in range(500)]
REMADE = ("cluster_added", "cluster_modified", "cluster_removed")
CLOSED = ("upstream_cx_destroy", "membership_change")


def disturbances(mesh: Mesh, *clusters: str) -> dict[str, int]:
    """What counts up when a cluster is re-made or one of its connections is closed."""
    manager = mesh.envoy.stats("cluster_manager.")
    seen = {name: manager[f"cluster_manager.{name}"] for name in REMADE}
    for cluster in clusters:
        stats = mesh.envoy.cluster_stats(cluster)
        seen |= {f"{cluster}.{name}": stats[name] for name in CLOSED}
    return seen


def builds(answers: dict[str, Answer]) -> dict[str, str]:
    """The build each user got."""
    return {key: answer.build for key, answer in answers.items()}


@pytest.mark.parametrize("listed", [True, False], ids=["canary-still-listed", "canary-gone"])
async def test_promotion_at_100_percent_disturbs_nobody(
    mesh: Mesh, admin: AdminClient, client: Client, *, listed: bool
) -> None:
    """At 100 %, `main` names the canary's tag: no connection closed, no cluster re-made, nobody moved."""
    host = f"promoted-{'listed' if listed else 'gone'}"
    ask = Ask(host, header="X-User-ID")
    await admin.apply(deployment(host, canary=split("X-User-ID", route_type="header", a=("a1", 30))))
    await admin.set_weights(host, a=100)
    await admin.settled(host)
    async with Load(client, ask) as load:
        await load.more(50)
        before = builds(await client.ask_all(ask, KEYS))
        quiet = disturbances(mesh, f"{host}_a1")

        still = split("X-User-ID", route_type="header", a=("a1", 100)) if listed else None
        await admin.apply(deployment(host, main="a1", canary=still))
        await admin.settled(host)
        await load.more(50)
        after = builds(await client.ask_all(ask, KEYS))

    assert set(before.values()) == {"a1"}
    assert (after, disturbances(mesh, f"{host}_a1"), load.failures()) == (before, quiet, {})


async def test_promotion_below_100_percent_moves_exactly_the_others(
    mesh: Mesh, admin: AdminClient, client: Client
) -> None:
    """At 40 %, `main` names the canary's tag: its users and those of `b` stay, the rest joins its cluster."""
    host = "promoted-early"
    ask = Ask(host, header="X-User-ID")
    canary = split("X-User-ID", route_type="header", a=("a1", 40), b=("b1", 10))
    await admin.apply(deployment(host, canary=canary))
    await admin.settled(host)
    before = builds(await client.ask_all(ask, KEYS))
    quiet = disturbances(mesh, f"{host}_a1", f"{host}_b1")

    remaining = split("X-User-ID", route_type="header", b=("b1", 10))
    await admin.apply(deployment(host, main="a1", canary=remaining))
    await admin.settled(host)
    after = builds(await client.ask_all(ask, KEYS))

    expected = {key: "a1" if build == "m1" else build for key, build in before.items()}
    assert (after, disturbances(mesh, f"{host}_a1", f"{host}_b1")) == (expected, quiet)
    assert set(before.values()) == {"m1", "a1", "b1"}
