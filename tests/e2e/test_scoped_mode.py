"""`scoped` mode where it differs from `table`: hosts, bytes, and going from one to the other."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.admin_client import AdminClient
from tests.support.control_plane import ControlPlane
from tests.support.delta import CLUSTER, LISTENER, SCOPES, DeltaClient
from tests.support.files import deployment, documents, endpoints, split
from tests.support.mesh import Mesh
from tests.support.traffic import Ask, Client, Load, versions
from tests.support.upstreams import Upstreams
from xds.translate.bootstrap import Dialect

HOST = "steady"
STICKY = split("X-User-ID", route_type="header", a=("a1", 20), b=("b1", 30))


@pytest.fixture
def scoped(tmp_path: Path, upstreams: Upstreams) -> Iterator[Mesh]:
    """A mesh of its own."""
    with Mesh(tmp_path, upstreams, mode="scoped") as running:
        yield running


@pytest.fixture
async def admin(scoped: Mesh) -> AsyncIterator[AdminClient]:
    """Its admin API."""
    async with AdminClient(scoped.plane.admin) as client:
        yield client


@pytest.mark.envoy
async def test_hosts_are_found_by_their_exact_name(scoped: Mesh, admin: AdminClient) -> None:
    """With any port; in lower case only, and without a dot at the end."""
    await admin.apply(deployment(HOST, hosts=["a.test", "b.test"]))
    await admin.settled(HOST)
    hosts = ("a.test", "b.test", "a.test:10000", "A.TEST", "a.test.", "c.test")
    async with Client(scoped.gateway) as client:
        found = {host: (await client.ask(Ask(host))).status for host in hosts}
    assert found == dict.fromkeys(hosts[:3], 200) | dict.fromkeys(hosts[3:], 404)


@pytest.mark.envoy
@pytest.mark.parametrize("dialect", ["delta", pytest.param("sotw", marks=pytest.mark.long)])
async def test_a_change_of_mode_fails_no_request(
    tmp_path: Path, upstreams: Upstreams, dialect: Dialect
) -> None:
    """There and back under load: the connections that Envoy drains are served to their end."""
    with Mesh(tmp_path, upstreams, dialect=dialect) as mesh:
        async with (
            Client(mesh.gateway) as client,
            Load(client, Ask(HOST, header="X-User-ID"), pause=0.01) as load,
        ):
            async with AdminClient(mesh.plane.admin) as admin:
                await admin.apply(documents(deployment(HOST, canary=STICKY), deployment("other")))
                await admin.settled(HOST)
            before = len(load.answers)
            await load.more(100)
            for mode, weight in (("scoped", 50), ("table", 0)):
                await asyncio.to_thread(mesh.plane.kill)
                mesh.plane.configure(mode)
                await asyncio.to_thread(mesh.plane.start)
                async with AdminClient(mesh.plane.admin) as admin, Client(mesh.gateway) as newcomer:
                    await admin.settled(HOST)
                    await admin.set_weights(HOST, a=weight, b=0)
                    await admin.settled(HOST)
                    said = [await newcomer.ask(Ask(HOST, header="X-User-ID"), f"u{n}") for n in range(40)]
                    assert (versions(said).get("a", 0) > 0) == (weight > 0)
                    await load.more(200)
    late = load.answers[before:]
    assert versions(answer for answer in late if answer.status != 200) == {}


async def take_all(envoy: DeltaClient) -> None:
    """Take everything, as Envoy would, until there is no more."""
    for type_url in (CLUSTER, LISTENER, SCOPES):
        await envoy.subscribe(type_url)
    while True:
        try:
            await envoy.ack(await envoy.receive(seconds=1))
        except TimeoutError:
            return


async def test_one_weight_change_is_less_than_a_kilobyte(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Of a deployment with one host and three versions, among 1,000 others (10,000 in the long profile)."""
    many = 10_000 if request.config.getoption("--long") else 1_000
    specs = tmp_path / "specs"
    specs.mkdir()
    others = [deployment(f"other-{number}", main="m1") for number in range(many)]
    where = endpoints(m1="127.0.0.1:3001", a1="127.0.0.1:3002", b1="127.0.0.1:3003")
    (specs / "all.yaml").write_text(documents(*others, where))
    plane = ControlPlane(tmp_path, specs=specs, mode="scoped", patience=120)
    try:
        async with AdminClient(plane.admin) as admin, DeltaClient(plane.xds) as envoy:
            await admin.apply(deployment(HOST, canary=STICKY))
            await take_all(envoy)
            await admin.set_weights(HOST, a=33, b=12)
            answer = await envoy.receive()
            assert [resource.name for resource in answer.resources] == [HOST]
            assert answer.ByteSize() < 1024
    finally:
        plane.kill()
