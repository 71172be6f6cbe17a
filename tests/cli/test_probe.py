"""`canary test`: through which Envoy, with which keys, and when it has failed."""

import json
from collections.abc import Iterator

import pytest

from tests.cli.fake_admin import AdminApi, Run
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


def split_by(deployment: pb.Deployment, **canary: str) -> None:
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
    """No Envoy connected, or none that answers: exit 5."""
    refused = ask("test", deployment.name, "--via", f"127.0.0.1:{free_port()}")
    api.answers["FleetService/List"] = pb.ListEnvoysResponse()
    absent = ask("test", deployment.name)

    assert (refused.exit_code, absent.exit_code) == (5, 5)
    assert refused.stderr.startswith("Error: no answer from 127.0.0.1:")
    assert absent.stderr.startswith("Error: no Envoy that serves 'summarization' is connected")


@pytest.mark.usefixtures("deployment")
def test_a_header_has_a_name(ask: Run) -> None:
    """Anything else is wrong usage."""
    assert ask("test", "summarization", "--header", "X-User-ID").exit_code == 2
