"""Keys that stand where they mean nothing: what was probably meant.

Unknown keys are ignored with a warning (BentoML's files may have any), or refused by `strict`. A
key that is known but stands on the wrong level is refused where ignoring it would change what the
file is about: a version can't have its own hosts, nor its own timeout.
"""

import difflib
import types
from collections.abc import Sequence
from typing import NamedTuple, Union, get_args, get_origin

from xds.spec.deployment import Canary, Deployment, Version
from xds.spec.endpoints import Endpoint
from xds.spec.envoy import EnvoyVersionPatches
from xds.spec.upstream import Model, RouteSettings

SPOKEN: dict[type[Model], tuple[str, ...]] = {
    Deployment: ("endpoints", "build"),
    Version: ("endpoints", "build"),
    Endpoint: ("dns",),
}
"""Keys of a file that are no fields of its model."""

_OF_THE_DEPLOYMENT = ("name", "hosts", "path_prefix", "match", "gateways")


class Stray(NamedTuple):
    """What to say about a key that its mapping does not know."""

    message: str
    mend: str
    is_fault: bool


def known_keys(model: type[Model]) -> tuple[str, ...]:
    """Every key a file may use for this model, its own before those it shares with others."""
    own = [field for field in model.model_fields if field in model.__annotations__]
    return tuple(dict.fromkeys([*own, *model.model_fields, *SPOKEN.get(model, ())]))


def about_stray(model: type[Model], key: str, *, strict: bool) -> Stray:
    """What to say about a key that `model` doesn't know."""
    if model is Version and key in RouteSettings.model_fields:
        message = "belongs to the route, and a route is chosen before its version is"
        return Stray(message, "move it to the top level: it holds for every version", is_fault=True)
    if (model is Version and key in _OF_THE_DEPLOYMENT) or (model is Canary and key == "match"):
        return Stray("belongs to the deployment", "move it to the top level", is_fault=True)
    if model is EnvoyVersionPatches and key == "route":
        message = "belongs to the deployment: a route is chosen before its version is"
        mend = "move it to the top level's envoy; typed_per_filter_config can differ between versions"
        return Stray(message, mend, is_fault=True)
    message = "unknown key" if strict else "unknown key, it is ignored"
    return Stray(message, _meant(model, key), strict)


def _meant(model: type[Model], key: str) -> str:
    if model is Deployment and key in Canary.model_fields:
        return "move it below canary"
    if model is Deployment and key in Version.model_fields:
        return f"versions have it: canary.versions.<version>.{key}"
    if model is Canary and key in Deployment.model_fields:
        return "move it to the top level"
    if model is Canary and key in Version.model_fields:
        return f"versions have it: versions.<version>.{key}"
    if model is Version and key in Canary.model_fields:
        return "move it below canary"
    return nearest(key, known_keys(model))


def nearest(word: str, known: Sequence[str]) -> str:
    """`did you mean hosts?`, or nothing where nothing is near."""
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]}?" if near else ""


def model_at(model: object, path: Sequence[str | int]) -> type[Model] | None:
    """The model of the mapping that stands at `path` below `model`; None if there is none.

    Args:
        model: a model, or the annotation of a field.
        path: keys and list positions.
    """
    if isinstance(model, type) and issubclass(model, Model):
        if not path:
            return model
        field = model.model_fields.get(str(path[0]))
        return model_at(field.annotation, path[1:]) if field else None
    arguments = get_args(model)
    if get_origin(model) in {Union, types.UnionType}:
        return next((found for each in arguments if (found := model_at(each, path))), None)
    if get_origin(model) in {dict, tuple} and path:
        return model_at(arguments[1 if get_origin(model) is dict else 0], path[1:])
    return model_at(arguments[0], path) if arguments else None
