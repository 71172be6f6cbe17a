"""What a plain YAML scalar means: `20` is a number, `yes` a boolean, `2026-01-01` stays text.

PyYAML's (YAML 1.1's) rules, which are what BentoML reads files by, cut down to what JSON can say.
"""

import math
from collections.abc import Callable
from functools import lru_cache

import yaml

TAG = "tag:yaml.org,2002:"

_resolver = yaml.resolver.Resolver()
_constructor = yaml.constructor.SafeConstructor()
_MAKERS: dict[str, Callable[[yaml.ScalarNode], object]] = {
    f"{TAG}null": _constructor.construct_yaml_null,
    f"{TAG}bool": _constructor.construct_yaml_bool,
    f"{TAG}int": _constructor.construct_yaml_int,
    f"{TAG}float": _constructor.construct_yaml_float,
}
KNOWN_TAGS = frozenset({*_MAKERS, f"{TAG}str", f"{TAG}timestamp", f"{TAG}map", f"{TAG}seq"})


@lru_cache(maxsize=16_384)
def plain(text: str) -> str | int | float | bool | None:
    """The value of an unquoted scalar; what JSON has no word for (dates, infinities) stays text."""
    tag: str = _resolver.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]  # stubs
    return tagged(text, tag)


def tagged(text: str, tag: str) -> str | int | float | bool | None:
    """The value of a scalar that is said to be of a type; text if it can't be read as that."""
    make = _MAKERS.get(tag)
    if make is None:
        return text
    try:
        value = make(yaml.ScalarNode(tag, text))
    except (ValueError, KeyError, OverflowError, IndexError):  # PyYAML's own way of refusing: !!int "abc"
        return text
    if isinstance(value, float) and not math.isfinite(value):
        return text
    return value if value is None or isinstance(value, (str, int, float, bool)) else text
