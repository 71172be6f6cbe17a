"""Deployments that are told apart by the model in the body: their routes, and what reads the model."""

from typing import Any

from xds.spec.claims import claims_of
from xds.spec.gateway import Gateway
from xds.spec.read import read
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.stubs import envoy_extensions_filters_http_buffer_v3_pb2 as buffer_v3
from xds.translate.offline import translate
from xds.translate.raw_gateway import clashes, faults_of_gateways

LLAMA = "name: llama\nhosts: [api]\npath_prefix: /v1\nmatch: {model: [llama-3, llama]}\n"
MISTRAL = "name: mistral\nhosts: [api]\npath_prefix: /v1\nmatch: {model: mistral}\n"
REST = "name: a-rest\nhosts: [api]\npath_prefix: /v1\n"
ROOT = "name: root\nhosts: [api]\n"


def routes(*texts: str, **gateway: Any) -> list[route_v3.Route]:
    """The routes of the host that they share."""
    documents = read([("a.yaml", "---\n".join(texts))]).documents
    edge = Gateway.model_validate({"name": "edge", **gateway})
    (table,) = (
        made for made in translate(documents, [edge]) if isinstance(made, route_v3.RouteConfiguration)
    )
    (host,) = table.virtual_hosts
    return list(host.routes)


def test_within_a_path_models_come_before_the_rest() -> None:
    """Longest path first; the body is read in front of them, and nowhere else."""
    assert [route.name for route in routes(ROOT, REST, LLAMA, MISTRAL)] == [
        "canary/read",
        "llama/split",
        "mistral/split",
        "a-rest/split",
        "root/split",
    ]


def test_without_a_deployment_for_the_rest_there_is_a_404() -> None:
    """Nothing falls through to a shorter path."""
    made = routes(ROOT, LLAMA)
    assert [route.name for route in made] == ["canary/read", "llama/split", "canary/no-model", "root/split"]
    assert made[2].direct_response.status == 404
    assert '"code": "model_not_found"' in made[2].direct_response.body.inline_string


def test_without_models_nothing_is_read() -> None:
    """Other hosts don't know that there are models."""
    assert [route.name for route in routes(ROOT, REST)] == ["a-rest/split", "root/split"]


def test_one_model_is_matched_exactly() -> None:
    """By the metadata that the filter leaves."""
    (matcher,) = routes(MISTRAL)[1].match.dynamic_metadata
    assert (matcher.filter, [part.key for part in matcher.path]) == ("canary", ["model"])
    assert matcher.value.string_match.exact == "mistral"


def test_an_alias_is_as_good_as_a_name() -> None:
    """Any of them."""
    (matcher,) = routes(LLAMA)[1].match.dynamic_metadata
    names = [each.string_match.exact for each in matcher.value.or_match.value_matchers]
    assert names == ["llama-3", "llama"]


def test_every_route_of_a_deployment_is_for_its_models() -> None:
    """Rules, selectors, cookies, the key: none of them takes another model's requests."""
    busy = MISTRAL + (
        "bento: 'm:1'\nrules: [{match: {headers: {X-Beta: x}}, version: a}]\n"
        "canary: {route_type: header, route_by: X-User, when_missing: sticky, version_selector: {header: X-V,"
        " unknown: not_found}, versions: {a: {bento: 'm:2', weight: 20}}}\n"
        "envoy: {route: {route: {timeout: 3s}}}\n"
    )
    own = [route for route in routes(busy, REST) if route.name.startswith("mistral/")]
    assert len(own) > 5
    assert all(len(route.match.dynamic_metadata) == 1 for route in own)


def test_how_much_is_read_is_the_gateways_to_say() -> None:
    """In the route, so that no listener changes with it."""
    config = route_v3.FilterConfig()
    routes(LLAMA, max_body="3MiB")[0].typed_per_filter_config["canary.body"].Unpack(config)
    limit = buffer_v3.BufferPerRoute()
    config.config.Unpack(limit)
    assert limit.buffer.max_request_bytes.value == 3 << 20


def test_a_gateways_own_filter_cannot_take_our_filters_name() -> None:
    """Routes turn ours on by name."""
    cors = "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors"
    edge = Gateway.model_validate(
        {"name": "edge", "http_filters": [{"name": "canary.model", "typed_config": {"@type": cors}}]}
    )
    (fault,) = faults_of_gateways([edge], "canary.yaml", lambda _: 0)
    assert fault.message == "canary.model is there already, and is ours"


def test_a_domain_that_is_taken_is_said_once() -> None:
    """However many models a deployment has."""
    (document,) = read([("a.yaml", LLAMA)]).documents
    assert document.deployment is not None
    edge = Gateway.model_validate({"name": "edge", "virtual_hosts": [{"name": "old", "domains": ["api"]}]})
    assert len(list(clashes(claims_of(document.deployment, [edge]), [edge]))) == 1
