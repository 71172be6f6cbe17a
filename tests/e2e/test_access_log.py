"""One JSON line for each request: enough to follow a version, and nothing of what was asked."""

import asyncio

import pytest

from tests.support.admin_client import AdminClient
from tests.support.envoys import Json
from tests.support.files import deployment, split
from tests.support.mesh import Mesh
from tests.support.traffic import Ask, Client
from tests.support.waiting import eventually

pytestmark = pytest.mark.envoy

SECRET = "user-4711"


@pytest.fixture
async def line(mesh: Mesh, admin: AdminClient, client: Client) -> Json:
    """The line of a request that carried a key in its query."""
    canary = split("user", route_type="query", a=("a1", 100))
    await admin.apply(deployment("logged", canary=canary))
    await admin.settled("logged")
    await client.ask(Ask("logged", path="/v1/generate", query="user"), SECRET)

    async def logged() -> list[Json]:
        lines = await asyncio.to_thread(mesh.envoy.access_log)
        return [line for line in lines if line.get("deployment") == "logged"]

    return (await eventually(logged, "the line is in the access log"))[-1]


async def test_a_line_names_deployment_version_and_build(line: Json) -> None:
    """Who answered, and how it went."""
    assert (line["deployment"], line["version"], line["build"]) == ("logged", "a", "model:a1")


async def test_a_line_tells_how_it_went(line: Json) -> None:
    """Status, response flags, duration and request id are there."""
    assert line["status"] == 200
    assert {"response_flags", "duration_ms", "request_id"} <= set(line)


async def test_a_line_never_holds_the_key(line: Json) -> None:
    """The key of the split, here in the query, is nowhere in it."""
    assert SECRET not in str(line)
