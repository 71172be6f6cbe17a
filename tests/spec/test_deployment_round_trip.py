"""What is written reads back as what it was."""

import json

from hypothesis import given
from hypothesis import strategies as st

from tests.spec.deployments import deployments, endpoints
from xds.spec.deployment import Deployment
from xds.spec.endpoints import Endpoint
from xds.spec.read import Document, read
from xds.spec.write import (
    as_yaml,
    endpoint_to_value,
    endpoints_from_json,
    endpoints_to_json,
    from_json,
    to_dict,
    to_json,
    to_yaml,
)


def only_document(text: str) -> Document:
    """The document of a text without faults."""
    reading = read([("a", text)])
    assert reading.faults == ()
    (document,) = reading.documents
    return document


@given(deployments)
def test_a_deployment_survives_yaml(deployment: Deployment) -> None:
    """`get -o yaml` can be applied again and changes nothing."""
    assert only_document(to_yaml(deployment)).deployment == deployment


@given(deployments)
def test_a_deployment_survives_json(deployment: Deployment) -> None:
    """`get -o json` likewise."""
    assert only_document(json.dumps(to_dict(deployment))).deployment == deployment


@given(deployments)
def test_a_deployment_survives_the_store(deployment: Deployment) -> None:
    """A revision that was stored is the revision that was decided."""
    assert from_json(to_json(deployment)) == deployment


@given(deployments)
def test_the_stored_form_is_canonical(deployment: Deployment) -> None:
    """Storing again gives the same bytes, so contents can be compared by hash."""
    assert to_json(from_json(to_json(deployment))) == to_json(deployment)


@given(st.lists(endpoints, unique_by=lambda endpoint: (endpoint.address, endpoint.port), max_size=4))
def test_endpoints_survive_a_file(some: list[Endpoint]) -> None:
    """Each in the shortest form that says everything."""
    alike = tuple(endpoint for endpoint in some if endpoint.is_name == some[0].is_name)
    listed = [endpoint_to_value(endpoint) for endpoint in alike]
    assert only_document(as_yaml({"endpoints": {"chat:1": listed}})).endpoints == {"chat:1": alike}


@given(st.lists(endpoints, max_size=4).map(tuple))
def test_endpoints_survive_the_store(some: tuple[Endpoint, ...]) -> None:
    """In their order, with weights and zones."""
    assert endpoints_from_json(endpoints_to_json(some)) == some


def test_equal_deployments_are_stored_equally() -> None:
    """The order of a file's keys, and defaults that are spelled out, make no difference."""
    one = only_document(
        "name: c\ncanary: {versions: {b: {weight: 1}, a: {weight: '2', bento: 'c:1'}}}\n"
    ).deployment
    other = only_document(
        "canary: {versions: {a: {build: 'c:1', weight: 2.0}, b: {weight: 1}}, when_missing: random}\n"
        "path_prefix: /\nname: c\n"
    ).deployment
    assert one is not None
    assert other is not None
    assert to_json(one) == to_json(other)


def test_the_stored_form_does_not_lean_on_defaults() -> None:
    """A default that changes later does not change what was recorded."""
    deployment = Deployment.model_validate({"name": "c", "health_check": {}})
    assert json.loads(to_json(deployment))["health_check"] == {
        "type": "http",
        "path": "/healthz",
        "interval": "5s",
        "timeout": "2s",
        "unhealthy_threshold": 3,
        "healthy_threshold": 1,
    }


def test_it_is_written_as_a_person_would() -> None:
    """Name first, defaults left out, percent as 20, durations with their unit."""
    text = (
        "canary: {versions: {a: {weight: 20.0, build: 'c:2'}, b: {}}, route_by: X-U, route_type: header}\n"
        "path_prefix: /\ntimeout: 90\nhealth_check: {interval: 1m}\nhosts: [C.test]\nbento: c:1\nname: c\n"
    )
    deployment = only_document(text).deployment
    assert deployment is not None
    assert to_yaml(deployment) == (
        "name: c\n"
        "bento: c:1\n"
        "hosts:\n"
        "- c.test\n"
        "timeout: 90s\n"
        "health_check:\n"
        "  interval: 60s\n"
        "canary:\n"
        "  route_type: header\n"
        "  route_by: X-U\n"
        "  versions:\n"
        "    a:\n"
        "      bento: c:2\n"
        "      weight: 20\n"
        "    b:\n"
        "      weight: 0\n"
    )


def test_an_endpoint_is_written_as_short_as_it_can_be() -> None:
    """`host:port`, IPv6 in brackets, and a mapping only where there is more to say."""
    assert endpoint_to_value(Endpoint(address="fd00::1", port=80)) == "[fd00::1]:80"
    assert endpoint_to_value(Endpoint(address="a.test", port=80, weight=2)) == {
        "address": "a.test",
        "port": 80,
        "weight": 2,
    }
