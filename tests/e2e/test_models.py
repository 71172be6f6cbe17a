"""Deployments on one host and path, told apart by the model in the body: right for every body there is.

`llama` and `mistral` have three versions each, on the same three builds in another order: the version
and the build together say whose answer it was. Everything else on their path is `others`.
"""

import gzip
import io
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from tests.support.admin_client import AdminClient
from tests.support.control_plane import ControlPlane
from tests.support.envoys import Envoy
from tests.support.files import deployment, documents, endpoints, split
from tests.support.mesh import Mesh
from tests.support.ports import LOOPBACK, free_port
from tests.support.prediction import predict, sticky_split
from tests.support.traffic import Ask, Client, Load
from tests.support.upstreams import Upstreams

pytestmark = pytest.mark.envoy

HOST, BARE = "models.test", "bare-models.test"
LLAMA, MISTRAL = "llama-3-70b", "mistral-7b"
BUILDS = {
    LLAMA: {"main": "m1", "a": "a1", "b": "b1"},
    MISTRAL: {"main": "a1", "a": "b1", "b": "m1"},
}
OTHERS, NOBODY = "others", "404 model_not_found"
USERS = [f"user-{number}" for number in range(150)]
MAX_BODY = 16 * 1024 * 1024


class Said(NamedTuple):
    """What came back for a body."""

    status: int
    version: str | None
    text: str

    @property
    def whose(self) -> str:
        """The model that answered, `others`, or what went wrong."""
        if self.status != 200:
            wrong = json.loads(self.text)["error"]["code"] if self.text.startswith("{") else self.text
            return f"{self.status} {wrong}"
        build = json.loads(self.text)["build"]
        return next(
            (name for name, builds in BUILDS.items() if builds.get(self.version or "") == build), OTHERS
        )


async def post(
    client: Client,
    body: bytes | AsyncIterator[bytes],
    content_type: str | None = "application/json",
    *,
    host: str = HOST,
    path: str = "/v1/measure",
    **headers: str,
) -> Said:
    """Post a body."""
    kind = {"content-type": content_type} if content_type is not None else {}
    async with client.session.post(
        f"http://{client.gateway[0]}:{client.gateway[1]}{path}",
        data=io.BytesIO(body) if isinstance(body, bytes) else body,
        headers={"host": host, **kind, **headers},
        skip_auto_headers=["content-type"],
    ) as answer:
        return Said(answer.status, answer.headers.get("x-canary-version"), await answer.text())


def chat(model: object, length: int = 0) -> bytes:
    """A request for a completion, with the model behind the text, as far back as can be."""
    body = {"messages": [{"role": "user", "content": "x" * length}], "model": model}
    return json.dumps(body).encode()


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def served(mesh: Mesh) -> AsyncIterator[None]:
    """The models with somebody for the rest, and on another host without."""
    versions = {
        model: split("X-User-ID", route_type="header", a=(builds["a"], 20), b=(builds["b"], 30))
        for model, builds in BUILDS.items()
    }
    share: dict[str, Any] = {"hosts": [HOST, BARE], "path_prefix": "/v1"}
    async with AdminClient(mesh.plane.admin) as admin:
        await admin.apply(
            documents(
                deployment("llama", canary=versions[LLAMA], match={"model": [LLAMA, "llama"]}, **share),
                deployment(
                    "mistral",
                    main="a1",
                    canary=versions[MISTRAL],
                    match={"model": MISTRAL},
                    **share,
                ),
                deployment("other-models", main="b1", hosts=[HOST], path_prefix="/v1"),
                deployment("below-models", hosts=[HOST, BARE]),
            )
        )
        for name in ("llama", "mistral", "other-models", "below-models"):
            await admin.settled(name)
    yield


@pytest.mark.both_modes
async def test_each_model_has_its_own_split(mesh: Mesh, client: Client) -> None:
    """Every user gets the version that the model's own split says, in every one of them."""
    table = mesh.envoy.route_table()
    for model, name in ((LLAMA, "llama"), (MISTRAL, "mistral")):
        own = sticky_split(table, HOST, name)
        expected = {user: predict(own, user).version for user in USERS}
        said = {user: await post(client, chat(model), **{"x-user-id": user}) for user in USERS}
        assert {user: answer.version for user, answer in said.items()} == expected
        assert {answer.whose for answer in said.values()} == {model}
        assert set(expected.values()) == {"main", "a", "b"}


