"""Where a request goes before any split: hosts, paths, builds without endpoints, names as endpoints."""

import pytest

from tests.support.admin_client import AdminClient
from tests.support.files import deployment, documents, split
from tests.support.mesh import Mesh
from tests.support.traffic import Ask, Client, versions
from tests.support.upstreams import Upstreams

pytestmark = pytest.mark.envoy


@pytest.mark.both_modes
async def test_deployments_share_a_host_by_path(admin: AdminClient, client: Client) -> None:
    """The longest prefix wins, and a prefix ends where a path segment does."""
    hosts = ["shared.test"]
    await admin.apply(
        documents(
            deployment("shared-root", hosts=hosts),
            deployment("shared-chat", main="a1", path_prefix="/chat", hosts=hosts),
            deployment("shared-chat-beta", main="b1", path_prefix="/chat/beta", hosts=hosts),
        )
    )
    await admin.settled("shared-root")

    paths = ("/", "/chatty", "/chat", "/chat/", "/chat/x", "/chat/beta", "/chat/beta/x")
    answers = {path: (await client.ask(Ask("shared.test", path))).build for path in paths}

    assert answers == {
        "/": "m1",
        "/chatty": "m1",
        "/chat": "a1",
        "/chat/": "a1",
        "/chat/x": "a1",
        "/chat/beta": "b1",
        "/chat/beta/x": "b1",
    }


@pytest.mark.parametrize("host", ["plain", "PLAIN", "plain:10000"])
async def test_a_host_is_found_in_any_case_and_with_a_port(
    admin: AdminClient, client: Client, host: str, mode: str
) -> None:
    """`PLAIN` and `plain:10000` are `plain`; scopes are found in lower case only."""
    await admin.apply(deployment("plain"))
    await admin.settled("plain")

    found = await client.ask(Ask(host))
    assert (found.build == "m1") == (mode == "table" or host != "PLAIN")


async def test_an_unknown_host_is_not_found(admin: AdminClient, client: Client) -> None:
    """404, whatever else is served."""
    await admin.apply(deployment("plain"))
    await admin.settled("plain")

    assert (await client.ask(Ask("nobody.test"))).status == 404


async def test_the_version_header_cannot_be_spoofed_by_a_model(admin: AdminClient, client: Client) -> None:
    """The services of this suite claim to be `liar`; the gateway's word stands."""
    await admin.apply(deployment("truthful", canary=split(a=("a1", 100))))
    await admin.settled("truthful")

    assert (await client.ask(Ask("truthful"))).version == "a"


async def test_a_version_without_endpoints_leaves_its_share_to_main(
    admin: AdminClient, client: Client
) -> None:
    """`a` at 100 % waits for endpoints: `main` answers, and the API shows both."""
    await admin.apply(deployment("waiting", canary=split(a=("nowhere", 100))))
    state = await admin.settled("waiting")

    answers = [await client.ask(Ask("waiting")) for _ in range(10)]

    assert versions(answers) == {"main": 10}
    assert [(v.label, v.weight, v.effective_weight, v.waiting_for_endpoints) for v in state.versions] == [
        ("main", 0, 100, False),
        ("a", 100, 0, True),
    ]


async def test_main_without_endpoints_answers_503(admin: AdminClient, client: Client) -> None:
    """Nothing to send to: 503, shown as waiting."""
    await admin.apply(deployment("nobody-home", main="nowhere-either"))
    state = await admin.settled("nobody-home")

    assert (await client.ask(Ask("nobody-home"))).status == 503
    assert state.versions[0].waiting_for_endpoints


async def test_a_name_as_endpoint_is_resolved_by_envoy(
    mesh: Mesh, admin: AdminClient, client: Client, upstreams: Upstreams
) -> None:
    """`localhost:port` makes the build's cluster STRICT_DNS, and requests arrive."""
    port = upstreams.endpoint("m1").rsplit(":", 1)[1]
    await admin.apply(f"name: by-name\nendpoints: ['localhost:{port}']\n")
    state = await admin.settled("by-name")

    assert (await client.ask(Ask("by-name"))).build == "m1"
    assert mesh.envoy.clusters()[state.versions[0].cluster]["type"] == "STRICT_DNS"
