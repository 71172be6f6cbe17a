"""Builds and their keys: assigned when a build first appears in a deployment, and never again.

The key is the readable part of the build's ref (a tag's version, or the label) reduced to what an
Envoy cluster name can carry without upsetting its statistics: letters, digits and dashes.
"""

import itertools
import re
from collections.abc import Container, Iterable, Mapping

_NOT_IN_KEYS = re.compile(r"[^A-Za-z0-9]+")
_LONGEST_KEY = 48


def assign_keys(refs: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """Key by ref: the known one, or a new one that no known build has.

    Args:
        refs: what the deployment now runs, in the order of its labels.
        known: key by ref of every build the deployment ever had.
    """
    keys: dict[str, str] = {}
    taken = set(known.values())
    for ref in refs:
        if ref not in keys:
            keys[ref] = known.get(ref) or _new_key(ref, taken)
            taken.add(keys[ref])
    return keys


def _new_key(ref: str, taken: Container[str]) -> str:
    readable = re.split(r"[:@]", ref)[-1]
    stem = _NOT_IN_KEYS.sub("-", readable).strip("-")[:_LONGEST_KEY] or "build"
    candidates = itertools.chain([stem], (f"{stem}-{n}" for n in itertools.count(2)))
    return next(candidate for candidate in candidates if candidate not in taken)
