"""Endpoints come and go while requests flow, and no request notices.

The control plane runs inside the test: what is tried here is what Envoy makes of its pushes.
"""

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.envoys import Envoy
from tests.support.files import deployment, documents, endpoints, split, tag
from tests.support.ports import free_port
from tests.support.serving import Serving, serving
from tests.support.traffic import Ask, Client, Load, versions
from tests.support.upstreams import Upstreams
from tests.support.waiting import eventually
from xds.control.terms import Terms
from xds.server.sources import Sources
from xds.spec.endpoint_lists import parse_endpoint
from xds.spec.endpoints import Endpoint
from xds.spec.gateway import Gateway, Listen
from xds.spec.service_discovery import EndpointSource

pytestmark = pytest.mark.envoy

ME = Terms("test")
ROUNDS = 5


@dataclasses.dataclass(frozen=True)
class Churn:
    """A control plane, an Envoy that takes from it, and a steady load on a split of 50 %."""

    server: Serving
    envoy: Envoy
    load: Load
    folder: Path

    async def settled(self, seconds: float = 20.0) -> None:
        """Wait until Envoy has taken all there is, and some requests were sent since."""
        plane = self.server.plane

        async def in_sync() -> bool:
            state = plane.deployments.get("churn").convergence
            return not plane.publisher.pending and state.envoys == state.in_sync == 1

        await eventually(in_sync, "Envoy has it all", seconds)
        await self.load.more(20)

    async def only_main(self) -> None:
        """Wait until Envoy has taken all there is, and make sure `main` serves everyone since."""
        await self.settled()
        seen = len(self.load.answers)
        await self.load.more(60)
        late = self.load.answers[seen + 20 :]  # less those that were under way
        assert set(versions(late)) == {"main"}

    async def both(self) -> None:
        """Wait until both versions serve."""
        await self.settled()
        seen = len(self.load.answers)

        async def there() -> bool:
            return {"main", "a"} <= set(versions(self.load.answers[seen:]))

        await eventually(there, "both versions answer")


@pytest.fixture
async def churn(tmp_path: Path, upstreams: Upstreams) -> AsyncIterator[Churn]:
    """Main at m1 and b1, the canary `a` nowhere yet."""
    port = free_port()
    async with serving(tmp_path, Gateway(name="default", listeners=(Listen(port=port),))) as server:
        text = documents(
            endpoints(m1=upstreams.endpoint("m1")), deployment("churn", canary=split(a=("a1", 50)))
        )
        await server.plane.deployments.apply_texts([("churn.yaml", text)], ME)
        envoy = await asyncio.to_thread(Envoy, tmp_path, server.xds)
        ending = asyncio.create_task(server.plane.endpoints.run())
        try:
            async with Client((server.xds[0], port)) as client, Load(client, Ask("churn")) as load:
                yield Churn(server, envoy, load, tmp_path)
        finally:
            ending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ending
            await asyncio.to_thread(envoy.stop)


@pytest.fixture
def canary(upstreams: Upstreams) -> Endpoint:
    """Where the canary can be."""
    return parse_endpoint(upstreams.endpoint("a1"))


async def test_endpoints_added_and_drained_fail_no_request(churn: Churn, upstreams: Upstreams) -> None:
    """Also where all are drained but one, which then is another."""
    verbs = churn.server.plane.endpoints
    second = parse_endpoint(upstreams.endpoint("b1"))
    first = parse_endpoint(upstreams.endpoint("m1"))
    for _ in range(ROUNDS):
        await verbs.add("churn@main", [second], ME)
        await churn.settled()
        await verbs.drain("churn@main", [first], ME)
        await churn.settled()
        await verbs.undrain("churn@main", [first], ME)
        await churn.settled()
        await verbs.remove("churn@main", [second], ME)
        await churn.settled()
    assert churn.load.failures() == {}
    assert {answer.build for answer in churn.load.answers} == {"m1", "b1"}


async def test_the_last_endpoint_of_a_canary_comes_and_goes_without_a_failure(
    churn: Churn, canary: Endpoint
) -> None:
    """Its routes move first, whichever way it goes."""
    verbs = churn.server.plane.endpoints
    for _ in range(ROUNDS):
        await verbs.add("churn@a", [canary], ME)
        await churn.both()
        await verbs.drain("churn@a", (), ME)
        await churn.only_main()
        await verbs.undrain("churn@a", (), ME)
        await churn.both()
        await verbs.remove("churn@a", [canary], ME)
        await churn.only_main()
    assert churn.load.failures() == {}


async def test_a_lease_that_ends_fails_no_request(churn: Churn, canary: Endpoint) -> None:
    """The one that stopped renewing still serves, as a pod that shuts down does."""
    await churn.server.plane.endpoints.register("churn@a", canary, 1.0, ME)
    await churn.both()

    async def over() -> bool:
        return not churn.server.plane.endpoints.list("churn@a")[0].usable

    await eventually(over, "the lease is over")
    await churn.only_main()
    assert churn.load.failures() == {}


async def test_a_source_that_goes_empty_fails_no_request(churn: Churn, canary: Endpoint) -> None:
    """A build it lists no more is served by `main`; an answer without anything changes nothing."""
    file = churn.folder / "targets.json"
    both = {tag("a1"): str(canary), "other:1": "127.0.0.1:1"}
    file.write_text(_groups(both))
    sources = Sources([EndpointSource(file_sd=str(file))], churn.server.plane.endpoints)
    await sources.load()
    following = asyncio.create_task(sources.follow())
    await churn.both()
    file.write_text("[]")

    async def told() -> bool:
        (source,) = churn.server.plane.endpoints.sources()
        return "lists no endpoint" in source.problem

    await eventually(told, "it says so")
    await churn.both()
    file.write_text(_groups({"other:1": "127.0.0.1:1"}))

    async def gone() -> bool:
        return not churn.server.plane.endpoints.list("churn@a")[0].usable

    await eventually(gone, "the canary is gone from it")
    await churn.only_main()
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following
    assert churn.load.failures() == {}


async def test_a_canary_reached_by_name_comes_and_goes_without_a_failure(
    churn: Churn, canary: Endpoint
) -> None:
    """Its cluster has its names, and keeps them until the routes have moved."""
    verbs = churn.server.plane.endpoints
    named = parse_endpoint(f"localhost:{canary.port}")
    for _ in range(ROUNDS):
        await verbs.set("churn@a", [named], ME)
        await churn.both()
        await verbs.set("churn@a", [], ME)
        await churn.only_main()
    assert churn.load.failures() == {}


async def test_only_the_last_endpoint_that_truly_died_fails_requests(churn: Churn, canary: Endpoint) -> None:
    """As soon as it is taken away, nobody notices any more."""
    verbs = churn.server.plane.endpoints
    await verbs.set("churn@a", [parse_endpoint(f"{canary.address}:{free_port()}")], ME)

    async def failing() -> bool:
        return bool(churn.load.failures())

    await eventually(failing, "somebody notices")
    await verbs.set("churn@a", [], ME)
    await churn.only_main()


def _groups(builds: dict[str, str]) -> str:
    return json.dumps([{"targets": [where], "labels": {"build": build}} for build, where in builds.items()])
