"""Weights move while requests flow, and no request notices."""

import itertools
import time

import pytest

from tests.support.admin_client import AdminClient
from tests.support.files import deployment, split
from tests.support.traffic import Ask, Client, Load, versions

pytestmark = pytest.mark.envoy

CHANGES = 50
SPLITS = itertools.cycle([(100, 0), (0, 100), (33.33, 33.33), (0, 0), (50, 50)])


@pytest.mark.both_modes
async def test_fifty_weight_changes_fail_no_request(admin: AdminClient, client: Client) -> None:
    """50 changes, full swings among them, each taken by Envoy while requests are under way: no failure."""
    host = "swinging"
    canary = split("X-User-ID", route_type="header", a=("a1", 1), b=("b1", 1))
    await admin.apply(deployment(host, canary=canary))
    await admin.settled(host)

    async with Load(client, Ask(host, header="X-User-ID")) as load:
        for _ in range(CHANGES):
            a, b = next(SPLITS)
            await admin.set_weights(host, a=0, b=0)
            await admin.set_weights(host, a=a, b=b)
            await admin.settled(host)
            await load.more(8)

    assert load.failures() == {}
    assert set(versions(load.answers)) == {"main", "a", "b"}


async def test_an_abort_leaves_no_canary_request(admin: AdminClient, client: Client) -> None:
    """Ten steps up, then `abort`: what is sent after Envoy's ACK reaches `main`, all of it."""
    host = "aborted"
    await admin.apply(deployment(host, canary=split(a=("a1", 0))))
    await admin.settled(host)

    async with Load(client, Ask(host)) as load:
        for weight in range(10, 101, 10):
            await admin.set_weights(host, a=weight)
            await admin.settled(host)
            await load.more(8)
        await admin.abort(host)
        await admin.settled(host)
        acknowledged = time.monotonic()
        await load.more(300)

    late = [answer for answer in load.answers if answer.sent > acknowledged]
    assert versions(late) == {"main": len(late)}
    assert load.failures() == {}


async def test_aborting_twice_changes_nothing(admin: AdminClient) -> None:
    """`abort` can be repeated: the second one makes no revision."""
    host = "aborted-twice"
    await admin.apply(deployment(host, canary=split(a=("a1", 40))))

    first = await admin.abort(host)
    second = await admin.abort(host)

    assert (first.changed, second.changed) == (True, False)
    assert second.deployment.revision.number == first.deployment.revision.number
