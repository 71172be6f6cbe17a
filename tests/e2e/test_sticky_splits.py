"""Header and query splits: every user gets the version that the formula says."""

import pytest

from tests.support.admin_client import AdminClient
from tests.support.files import deployment, split
from tests.support.mesh import Mesh
from tests.support.prediction import predict, sticky_split
from tests.support.traffic import Ask, Client

pytestmark = pytest.mark.envoy

KEYS = [f"user-{number}" for number in range(2000)]
BUILD = {"main": "m1", "a": "a1", "b": "b1"}

BY_HEADER = Ask("by-header", header="X-User-ID")
BY_QUERY = Ask("by-query", query="user")


@pytest.mark.both_modes
@pytest.mark.parametrize(
    ("ask", "by"), [(BY_HEADER, "X-User-ID"), (BY_QUERY, "user")], ids=["header", "query"]
)
async def test_every_key_gets_the_version_predicted(
    mesh: Mesh, admin: AdminClient, client: Client, ask: Ask, by: str, mode: str
) -> None:
    """2,000 keys of 2,000 (500 by scopes) reach the build whose slots their hash falls into."""
    keys = KEYS if mode == "table" else KEYS[:500]
    route_type = "header" if ask.header else "query"
    canary = split(by, route_type=route_type, a=("a1", 20), b=("b1", 12.34))
    await admin.apply(deployment(ask.host, canary=canary))
    await admin.settled(ask.host)
    segments = sticky_split(mesh.envoy.route_table(), ask.host)

    answers = await client.ask_all(ask, keys)

    predicted = {key: predict(segments, key).version for key in keys}
    assert {key: (version, BUILD[version]) for key, version in predicted.items()} == {
        key: (answer.version, answer.build) for key, answer in answers.items()
    }


async def test_the_segments_have_the_weights_asked_for(mesh: Mesh, admin: AdminClient) -> None:
    """The slots of each version add up to its weight, in hundredths of a percent."""
    canary = split("X-User-ID", route_type="header", a=("a1", 0.01), b=("b1", 33.33))
    await admin.apply(deployment("by-the-slot", canary=canary))
    await admin.settled("by-the-slot")

    slots = {"main": 0, "a": 0, "b": 0}
    for entry in sticky_split(mesh.envoy.route_table(), "by-the-slot"):
        slots[entry.version] += entry.weight

    assert slots == {"main": 6666, "a": 1, "b": 3333}


async def test_growing_one_version_moves_only_those_it_gains(admin: AdminClient, client: Client) -> None:
    """From 20 to 40 % for `a`: whoever changes comes from `main` and goes to `a`."""
    ask = Ask("growing", header="X-User-ID")
    canary = split("X-User-ID", route_type="header", a=("a1", 20), b=("b1", 30))
    await admin.apply(deployment(ask.host, canary=canary))
    await admin.settled(ask.host)
    before = await client.ask_all(ask, KEYS[:1000])

    await admin.set_weights(ask.host, a=40)
    await admin.settled(ask.host)
    after = await client.ask_all(ask, KEYS[:1000])

    moves = {(before[key].version, after[key].version) for key in before}
    assert moves == {("main", "main"), ("a", "a"), ("b", "b"), ("main", "a")}
