"""The short set: what people rely on, with Envoys that speak the other dialect and with older ones.

The Envoy the project pins is tried in delta by all the other files. Here it speaks state-of-the-world,
and in the long profile every release since 1.36 speaks both.
"""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

import pytest

from tests.support.admin_client import AdminClient
from tests.support.envoys import Json, envoy_binary
from tests.support.files import deployment, split
from tests.support.mesh import Mesh
from tests.support.prediction import predict, sticky_split
from tests.support.releases import RELEASES, released_envoy
from tests.support.traffic import Answer, Ask, Client, Load, versions
from tests.support.upstreams import Upstreams
from tests.support.waiting import eventually
from xds.translate.bootstrap import Dialect

pytestmark = pytest.mark.envoy

KEYS = [f"user-{number}" for number in range(300)]
CHANGES = 20
PINNED = "pinned"


class Kind(NamedTuple):
    """Which Envoy, and how it speaks."""

    version: str
    dialect: Dialect


KINDS = [
    pytest.param(Kind(PINNED, "sotw"), id="pinned-sotw"),
    *(
        pytest.param(Kind(version, dialect), id=f"{version}-{dialect}", marks=pytest.mark.long)
        for version in RELEASES
        for dialect in ("delta", "sotw")
    ),
]


@pytest.fixture(scope="module", params=KINDS)
def mesh(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams
) -> Iterator[Mesh]:
    """A control plane with an Envoy of that kind."""
    kind: Kind = request.param
    binary = envoy_binary() if kind.version == PINNED else released_envoy(kind.version)
    folder = tmp_path_factory.mktemp("mesh")
    with Mesh(folder, upstreams, dialect=kind.dialect, binary=binary) as running:
        yield running


@pytest.fixture
async def admin(mesh: Mesh) -> AsyncIterator[AdminClient]:
    """Its admin API."""
    async with AdminClient(mesh.plane.admin) as client:
        yield client


def by_header(a: float, b: float = 0) -> dict[str, object]:
    """A split by user."""
    return split("X-User-ID", route_type="header", a=("a1", a), b=("b1", b))


def builds(answers: dict[str, Answer]) -> dict[str, str]:
    """The build each user got."""
    return {key: answer.build for key, answer in answers.items()}


@pytest.mark.parametrize("kind", ["header", "query"])
async def test_every_key_gets_the_version_predicted(
    mesh: Mesh, admin: AdminClient, client: Client, kind: str
) -> None:
    """300 keys of 300 reach the build whose slots their hash falls into."""
    host = f"by-{kind}"
    canary = split("user", route_type=kind, a=("a1", 20), b=("b1", 12.34))
    await admin.apply(deployment(host, canary=canary))
    await admin.settled(host)
    segments = sticky_split(mesh.envoy.route_table(), host)

    answers = await client.ask_all(Ask(host, **{kind: "user"}), KEYS)

    predicted = {key: predict(segments, key).version for key in KEYS}
    assert {key: answer.version for key, answer in answers.items()} == predicted


async def test_weight_changes_fail_no_request(admin: AdminClient, client: Client) -> None:
    """20 full swings, each taken by Envoy while requests are under way."""
    host = "swinging"
    await admin.apply(deployment(host, canary=by_header(0, 0)))
    await admin.settled(host)

    async with Load(client, Ask(host, header="X-User-ID")) as load:
        for number in range(CHANGES):
            full, empty = ("a", "b") if number % 2 else ("b", "a")
            await admin.set_weights(host, **{empty: 0})
            await admin.set_weights(host, **{full: 100})
            await admin.settled(host)
            await load.more(8)

    assert load.failures() == {}
    assert {"a", "b"} <= set(versions(load.answers))


