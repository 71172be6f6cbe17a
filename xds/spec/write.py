"""The way back: deployments and endpoints as a person would write them, and as they are stored.

Two forms. `to_dict` and `to_yaml` leave out whatever goes without saying. `to_json` is for the
store and for hashing: equal deployments give equal bytes, and what was given is recorded whole, so
that a default that changes in a later release does not change a revision of an earlier one.
"""

import json

import yaml
from pydantic import JsonValue, TypeAdapter

from xds.spec.deployment import Deployment
from xds.spec.endpoints import Endpoint
from xds.spec.upstream import UpstreamSettings

_FIRST = (
    "name",
    "bento",
    "hosts",
    "path_prefix",
    "gateways",
    *UpstreamSettings.model_fields,
    "envoy",
    "canary",
)
_FIRST_OF_VERSION = ("bento", "weight")
_ENDPOINTS = TypeAdapter(tuple[Endpoint, ...])

_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def to_dict(deployment: Deployment) -> dict[str, JsonValue]:
    """A deployment as a person would write it: defaults left out, percent as `20`, durations as `30s`.

    Reading it again gives an equal deployment.
    """
    said: dict[str, JsonValue] = deployment.model_dump(mode="json", exclude_defaults=True)
    canary = said.pop("canary", None)
    if isinstance(canary, dict):
        kept = _canary(deployment, canary)
        said |= {"canary": kept} if kept else {}
    return _ordered(said, _FIRST)


def _canary(deployment: Deployment, said: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The split: with its route type and every weight, which readers look for."""
    versions = said.pop("versions", None)
    if isinstance(versions, dict) and versions:
        said["versions"] = {
            label: _ordered({"weight": 0, **version}, _FIRST_OF_VERSION)
            for label, version in versions.items()
            if isinstance(version, dict)
        }
    if said:
        said = {"route_type": deployment.canary.route_type, **said}
    return said


def _ordered(said: dict[str, JsonValue], first: tuple[str, ...]) -> dict[str, JsonValue]:
    return {key: said[key] for key in first if key in said} | said


def to_yaml(deployment: Deployment) -> str:
    """What `to_dict` says, as YAML."""
    return as_yaml(to_dict(deployment))


def as_yaml(value: JsonValue) -> str:
    """Any value as a YAML document, keys in their order."""
    text: str = yaml.dump(
        value, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, default_flow_style=False, width=100
    )
    return text


def to_json(deployment: Deployment) -> str:
    """A deployment for the store and for hashing: compact, sorted, equal for equal deployments."""
    return _compact(deployment.model_dump(mode="json", exclude_none=True))


def from_json(text: str) -> Deployment:
    """The deployment that `to_json` wrote.

    Raises:
        pydantic.ValidationError: the text is something else.
    """
    return Deployment.model_validate_json(text)


def endpoint_to_value(endpoint: Endpoint) -> JsonValue:
    """An endpoint as a person would write it: `host:port` when there is nothing else to say."""
    said: dict[str, JsonValue] = endpoint.model_dump(mode="json", exclude_defaults=True)
    return str(endpoint) if said.keys() == {"address", "port"} else said


def endpoints_to_json(endpoints: tuple[Endpoint, ...]) -> str:
    """Endpoints for the store, in their order: compact, and equal for equal lists."""
    return _compact([each.model_dump(mode="json", exclude_defaults=True) for each in endpoints])


def endpoints_from_json(text: str) -> tuple[Endpoint, ...]:
    """The endpoints that `endpoints_to_json` wrote.

    Raises:
        ValueError: the text is something else.
    """
    return _ENDPOINTS.validate_json(text)


def _compact(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
