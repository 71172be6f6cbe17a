"""What the real Envoy refuses of one deployment does not hold up the others."""

import asyncio
from pathlib import Path

import pytest

from tests.support.admin_client import AdminClient
from tests.support.control_plane import ControlPlane
from tests.support.envoys import Envoy
from tests.support.files import deployment, documents, endpoints, split
from tests.support.traffic import Ask, Client, versions
from tests.support.upstreams import Upstreams
from tests.support.waiting import eventually
from xds.stubs import canary_admin_v1_pb2 as pb
from xds.translate.bootstrap import Dialect

pytestmark = pytest.mark.envoy

BAD_ROUTE = {
    "route": {
        "route": {
            "prefix_rewrite": "/a",
            "regex_rewrite": {"pattern": {"regex": "/b"}, "substitution": "/c"},
        }
    }
}
"""Envoy's schema has both, Envoy takes only one of them."""
BAD_TLS = {"ca_file": "/no/such/authorities.pem"}


@pytest.mark.both_modes
async def test_a_bad_cluster_of_one_deployment_leaves_the_others_free(
    admin: AdminClient, client: Client
) -> None:
    """Envoy refuses a canary's cluster: its own deployment stays as it was, another's weights move."""
    await admin.apply(
        documents(
            deployment("spoilt", canary=split(a=("a1", 0))), deployment("free", canary=split(a=("a1", 0)))
        )
    )
    await admin.settled("spoilt")
    await admin.apply(deployment("spoilt", canary=split(a=("a1", 0), b=("b1", 100)), tls=BAD_TLS))

    async def refused() -> bool:
        return bool((await admin.get("spoilt")).convergence.rejections)

    await eventually(refused, "a rejection")
    await admin.set_weights("free", a=100)
    await admin.settled("free")
    assert versions([await client.ask(Ask("free")) for _ in range(5)]) == {"a": 5}
    assert versions([await client.ask(Ask("spoilt")) for _ in range(5)]) == {"main": 5}

    await admin.apply(deployment("spoilt", canary=split(a=("a1", 0), b=("b1", 100))))
    await admin.settled("spoilt")
    assert versions([await client.ask(Ask("spoilt")) for _ in range(5)]) == {"b": 5}


@pytest.mark.parametrize("dialect", ["delta", pytest.param("sotw", marks=pytest.mark.long)])
async def test_after_a_restart_a_bad_route_does_not_stop_an_abort(
    tmp_path: Path, upstreams: Upstreams, dialect: Dialect
) -> None:
    """The Envoy reconnects with all it has, so nothing is sent that it could accept before it refuses."""
    plane = ControlPlane(tmp_path)
    envoy = Envoy(tmp_path, plane.xds, dialect=dialect)
    where = endpoints(**{build: upstreams.endpoint(build) for build in ("m1", "a1")})
    try:
        async with AdminClient(plane.admin) as admin:
            await admin.apply(documents(deployment("roll", canary=split(a=("a1", 51))), where))
            await admin.settled("roll")
        await asyncio.to_thread(plane.kill)
        await asyncio.to_thread(plane.start)
        async with AdminClient(plane.admin) as admin, Client(plane.listener) as client:
            await admin.settled("roll")
            await admin.apply(deployment("bad", envoy=BAD_ROUTE))

            async def refused() -> bool:
                return bool((await admin.get("bad")).convergence.rejections)

            await eventually(refused, "a rejection")
            assert not (await admin.get("roll")).convergence.rejections
            (listed,) = (await admin.services.fleet.List(pb.ListEnvoysRequest())).envoys
            assert (listed.in_sync, listed.rejected) == (False, 1)
            assert listed.rejections[0].startswith("routes of bad: ")
            await admin.abort("roll")
            await admin.settled("roll")
            assert versions([await client.ask(Ask("roll")) for _ in range(50)]) == {"main": 50}
    finally:
        envoy.stop()
        plane.kill()