@pytest.mark.parametrize("length", [1_000_000, 10_000_000], ids=["1MB", "10MB"])
async def test_long_bodies_arrive_whole(client: Client, length: int) -> None:
    """At the model they name, though it is named at their very end."""
    for model in (LLAMA, MISTRAL):
        body = chat(model, length)
        said = await post(client, body)
        assert (said.whose, json.loads(said.text)["length"]) == (model, len(body))


async def test_a_body_without_a_length_arrives_whole(client: Client) -> None:
    """Chunk by chunk."""
    body = chat(MISTRAL, 3_000_000)

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 50_000):
            yield body[start : start + 50_000]

    said = await post(client, chunks())
    assert (said.whose, json.loads(said.text)["length"]) == (MISTRAL, len(body))


async def test_a_body_may_be_as_long_as_max_body(client: Client) -> None:
    """One byte more is refused with 413."""
    body = chat(LLAMA, MAX_BODY - len(chat(LLAMA)))
    assert (await post(client, body)).whose == LLAMA
    assert (await post(client, body + b" ")).whose == "413 Payload Too Large"


CONTENT_TYPES: Mapping[str | None, str] = {
    "application/json": LLAMA,
    "application/json; charset=utf-8": LLAMA,
    "application/json;charset=UTF-8": LLAMA,
    "application/json ; charset=utf-8": LLAMA,
    "Application/JSON": LLAMA,
    "application/vnd.api+json": LLAMA,
    "application/problem+json; charset=utf-8": LLAMA,
    "application/x-ndjson": OTHERS,
    "application/jsonp": OTHERS,
    "text/plain": OTHERS,
    "application/x-www-form-urlencoded": OTHERS,
    "multipart/form-data; boundary=application/json": OTHERS,
    "": OTHERS,
    None: OTHERS,
}


async def test_json_is_what_is_sent_as_json(client: Client) -> None:
    """With parameters, in any case, and by its other names; nothing else is read."""
    said = {kind: (await post(client, chat(LLAMA), kind)).whose for kind in CONTENT_TYPES}
    assert said == CONTENT_TYPES


BODIES: Mapping[bytes, str] = {
    chat(LLAMA): LLAMA,
    chat("llama"): LLAMA,
    chat(MISTRAL): MISTRAL,
    b' \n{"model" : "mistral-7b"}\n': MISTRAL,
    b'{"\\u006dodel": "llama-3-70\\u0062"}': LLAMA,
    b'{"model": "llama", "model": "mistral-7b"}': MISTRAL,
    chat("Mistral-7B"): OTHERS,
    chat("mistral-7b "): OTHERS,
    chat("gpt-5"): OTHERS,
    chat(""): OTHERS,
    chat("m" * 20_000): OTHERS,
    chat(7): OTHERS,
    chat(None): OTHERS,
    b'{"model": true}': OTHERS,
    chat([LLAMA]): OTHERS,
    chat({"name": LLAMA}): OTHERS,
    b"{}": OTHERS,
    b"": OTHERS,
    b"null": OTHERS,
    b'"llama"': OTHERS,
    b'[{"model": "llama"}]': OTHERS,
    b'{"options": {"model": "llama"}}': OTHERS,
    b'{"model": "llama"': OTHERS,
    b'{"model": "llama"} and more': OTHERS,
    b"model=llama": OTHERS,
    bytes(range(256)): OTHERS,
}


@pytest.mark.both_modes
async def test_what_names_no_known_model_goes_to_the_rest(client: Client) -> None:
    """Unknown models, no model, no JSON."""
    said = {body: (await post(client, body)).whose for body in BODIES}
    assert said == BODIES


async def test_a_compressed_body_goes_to_the_rest(client: Client) -> None:
    """Nothing unpacks it on the way."""
    said = await post(client, gzip.compress(chat(LLAMA)), **{"content-encoding": "gzip"})
    assert said.whose == OTHERS


async def test_without_a_deployment_for_the_rest_it_is_not_found(client: Client) -> None:
    """404, in the form that OpenAI's clients show; shorter paths don't get it."""
    said = {body: (await post(client, body, host=BARE)).whose for body in BODIES}
    assert said == {body: NOBODY if whose == OTHERS else whose for body, whose in BODIES.items()}
    assert (await post(client, chat(LLAMA), "text/plain", host=BARE)).whose == NOBODY


