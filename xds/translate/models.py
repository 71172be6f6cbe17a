"""Routing by the model in the body: a body is read only where deployments are told apart by it.

Envoy chooses a route before it has a body. So the routes of a path that several models share are:

    read       JSON whose model is not known yet. Its requests alone pass two filters, which every
               listener has and which are off everywhere else: one takes in the whole body, up to
               `max_body`; the other puts its `model` into the metadata, "" where there is none, and has
               the route chosen again
    models     each deployment's own routes, for the models it lists
    the rest   the deployment without `match`, or 404

What is on and how much is taken in is thus said by routes: no listener changes, and drains, when the
first deployment routes by model. The two stand in front of a gateway's own filters, which so see the
route that answers and never `read` (measured on Envoy 1.36 to 1.40).
"""

import json
from collections.abc import Iterable, Iterator

from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import UInt32Value

from xds.spec.gateway import MAX_BODY
from xds.stubs import envoy_config_core_v3_pb2 as core
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.stubs import envoy_extensions_filters_http_buffer_v3_pb2 as buffer_v3
from xds.stubs import envoy_extensions_filters_http_json_to_metadata_v3_pb2 as json_v3
from xds.stubs import (
    envoy_extensions_filters_network_http_connection_manager_v3_pb2 as http_v3,
)
from xds.stubs import envoy_type_matcher_v3_pb2 as matcher_v3
from xds.translate.values import METADATA, match_path, packed, set_header

BODY_FILTER, MODEL_FILTER = "canary.body", "canary.model"
"""What our filters are called on every listener."""

MODEL = "model"
"""The body's field, and the key of the metadata."""

_JSON = r"(?i)\s*application/([^;,\s]+\+)?json\s*(;.*)?"
READ = "canary/read"
"""The name of the route that has a body read, and the route chosen again."""
_NOT_FOUND, _UNREADABLE = 404, 500


def body_filters() -> list[http_v3.HttpFilter]:
    """The filters that read models, off until a route says otherwise."""
    buffer = buffer_v3.Buffer(max_request_bytes=UInt32Value(value=MAX_BODY))
    return [_off(BODY_FILTER, buffer), _off(MODEL_FILTER, json_v3.JsonToMetadata(request_rules=_rules()))]


def for_models(routes: Iterable[route_v3.Route], models: tuple[str, ...]) -> Iterator[route_v3.Route]:
    """Routes for requests whose body names one of the models, and for no others."""
    names = [matcher_v3.ValueMatcher(string_match=matcher_v3.StringMatcher(exact=model)) for model in models]
    said = names[0]
    if len(names) > 1:
        said = matcher_v3.ValueMatcher(or_match=matcher_v3.OrMatcher(value_matchers=names))
    for route in routes:
        out = route_v3.Route()
        out.CopyFrom(route)
        out.match.dynamic_metadata.append(_model(said))
        yield out


def read(path_prefix: str, max_body: int) -> route_v3.Route:
    """The route of JSON whose model is not known yet."""
    out = route_v3.Route(name=READ, match=match_path(path_prefix))
    is_json = matcher_v3.StringMatcher(safe_regex=matcher_v3.RegexMatcher(regex=_JSON))
    out.match.headers.append(route_v3.HeaderMatcher(name="content-type", string_match=is_json))
    # What an upgraded connection sends has no end that could be waited for.
    out.match.headers.append(route_v3.HeaderMatcher(name="upgrade", present_match=False))
    known = _model(matcher_v3.ValueMatcher(present_match=True))
    known.invert = True
    out.match.dynamic_metadata.append(known)
    limit = buffer_v3.Buffer(max_request_bytes=UInt32Value(value=max_body))
    out.typed_per_filter_config[BODY_FILTER].CopyFrom(_on(buffer_v3.BufferPerRoute(buffer=limit)))
    out.typed_per_filter_config[MODEL_FILTER].CopyFrom(_on())
    missing = f"this Envoy's listener lacks the HTTP filters {BODY_FILTER} and {MODEL_FILTER}"
    return _answer(out, _UNREADABLE, missing, "no_model_filter")


def not_served(path_prefix: str) -> route_v3.Route:
    """The route of what names no model that is served here."""
    out = route_v3.Route(name="canary/no-model", match=match_path(path_prefix))
    message = "no such model here: the body has to be JSON, sent as application/json, with a known model"
    return _answer(out, _NOT_FOUND, message, "model_not_found")


def _rules() -> json_v3.JsonToMetadata.MatchRules:
    """Take the model; where there is none, say so, or the route would not be chosen again."""
    found = json_v3.JsonToMetadata.KeyValuePair(metadata_namespace=METADATA, key=MODEL)
    nothing = json_v3.JsonToMetadata.KeyValuePair(metadata_namespace=METADATA, key=MODEL)
    nothing.value.string_value = ""
    rule = json_v3.JsonToMetadata.Rule(
        selectors=[json_v3.JsonToMetadata.Selector(key=MODEL)],
        on_present=found,
        on_missing=nothing,
        on_error=nothing,
    )
    return json_v3.JsonToMetadata.MatchRules(
        rules=[rule], allow_content_types_regex=matcher_v3.RegexMatcher(regex=_JSON)
    )


def _model(value: matcher_v3.ValueMatcher) -> matcher_v3.MetadataMatcher:
    path = matcher_v3.MetadataMatcher.PathSegment(key=MODEL)
    return matcher_v3.MetadataMatcher(filter=METADATA, path=[path], value=value)


def _off(name: str, config: Message) -> http_v3.HttpFilter:
    # Optional: an Envoy built without it is to have its listener all the same.
    return http_v3.HttpFilter(name=name, disabled=True, is_optional=True, typed_config=packed(config))


def _on(config: Message | None = None) -> Any:
    """Turn a filter on, as it is or with this configuration."""
    own = packed(config) if config is not None else Any()
    return packed(route_v3.FilterConfig(config=own, is_optional=True))


def _answer(out: route_v3.Route, status: int, message: str, code: str) -> route_v3.Route:
    """An error as OpenAI's clients show it."""
    out.direct_response.status = status
    text = json.dumps({"error": {"message": message, "type": "invalid_request_error", "code": code}})
    out.direct_response.body.CopyFrom(core.DataSource(inline_string=f"{text}\n"))
    out.response_headers_to_add.append(set_header("content-type", "application/json"))
    return out
