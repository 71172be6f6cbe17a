"""Rollback: back to what was, never to what was left, and still so after a restart."""

import os
import time

import grpc
import pytest

from tests.support.admin_client import AdminClient
from tests.support.files import deployment, split
from tests.support.mesh import Mesh
from tests.support.traffic import Ask, Client

pytestmark = pytest.mark.envoy

KEYS = [f"user-{number}" for number in range(500)]


def by_header(a: float, b: float) -> dict[str, object]:
    """A header split."""
    return split("X-User-ID", route_type="header", a=("a1", a), b=("b1", b))


async def users(admin: AdminClient, client: Client, host: str) -> dict[str, str]:
    """Which build each user gets, once Envoy has everything."""
    await admin.settled(host)
    answers = await client.ask_all(Ask(host, header="X-User-ID"), KEYS)
    return {key: answer.build for key, answer in answers.items()}


@pytest.mark.both_modes
async def test_rollbacks_walk_back_and_restore_every_user(admin: AdminClient, client: Client) -> None:
    """Revisions 1, 2, 3: a rollback gives every user revision 2's version, a second one revision 1's."""
    host = "walking-back"
    await admin.apply(deployment(host, canary=by_header(10, 10)))
    first = await users(admin, client, host)
    await admin.set_weights(host, a=35)
    second = await users(admin, client, host)
    await admin.set_weights(host, a=5, b=60)
    third = await users(admin, client, host)

    await admin.rollback(host)
    once = await users(admin, client, host)
    await admin.rollback(host)
    twice = await users(admin, client, host)

    assert (once, twice) == (second, first)
    assert len({tuple(state.values()) for state in (first, second, third)}) == 3


async def test_a_rollback_never_returns_to_a_revision_that_was_left(admin: AdminClient) -> None:
    """After two rollbacks from 3 to 1, a new revision's rollback goes to 1, and beyond it there is none."""
    host = "never-left"
    await admin.apply(deployment(host, canary=by_header(1, 0)))
    await admin.set_weights(host, a=2)
    await admin.set_weights(host, a=3)
    await admin.rollback(host)
    await admin.rollback(host)
    await admin.set_weights(host, a=6)

    back = await admin.rollback(host)

    assert back.deployment.revision.source == 1
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await admin.rollback(host)
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_a_restart_with_the_same_folder_does_not_undo_a_rollback(own_mesh: Mesh) -> None:
    """The file still says 50 %; after a rollback, a restart and a touch the weight is still 20 %."""
    file = own_mesh.specs / "stays.yaml"
    file.write_text(deployment("stays", canary=by_header(20, 0)))
    async with AdminClient(own_mesh.plane.admin) as admin:
        await admin.appears("stays", 1)
        file.write_text(deployment("stays", canary=by_header(50, 0)))
        await admin.appears("stays", 2)
        await admin.rollback("stays")

    own_mesh.plane.stop()
    own_mesh.plane.start()
    os.utime(file, (time.time(), time.time() + 60))
    (own_mesh.specs / "marker.yaml").write_text(deployment("marker"))

    async with AdminClient(own_mesh.plane.admin) as admin:
        await admin.appears("marker", 1)  # so the touch was seen as well
        after = await admin.settled("stays")
    assert (after.revision.number, after.revision.weights["a"]) == (3, 20)
