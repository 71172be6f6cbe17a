"""The watched folder: it applies what changes in it, and undoes nothing that was done elsewhere."""

import pytest

from tests.support.admin_client import AdminClient
from tests.support.files import deployment, documents, endpoints, split
from tests.support.mesh import Mesh
from tests.support.traffic import Ask, Client
from tests.support.upstreams import Upstreams
from tests.support.waiting import eventually

pytestmark = pytest.mark.envoy


async def test_a_broken_file_holds_up_no_other(mesh: Mesh, admin: AdminClient) -> None:
    """Of two files that appear the good one applies, and the broken one's deployment stays as it was."""
    broken = mesh.specs / "broken.yaml"
    broken.write_text(deployment("later-broken", canary=split(a=("a1", 10))))
    await admin.appears("later-broken", 1)

    broken.write_text(deployment("later-broken", canary=split(a=("a1", 200))))
    (mesh.specs / "good.yaml").write_text(deployment("beside-a-broken-one"))
    await admin.appears("beside-a-broken-one", 1)

    state = await admin.get("later-broken")
    assert (state.revision.number, state.revision.weights["a"]) == (1, 10)


async def test_a_removed_file_deletes_nothing(mesh: Mesh, admin: AdminClient, client: Client) -> None:
    """Its deployment is still served once the folder was looked at again."""
    file = mesh.specs / "removed.yaml"
    file.write_text(deployment("removed"))
    await admin.appears("removed", 1)

    file.unlink()
    (mesh.specs / "after-removal.yaml").write_text(deployment("after-removal"))
    await admin.appears("after-removal", 1)
    await admin.settled("removed")

    assert (await client.ask(Ask("removed"))).build == "m1"


async def test_an_edit_of_endpoints_alone_leaves_the_weights_of_the_api(
    mesh: Mesh, admin: AdminClient, client: Client, upstreams: Upstreams
) -> None:
    """The API moved `a` to 100 %; the file, which says 10, gets another endpoint: 100 % are served there."""

    def text(build: str) -> str:
        canary = split(a=("moving", 10))
        return documents(deployment("moving", canary=canary), endpoints(moving=upstreams.endpoint(build)))

    file = mesh.specs / "moving.yaml"
    file.write_text(text("a1"))
    await admin.appears("moving", 1)
    await admin.set_weights("moving", a=100)
    await admin.settled("moving")

    file.write_text(text("b1"))

    async def moved() -> bool:
        return (await client.ask(Ask("moving"))).build == "b1"

    await eventually(moved, "requests reach the new endpoint")
    state = await admin.get("moving")
    assert (state.revision.number, state.revision.weights["a"]) == (2, 100)


async def test_the_folder_leaves_alone_what_did_not_come_from_it(mesh: Mesh, admin: AdminClient) -> None:
    """A deployment applied by the API is untouched by whatever happens in the folder."""
    await admin.apply(deployment("by-api", canary=split(a=("a1", 7))))

    (mesh.specs / "stranger.yaml").write_text(deployment("stranger"))
    await admin.appears("stranger", 1)

    state = await admin.get("by-api")
    assert (state.revision.number, state.revision.weights["a"]) == (1, 7)
