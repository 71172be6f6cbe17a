"""`canary test`: through which Envoy, with which keys, and when it has failed."""

import json
from collections.abc import Iterator

import grpc
import pytest
from google.protobuf.message import Message

from tests.cli.fake_admin import AdminApi, Refusal, Run
from tests.cli.listener import Listener, listener
from tests.support.ports import free_port
from xds.stubs import canary_admin_v1_pb2 as pb


@pytest.fixture
def envoy() -> Iterator[Listener]:
    """Every third request reaches `a`."""
    with listener(lambda number: "main" if number % 3 else "a") as seen:
        yield seen


@pytest.fixture
def deployment(api: AdminApi, summarization: pb.Deployment, envoy: Listener) -> pb.Deployment:
    """A deployment that an Envoy of the gateway `edge` serves."""
    api.answers["Get"] = summarization
    api.answers["GatewayService/List"] = pb.ListGatewaysResponse(
        gateways=[
            pb.Gateway(name="mesh", mode="proxyless"),
            pb.Gateway(name="edge", mode="table", listeners=[f"0.0.0.0:{envoy.port}"]),
        ]
    )
    api.answers["FleetService/List"] = pb.ListEnvoysResponse(
        envoys=[
            pb.Envoy(id="m", gateway="mesh", address="10.9.9.9"),
            pb.Envoy(id="e", gateway="edge", address="127.0.0.1"),
        ]
    )
    return summarization


@pytest.fixture(autouse=True)
def _an_older_server(api: AdminApi) -> None:
    """One that can't tell whose a key is."""
    api.answers["Explain"] = Refusal(grpc.StatusCode.UNIMPLEMENTED)


def split_by(deployment: pb.Deployment, **canary: object) -> None:
    """Change how a deployment is split."""
    spec = json.loads(deployment.spec_json)
    deployment.spec_json = json.dumps({**spec, "canary": canary})


@pytest.mark.usefixtures("deployment")
def test_it_finds_an_envoy_and_a_key(ask: Run, envoy: Listener) -> None:
    """The Envoy's address where its listener is on all of them; keys until one belongs to the version."""
    result = ask("test", "summarization", "--version", "a", "-o", "json")

    data = json.loads(result.stdout)
    assert (result.exit_code, data["reached"], data["key"]) == (0, "a", "canary-test-3")
    assert data["envoy"] == f"127.0.0.1:{envoy.port}"
    assert [headers["x-user-id"] for _, headers in envoy.asked] == [f"canary-test-{n}" for n in (1, 2, 3)]
    assert {headers["host"] for _, headers in envoy.asked} == {"summarization"}


def test_a_query_parameter_can_decide(ask: Run, envoy: Listener, deployment: pb.Deployment) -> None:
    """It is added to the path's own."""
    split_by(deployment, route_type="query", route_by="user")

    ask("test", "summarization", "--version", "a", "--path", "/v1?x=1")

    assert envoy.asked[-1][0] == "/v1?x=1&user=canary-test-3"


def test_chance_can_decide(ask: Run, envoy: Listener, deployment: pb.Deployment) -> None:
    """Then the same request is sent again."""
    split_by(deployment, route_type="random")

    assert ask("test", "summarization", "--version", "a", "--header", "X-Team: ml").exit_code == 0
    assert [headers["x-team"] for _, headers in envoy.asked] == ["ml"] * 3


@pytest.mark.usefixtures("deployment")
def test_a_key_of_ones_own_is_the_only_one(ask: Run, envoy: Listener) -> None:
    """Whose version it is, is the question then."""
    result = ask("test", "summarization", "--version", "a", "--header", "X-User-Id: ada")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: a was not reached: the request went to main")
    assert len(envoy.asked) == 1


@pytest.mark.usefixtures("deployment")
def test_enough_is_enough(ask: Run, envoy: Listener) -> None:
    """--tries."""
    assert ask("test", "summarization", "--version", "a", "--tries", "2").exit_code == 1
    assert len(envoy.asked) == 2


@pytest.mark.parametrize(
    ("label", "complaint"),
    [("b", "b waits for endpoints, so no request reaches it"), ("z", "has no version 'z'")],
)
@pytest.mark.usefixtures("deployment")
def test_what_can_not_be_reached_is_not_tried(ask: Run, envoy: Listener, label: str, complaint: str) -> None:
    """It says why at once."""
    result = ask("test", "summarization", "--version", label)

    assert (result.exit_code, envoy.asked) == (1, [])
    assert complaint in result.stderr


def test_an_answer_without_a_version(ask: Run, deployment: pb.Deployment) -> None:
    """Of another service, perhaps: nobody knows."""
    with listener(lambda _number: "") as other:
        result = ask("test", deployment.name, "--version", "a", "--via", f"127.0.0.1:{other.port}")

    assert result.exit_code == 1
    assert "the answer (404) has no x-canary-version" in result.stderr