async def test_a_promotion_disturbs_nobody(mesh: Mesh, admin: AdminClient, client: Client) -> None:
    """At 100 %, `main` names the canary's tag: no cluster is re-made, no connection closed, nobody moved."""
    host = "promoted"
    ask = Ask(host, header="X-User-ID")
    await admin.apply(deployment(host, canary=by_header(100)))
    await admin.settled(host)
    before = builds(await client.ask_all(ask, KEYS))
    quiet = disturbances(mesh, f"{host}_a1")

    await admin.apply(deployment(host, main="a1"))
    await admin.settled(host)
    after = builds(await client.ask_all(ask, KEYS))

    assert (after, disturbances(mesh, f"{host}_a1")) == (before, quiet)


def disturbances(mesh: Mesh, cluster: str) -> dict[str, int]:
    """What counts up when a cluster is re-made or one of its connections is closed."""
    manager = mesh.envoy.stats("cluster_manager.cluster_")
    closed = mesh.envoy.cluster_stats(cluster)["upstream_cx_destroy"]
    return {name: manager[f"cluster_manager.cluster_{name}"] for name in ("added", "modified", "removed")} | {
        "closed": closed
    }


async def test_a_rollback_restores_every_user(admin: AdminClient, client: Client) -> None:
    """Everybody is back on the build they had."""
    host = "rolled-back"
    ask = Ask(host, header="X-User-ID")
    await admin.apply(deployment(host, canary=by_header(20, 20)))
    await admin.settled(host)
    before = builds(await client.ask_all(ask, KEYS))
    await admin.set_weights(host, a=70, b=5)
    await admin.settled(host)
    meanwhile = builds(await client.ask_all(ask, KEYS))

    await admin.rollback(host)
    await admin.settled(host)

    assert builds(await client.ask_all(ask, KEYS)) == before
    assert meanwhile != before


async def test_models_are_told_apart(mesh: Mesh, admin: AdminClient, client: Client) -> None:
    """By bodies of 3 MB, with a charset; what names neither goes to the rest."""
    host = "by-model"
    for name, build, model in (("one", "a1", "one"), ("two", "b1", ["zwei", "two"]), ("rest", "m1", None)):
        match = {"match": {"model": model}} if model else {}
        await admin.apply(deployment(f"model-{name}", main=build, hosts=[host], **match))
        await admin.settled(f"model-{name}")

    async def build_for(model: str) -> str:
        body = io.BytesIO(json.dumps({"text": "x" * 3_000_000, "model": model}).encode())
        headers = {"host": host, "content-type": "application/json; charset=utf-8"}
        url = f"http://{mesh.gateway[0]}:{mesh.gateway[1]}/measure"
        async with client.session.post(url, data=body, headers=headers) as answer:
            return str((await answer.json())["build"])

    models = ("one", "two", "zwei", "drei")
    assert [await build_for(model) for model in models] == ["a1", "b1", "b1", "m1"]


async def test_the_access_log_names_version_and_path(mesh: Mesh, admin: AdminClient, client: Client) -> None:
    """The path is logged as it was asked, without the query."""
    host = "logged"
    await admin.apply(deployment(host, canary=split("user", route_type="query", a=("a1", 100))))
    await admin.settled(host)
    await client.ask(Ask(host, path="/v1/generate", query="user"), "secret")

    async def logged() -> list[Json]:
        return [line for line in mesh.envoy.access_log() if line.get("deployment") == host]

    (line, *_) = await eventually(logged, "the line is in the access log")
    assert (line["version"], line["build"], line["path"]) == ("a", "model:a1", "/v1/generate")


async def test_an_outage_of_the_control_plane_fails_no_request(mesh: Mesh, client: Client) -> None:
    """Killed and started again under load; a change afterwards arrives."""
    host = "steady"
    async with AdminClient(mesh.plane.admin) as admin:
        await admin.apply(deployment(host, canary=by_header(20)))
        await admin.settled(host)

    async with Load(client, Ask(host, header="X-User-ID")) as load:
        await load.more(50)
        await asyncio.to_thread(mesh.plane.kill)
        await load.more(100)
        await asyncio.to_thread(mesh.plane.start)
        async with AdminClient(mesh.plane.admin) as admin:
            await admin.settled(host)
            await admin.set_weights(host, a=100)
            await admin.settled(host)
        await load.more(50)

    assert load.failures() == {}
    assert load.answers[-1].version == "a"