async def test_other_paths_of_the_host_are_not_read(client: Client) -> None:
    """A body over the limit passes there."""
    said = await post(client, chat(LLAMA, MAX_BODY), path="/files/measure")
    assert (said.status, json.loads(said.text)["build"]) == (200, "m1")


async def test_requests_without_a_body_go_to_the_rest(client: Client) -> None:
    """Even if they claim to be JSON."""
    url = f"http://{client.gateway[0]}:{client.gateway[1]}/v1/models"
    for headers in ({}, {"content-type": "application/json"}):
        assert (await client.get(url, {"host": HOST, **headers})).build == "b1"


async def test_a_websocket_goes_to_the_rest(client: Client) -> None:
    """Even if it claims to be JSON: nobody waits for its end."""
    headers = {"host": HOST, "content-type": "application/json"}
    url = f"http://{client.gateway[0]}:{client.gateway[1]}/v1/ws"
    async with client.session.ws_connect(url, headers=headers) as socket:
        await socket.send_str("hello")
        assert await socket.receive_str(timeout=5) == "b1: hello"


async def test_answers_stay_streams(client: Client) -> None:
    """The first event is here long before the last one is sent."""
    url = f"http://{client.gateway[0]}:{client.gateway[1]}/v1/stream?seconds=60"
    headers = {"host": HOST, "content-type": "application/json", "x-user-id": "somebody"}
    async with client.session.post(url, data=chat(MISTRAL), headers=headers) as stream:
        assert (await stream.content.readline()).startswith(b"id: 0")


async def test_the_first_model_of_a_host_disturbs_nobody(
    mesh: Mesh, admin: AdminClient, client: Client
) -> None:
    """No request fails, an open stream goes on, and no listener changes."""
    host = "soon-models.test"
    await admin.apply(deployment("soon-models", hosts=[host], path_prefix="/v1"))
    await admin.settled("soon-models")
    before = mesh.envoy.stats("listener_manager.listener_")
    url = f"http://{client.gateway[0]}:{client.gateway[1]}/v1/stream?seconds=60"
    async with (
        client.session.get(url, headers={"host": host}) as stream,
        Load(client, Ask(host, "/v1/x")) as load,
    ):
        await stream.content.readline()
        await load.more(50)
        await admin.apply(
            deployment("first-model", main="a1", hosts=[host], path_prefix="/v1", match={"model": LLAMA})
        )
        await admin.settled("first-model")
        await load.more(50)
        assert json.loads((await post(client, chat(LLAMA), host=host)).text)["build"] == "a1"
        assert (await stream.content.readline()).startswith(b"data: m1")
        assert (await stream.content.readuntil(b"data: m1")).endswith(b"data: m1")
    assert load.failures() == {}
    assert mesh.envoy.stats("listener_manager.listener_") == before


RBAC = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3."
EVERYBODY = {
    "action": "DENY",
    "policies": {"all": {"permissions": [{"any": True}], "principals": [{"any": True}]}},
}


async def test_a_gateways_own_filters_see_the_route_that_answers(
    tmp_path: Path, upstreams: Upstreams
) -> None:
    """Access that a deployment's route denies is denied to its model, and to no other."""
    listen = {"address": LOOPBACK, "port": free_port()}
    access = {"name": "access", "typed_config": {"@type": f"{RBAC}RBAC"}}
    guarded = {"name": "guarded", "listeners": [listen], "http_filters": [access], "max_body": "64KiB"}
    denied = {"access": {"@type": f"{RBAC}RBACPerRoute", "rbac": {"rules": EVERYBODY}}}
    plane = ControlPlane(tmp_path, gateways=[guarded])
    envoy = Envoy(tmp_path, plane.xds, gateway="guarded")
    try:
        async with AdminClient(plane.admin) as admin, Client((LOOPBACK, int(str(listen["port"])))) as client:
            files = (
                endpoints(m1=upstreams.endpoint("m1")),
                deployment(
                    "mine",
                    hosts=[HOST],
                    match={"model": "mine"},
                    envoy={"route": {"typed_per_filter_config": denied}},
                ),
                deployment("open", hosts=[HOST], match={"model": "open"}),
            )
            await admin.apply(documents(*files))
            await admin.settled("mine")
            await admin.settled("open")
            said = {model: (await post(client, chat(model))).status for model in ("mine", "open", "none")}
            assert said == {"mine": 403, "open": 200, "none": 404}
            assert (await post(client, chat("open", 64 * 1024))).status == 413
    finally:
        envoy.stop()
        plane.kill()
