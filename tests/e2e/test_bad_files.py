"""A bad file is refused as a whole, with its faults, and nothing that is served changes."""

import grpc
import pytest

from tests.support.admin_client import AdminClient
from tests.support.files import deployment, documents, split
from tests.support.mesh import Mesh
from tests.support.traffic import Ask, Client, versions

pytestmark = pytest.mark.envoy

HOST = "untouched"
GOOD = deployment(HOST, canary=split(a=("a1", 100)))

BAD = {
    "not-yaml": "name: [",
    "no-name": "bento: model:m1",
    "weight-over-100": deployment(HOST, canary=split(a=("a1", 130))),
    "sum-over-100": deployment(HOST, canary=split(a=("a1", 60), b=("b1", 60))),
    "no-key": deployment(HOST, canary=split(route_type="header", a=("a1", 10))),
    "reserved-label": deployment(HOST, canary=split(main=("a1", 10))),
    "host-taken": deployment("intruder", hosts=[HOST]),
    "good-and-bad": documents(deployment("bystander"), deployment("broken", path_prefix="no-slash")),
}


@pytest.mark.parametrize("kind", BAD)
async def test_a_bad_file_changes_nothing(mesh: Mesh, admin: AdminClient, client: Client, kind: str) -> None:
    """INVALID_ARGUMENT; no revision, no deployment, no route is different afterwards."""
    await admin.apply(GOOD)
    await admin.settled(HOST)
    before = (await admin.deployments(), mesh.envoy.route_table())

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await admin.apply(BAD[kind], name=f"{kind}.yaml")

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert f"{kind}.yaml:" in (refused.value.details() or "")
    assert (await admin.deployments(), mesh.envoy.route_table()) == before
    answers = [await client.ask(Ask(HOST)) for _ in range(5)]
    assert versions(answers) == {"a": 5}
