"""Fits what a file says into a model, and notes whatever does not fit.

What does not fit is noted, left out, and the rest is fitted again, so that what depends on the
rest can still be judged. `null` says the same as leaving a key out.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

from pydantic import JsonValue, ValidationError
from pydantic_core import ErrorDetails

from xds.spec.complaint import WRONG, show
from xds.spec.findings import Findings, Path
from xds.spec.keys import about_stray, known_keys, model_at, nearest
from xds.spec.upstream import Model

M = TypeVar("M", bound=Model)

_ROUNDS = 6
_MANY_KEYS = 6
_KEY = "[key]"
"""Pydantic's last step to a faulty key."""


def fit(
    model: type[M],
    value: Mapping[str, JsonValue],
    findings: Findings,
    at: Path = (),
    *,
    strict: bool = False,
    stand_in: Mapping[str, JsonValue] = MappingProxyType({}),
) -> M | None:
    """The model of as much of `value` as fits.

    Args:
        model: what it should be.
        value: what the file says.
        findings: where to note what doesn't fit.
        at: where `value` stands in the document.
        strict: unknown keys are faults.
        stand_in: what to go on with for keys that can't be left out.

    Returns:
        The model; of use only if nothing was noted, or for judging what was not.
        None if so much is wrong that no model is left.
    """
    for _ in range(_ROUNDS):
        try:
            return model.model_validate(value)
        except ValidationError as error:
            details = error.errors(include_url=False)
        said_before = {
            path
            for path, detail in ((_path(detail), detail) for detail in details)
            if findings.spoiled((*at, *path)) and not detail.get("ctx", {}).get("regardless")
        }
        rest: JsonValue | _Gone = dict(value)
        for detail in details:
            path = _path(detail)
            if path not in said_before and not _is_left_out(model, path, detail):
                _note(model, path, detail, findings, at, strict=strict)
            rest = _without(rest, path) if isinstance(rest, dict) else rest
        rest = {**stand_in, **rest} if isinstance(rest, dict) else {}
        if rest == value:
            return None
        value = rest
    return None


def _path(detail: ErrorDetails) -> Path:
    path = detail["loc"]
    return path[:-1] if path and path[-1] == _KEY else path


def _is_left_out(model: type[Model], path: Path, detail: ErrorDetails) -> bool:
    """Whether it is a `null` for a field."""
    return (
        detail["type"] not in {"missing", "extra_forbidden"}
        and detail["input"] is None
        and model_at(model, path[:-1]) is not None
    )


class _Gone:
    """In place of a value that was left out."""


_GONE = _Gone()


def _without(value: JsonValue, path: Path) -> JsonValue | _Gone:
    """A copy that lacks what stands at `path`; a list with something wrong in it goes as a whole."""
    if isinstance(value, dict) and path and path[0] not in value:
        return value
    if isinstance(value, dict) and path:
        key = str(path[0])
        rest = _without(value[key], path[1:])
        if isinstance(rest, _Gone):
            return {each: kept for each, kept in value.items() if each != key}
        return {**value, key: rest}
    if isinstance(value, list) and path and isinstance(path[0], int):
        item = _without(value[path[0]], path[1:])
        if not isinstance(item, _Gone):
            return [*value[: path[0]], item, *value[path[0] + 1 :]]
    return _GONE


def _note(
    model: type[Model], path: Path, detail: ErrorDetails, findings: Findings, at: Path, *, strict: bool
) -> None:
    place = (*at, *path)
    if detail["type"] == "extra_forbidden":
        stray = about_stray(model_at(model, path[:-1]) or model, str(path[-1]), strict=strict)
        note = findings.fault if stray.is_fault else findings.warn
        note(place, stray.message, stray.mend)
    else:
        findings.fault(place, *_complaint(detail, model_at(model, path)))


def _complaint(detail: ErrorDetails, model: type[Model] | None) -> tuple[str, str]:
    """Pydantic's errors, in the words of whoever wrote the file: what is wrong, and the mend."""
    value, context = detail["input"], detail.get("ctx", {})
    kind = detail["type"]
    if kind == WRONG:
        return str(context["message"]), str(context["mend"])
    if kind == "literal_error":
        return _no_choice(value, str(context["expected"]))
    if kind in {"model_type", "model_attributes_type", "dict_type"}:
        return f"{show(value)} is no mapping", _keys_of(model) if model else "write {<name>: ...}"
    if kind == "tuple_type":
        is_single = isinstance(value, (str, int, float)) and not isinstance(value, bool)
        return f"{show(value)} is no list", f"write [{value}]" if is_single else ""
    if kind == "string_type":
        return f"{show(value)} is no text", _quoted(value)
    what = "is neither true nor false" if kind in {"bool_type", "bool_parsing"} else "does not belong here"
    return _FIXED.get(kind, (f"{show(value)} {what}", ""))


_FIXED = {
    "missing": ("is missing", ""),
    "string_too_short": ("can't be empty", "leave the key out"),
    "string_unicode": ("has half of a surrogate pair, which is no character", ""),
}


def _keys_of(model: type[Model]) -> str:
    keys = known_keys(model)
    more = ", ..." if len(keys) > _MANY_KEYS else ""
    return f"with any of {', '.join(keys[:_MANY_KEYS])}{more}"


def _no_choice(value: object, expected: str) -> tuple[str, str]:
    choices = expected.replace("'", "").replace(" or ", ", ").split(", ")
    named = f"{', '.join(choices[:-1])} or {choices[-1]}" if len(choices) > 1 else choices[0]
    near = nearest(value.lower(), choices) if isinstance(value, str) else ""
    return f"{show(value)} is not {named}", near


def _quoted(value: object) -> str:
    is_scalar = isinstance(value, (bool, int, float))
    return f'put it in quotes: "{show(value)}"' if is_scalar else ""
