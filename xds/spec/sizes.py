"""Sizes in bytes, as a person writes them."""

import re
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from xds.spec.complaint import show, wrong

KIB, MIB, GIB = 1024, 1024**2, 1024**3

_SIZE = re.compile(r"([0-9]{1,12})\s*(B|KiB|MiB|GiB)?")
_BYTES = {"GiB": GIB, "MiB": MIB, "KiB": KIB, "B": 1}
_LARGEST = 1 * GIB


def parse_size(value: object) -> int:
    """Bytes of `65536`, `"64KiB"`, `"16MiB"`, `"1GiB"`: at least 1 KiB, at most 1 GiB.

    Raises:
        ValueError: it is none of these, or out of bounds.
    """
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    found = _SIZE.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise wrong(f"{show(value)} is no size", "write bytes, or a whole number with KiB, MiB or GiB: 16MiB")
    size = int(found[1]) * _BYTES[found[2] or "B"]
    if not KIB <= size <= _LARGEST:
        raise wrong(f"{show(value)} is not between 1KiB and 1GiB")
    return size


def write_size(size: int) -> str:
    """`16MiB`: in the largest unit that needs no fraction."""
    unit = next(unit for unit, count in _BYTES.items() if size % count == 0)
    return f"{size // _BYTES[unit]}{unit}"


Size = Annotated[
    int,
    BeforeValidator(parse_size),
    PlainSerializer(write_size, return_type=str),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": KIB, "maximum": _LARGEST},
                {"type": "string", "pattern": r"^\s*[0-9]+\s*(B|KiB|MiB|GiB)?\s*$"},
            ]
        }
    ),
]
"""Bytes."""
