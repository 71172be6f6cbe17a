"""Keys that a file may have and that nothing acts on: BentoML's, and those of later work.

They are kept as they are, so that `get` gives back what was applied. BentoML's get one warning a
document, however many there are; each key of later work gets its own, because its author expects
it to do something.
"""

import math
from collections.abc import Iterator

from pydantic import JsonValue
from pydantic_core import PydanticCustomError

from xds.spec.deployment import Deployment, Version
from xds.spec.findings import Findings, Path
from xds.spec.values import parse_duration, write_duration, write_percent

BENTOML = ("cluster", "dev", "access_authorization", "envs", "labels", "secrets", "services")
"""Of a deployment; a version has `envs`, `secrets` and `services`."""

LATER_IN_CANARY = (
    "steps",
    "analysis",
    "rollback_window",
    "progress_deadline_seconds",
)


def mention_kept(deployment: Deployment, findings: Findings) -> None:
    """Warn of everything that is kept and not acted on, and of what BentoML would read differently."""
    versions = deployment.canary.versions
    holders: list[Deployment | Version] = [deployment, *versions.values()]
    said = {key for each in holders for key in each.model_fields_set if getattr(each, key) is not None}
    ours = [key for key in BENTOML if key in said]
    if ours:
        findings.warn((), f"kept and not acted on, because they are BentoML's: {', '.join(ours)}")
    later: list[Path] = [
        ("canary", key) for key in LATER_IN_CANARY if getattr(deployment.canary, key) is not None
    ]
    for path in later:
        findings.warn(path, "is kept, and does nothing yet")
    for label, version in versions.items():
        _mention_version(version, ("canary", "versions", label), findings)


def _mention_version(version: Version, at: Path, findings: Findings) -> None:
    if version.weight != math.floor(version.weight):
        weight, whole = write_percent(version.weight), math.floor(version.weight)
        findings.warn((*at, "weight"), f"{weight} is kept, but BentoML makes it {whole}")
    for path, _ in _timeouts(version.services):
        message = "does nothing: a timeout belongs to the route, and a route is chosen before its version is"
        findings.warn((*at, "services", *path), message, "set timeout at the top level")


def longest_timeout(services: JsonValue, findings: Findings) -> str | None:
    """The longest `traffic.timeout` of BentoML's services, as a duration; None where none is given."""
    seconds: list[float] = []
    for path, value in _timeouts(services):
        try:
            seconds.append(parse_duration(value))
        except PydanticCustomError as error:
            findings.wrong(("services", *path), error)
    return write_duration(max(seconds)) if seconds else None


def says_timeout(services: JsonValue) -> bool:
    """Whether BentoML's services say a timeout, which counts as a deployment's."""
    return any(True for _ in _timeouts(services))


def _timeouts(services: JsonValue) -> Iterator[tuple[Path, JsonValue]]:
    """Every `<service>.config_overrides.traffic.timeout`, and its path below `services`."""
    if not isinstance(services, dict):
        return
    for name, value in services.items():
        path = (name, "config_overrides", "traffic", "timeout")
        for key in path[1:]:
            value = value.get(key) if isinstance(value, dict) else None  # noqa: PLW2901 (one step down)
        if value is not None:
            yield path, value
