"""What several levels say of a build's cluster, the first the strongest, as one level would say it.

Each setting is that of the first level that says it, as a whole. Two are merged instead, because
half of them is worth saying: bounds one by one, and header edits name by name. So a version that
lowers one bound stays protected by the others, and a gateway's `remove` holds until somebody speaks
of that header.
"""

from collections.abc import Iterable, Sequence

from xds.spec.upstream import CircuitBreakers, ClusterSettings, HeaderEdits, Headers, Model

_CLUSTER = tuple(ClusterSettings.model_fields)
_BOUNDS = tuple(CircuitBreakers.model_fields)


def cluster_said(levels: Sequence[ClusterSettings]) -> dict[str, object]:
    """The settings that any of the levels says; a setting that none says is not there."""
    said = first_said(_CLUSTER, levels)
    if "circuit_breakers" in said:
        bounds = [level.circuit_breakers for level in levels if level.circuit_breakers is not None]
        said["circuit_breakers"] = CircuitBreakers.model_validate(first_said(_BOUNDS, bounds))
    if "headers" in said:
        said["headers"] = _headers([level.headers for level in levels if level.headers is not None])
    return said


def first_said(names: Iterable[str], levels: Sequence[Model]) -> dict[str, object]:
    """For each name the value of the first level that has one."""
    said: dict[str, object] = {}
    for level in reversed(levels):
        said |= {name: value for name in names if (value := getattr(level, name)) is not None}
    return said


def _headers(said: Sequence[Headers]) -> Headers:
    return Headers(
        request=_edits(level.request for level in said), response=_edits(level.response for level in said)
    )


def _edits(levels: Iterable[HeaderEdits]) -> HeaderEdits:
    """Every edit of every level, but for names that a stronger one speaks of."""
    values: dict[str, str] = {}
    removed: list[str] = []
    spoken_of: set[str] = set()
    for level in levels:
        values |= {name: value for name, value in level.set.items() if name.lower() not in spoken_of}
        removed += [name for name in level.remove if name.lower() not in spoken_of]
        spoken_of |= {name.lower() for name in (*level.set, *level.remove)}
    return HeaderEdits(set=values, remove=tuple(removed))
