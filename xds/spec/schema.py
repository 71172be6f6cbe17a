"""JSON Schema of deployment files, for editors: completion, and red lines while typing.

Made from the models, so it can't fall behind them. It accepts what `read` accepts; what lies
between keys (the sum of the weights, say) only `read` knows.
"""

from typing import cast

from pydantic import JsonValue

from xds.spec.deployment import Deployment
from xds.spec.endpoints import Endpoint
from xds.spec.names import LABEL_PATTERN, NAME_PATTERN

Schema = dict[str, JsonValue]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_NULL: Schema = {"type": "null"}
_LIST: Schema = {
    "description": "Where the build runs. An empty list: nowhere now.",
    "type": "array",
    "items": {"$ref": "#/$defs/EndpointForm"},
}
_BUILD: Schema = {"description": "A synonym of bento.", "anyOf": [{"type": "string", "minLength": 1}, _NULL]}


def json_schema(*, strict: bool = False) -> Schema:
    """The schema of one document of a deployment file: a deployment, or endpoints by tag.

    Args:
        strict: unknown keys are refused, as by `read(strict=True)`; else they are let through, as by
            `read`, which warns of them.
    """
    deployment = _schema_of(Deployment)
    definitions = {**_definitions(deployment), **_definitions(_schema_of(Endpoint))}
    definitions["Deployment"] = {key: value for key, value in deployment.items() if key != "$defs"}
    definitions["Endpoint"] = _schema_of(Endpoint)
    for name, definition in definitions.items():
        definitions[name] = _open(cast("Schema", definition), strict=strict)
    _add(definitions, "Deployment", {"endpoints": _LIST, "build": _BUILD})
    _add(definitions, "Version", {"endpoints": _LIST, "build": _BUILD})
    _narrow(definitions)
    definitions["EndpointForm"] = _endpoint_form(cast("Schema", definitions.pop("Endpoint")))
    definitions["Endpoints"] = {
        "title": "Endpoints",
        "description": "Endpoints by tag, for every deployment that runs the tag.",
        "type": "object",
        "properties": {"endpoints": {"type": "object", "additionalProperties": _LIST}},
        "required": ["endpoints"],
        "additionalProperties": not strict,
    }
    return {
        "$schema": DIALECT,
        "title": "A deployment file of Canary",
        "anyOf": [{"$ref": "#/$defs/Deployment"}, {"$ref": "#/$defs/Endpoints"}],
        "$defs": definitions,
    }


def _schema_of(model: type[Deployment | Endpoint]) -> Schema:
    return cast("Schema", model.model_json_schema(mode="validation"))


def _definitions(schema: Schema) -> Schema:
    return cast("Schema", schema.get("$defs", {}))


def _open(definition: Schema, *, strict: bool) -> Schema:
    """Let every key be null, which says the same as leaving it out, and unknown keys as `strict` says."""
    if definition.get("type") != "object":
        return definition
    properties = cast("dict[str, Schema]", definition.get("properties", {}))
    required = cast("list[str]", definition.get("required", []))
    said: dict[str, JsonValue] = {
        key: dict(value) if key in required else _or_null(value) for key, value in properties.items()
    }
    return {**definition, "properties": said, "additionalProperties": not strict}


def _or_null(schema: Schema) -> Schema:
    choices = schema.get("anyOf")
    is_anything = not {"type", "anyOf", "$ref", "enum", "const"} & schema.keys()
    if is_anything or (isinstance(choices, list) and _NULL in choices):
        return schema
    about = {key: value for key, value in schema.items() if key in {"description", "title", "default"}}
    rest = {key: value for key, value in schema.items() if key not in about}
    return {**about, "anyOf": [rest, _NULL]}


def _add(definitions: Schema, name: str, more: Schema) -> None:
    definition = cast("Schema", definitions[name])
    definition["properties"] = {**cast("Schema", definition["properties"]), **more}


def _narrow(definitions: Schema) -> None:
    """What the models' own validators know, as patterns."""
    deployment = cast("dict[str, Schema]", cast("Schema", definitions["Deployment"])["properties"])
    deployment["name"] |= {"pattern": NAME_PATTERN, "maxLength": 63}
    canary = cast("dict[str, Schema]", cast("Schema", definitions["Canary"])["properties"])
    versions = cast("list[Schema]", canary["versions"]["anyOf"])[0]
    versions["propertyNames"] = {"pattern": LABEL_PATTERN, "maxLength": 63, "not": {"const": "main"}}
    versions["additionalProperties"] = {"anyOf": [{"$ref": "#/$defs/Version"}, _NULL]}


def _endpoint_form(mapping: Schema) -> Schema:
    properties = cast("dict[str, Schema]", mapping["properties"])
    named = {"dns" if key == "address" else key: value for key, value in properties.items()}
    named["dns"] = {"description": "A name that Envoy resolves.", "type": "string"}
    return {
        "anyOf": [
            {"description": "host:port", "type": "string", "pattern": r":\s*[0-9]+\s*$"},
            {**mapping, "title": "Address"},
            {**mapping, "title": "Name", "properties": cast("Schema", named), "required": ["dns", "port"]},
        ]
    }