def test_nobody_there(api: AdminApi, ask: Run, deployment: pb.Deployment) -> None:
    """No Envoy connected, or none that answers: exit 1, for nothing was sent."""
    refused = ask("test", deployment.name, "--via", f"127.0.0.1:{free_port()}")
    api.answers["FleetService/List"] = pb.ListEnvoysResponse()
    absent = ask("test", deployment.name)

    assert (refused.exit_code, absent.exit_code) == (1, 1)
    assert refused.stderr.startswith("Error: no answer from 127.0.0.1:")
    assert absent.stderr.startswith("Error: no Envoy that serves 'summarization' is connected")


@pytest.mark.usefixtures("deployment")
def test_a_header_has_a_name(ask: Run) -> None:
    """Anything else is wrong usage."""
    assert ask("test", "summarization", "--header", "X-User-ID").exit_code == 2


@pytest.mark.usefixtures("deployment")
def test_the_server_knows_whose_a_key_is(api: AdminApi, ask: Run, envoy: Listener) -> None:
    """Then only keys of the version are sent, however many others there are."""

    def told(request: Message) -> Message:
        assert isinstance(request, pb.ExplainRequest)
        assert (request.gateway, [header.name for header in request.headers]) == ("edge", ["x-team"])
        versions = ("a" if key.endswith(b"777") else "main" for key in request.keys)
        return pb.ExplainResponse(
            explanations=[pb.Explanation(version=each, deployment="summarization") for each in versions]
        )

    api.answers["Explain"] = told

    ask("test", "summarization", "--version", "a", "--header", "X-Team: ml")

    keys = [headers["x-user-id"] for _, headers in envoy.asked]
    assert keys == ["canary-test-777", "canary-test-1777", "canary-test-2777"]


@pytest.mark.usefixtures("deployment")
def test_a_version_without_a_key(api: AdminApi, ask: Run, envoy: Listener) -> None:
    """It says what would reach the version, and sends nothing."""
    api.answers["Explain"] = pb.ExplainResponse(explanations=[pb.Explanation(version="main")])

    result = ask("test", "summarization", "--version", "a")

    assert (result.exit_code, envoy.asked) == (1, [])
    assert "no key was found that belongs to a (canary.version_selector: {header:" in result.stderr


@pytest.mark.parametrize(
    ("selector", "path", "header"),
    [
        ({"header": "X-Version", "query": "v"}, "/?q=1", ("x-version", "a")),
        ({"query": "v", "cookie": "c"}, "/?q=1&v=a", None),
        ({"cookie": "c"}, "/?q=1", ("cookie", "x=1; c=a")),
        ({"cookie": "c", "secret": {"header": "X-Key", "value": "s"}}, "/?q=1", ("x-key", "s")),
    ],
)
def test_a_version_can_be_named(
    ask: Run,
    deployment: pb.Deployment,
    selector: dict[str, object],
    path: str,
    header: tuple[str, str] | None,
) -> None:
    """As its selector has it; with a weight of 0 too."""
    split_by(deployment, route_type="header", route_by="X-User-ID", version_selector=selector)
    deployment.versions[1].effective_weight = 0
    with listener(lambda _number: "a") as envoy:
        result = ask(
            "test",
            "summarization",
            *("--version", "a", "--path", "/?q=1", "--header", "Cookie: x=1"),
            *("--via", f"127.0.0.1:{envoy.port}"),
        )

    ((asked, headers),) = envoy.asked
    assert (result.exit_code, asked) == (0, path)
    assert header is None or headers[header[0]] == header[1]


def test_a_version_without_users_that_can_not_be_named(ask: Run, deployment: pb.Deployment) -> None:
    """It says what would make that possible."""
    deployment.versions[1].effective_weight = 0

    result = ask("test", "summarization", "--version", "a")

    assert result.exit_code == 1
    assert "a has no users, so no request reaches it (canary.version_selector: {header:" in result.stderr


@pytest.mark.parametrize(
    ("args", "match", "body"),
    [
        ((), {"model": ["llama", "l"]}, b'{"model": "llama"}'),
        ((), {"model": "llama"}, b'{"model": "llama"}'),
        (("--model", "l"), {"model": ["llama", "l"]}, b'{"model": "l"}'),
        (("--model", "x"), None, b'{"model": "x"}'),
    ],
)
def test_a_model_is_named_in_a_body(
    ask: Run,
    envoy: Listener,
    deployment: pb.Deployment,
    args: tuple[str, ...],
    match: dict[str, object] | None,
    body: bytes,
) -> None:
    """That of --model, or the first that the deployment answers for."""
    deployment.spec_json = json.dumps({"name": "llama", "match": match})

    assert ask("test", "summarization", *args).exit_code == 0
    assert envoy.bodies == [body]
    assert envoy.asked[0][1]["content-type"] == "application/json"
