"""A deployment file's model: BentoML's shape, with our keys where BentoML drops unknown ones.

`Deployment` is what a revision records. Endpoints are not in it: they are live state, read from the
same files into lists of their own (`xds.spec.endpoints`).
"""

from typing import Literal, Self

from pydantic import Field, JsonValue, model_validator

from xds.spec.upstream import ClusterSettings, Model, UpstreamSettings
from xds.spec.values import Percent

MAIN = "main"
"""The label of the default version; reserved."""


class Version(ClusterSettings):
    """One canary version: a build, its share, and what differs from the deployment's settings."""

    bento: str | None = None
    weight: Percent = 0.0

    # BentoML's, kept and not acted on.
    envs: JsonValue = None
    secrets: JsonValue = None
    services: JsonValue = None


class Canary(Model):
    """Who gets which version."""

    route_type: Literal["random", "header", "query"] = "random"
    route_by: str | None = None
    when_missing: Literal["random", "main"] = "random"
    """Where requests go that lack the key (or carry it empty)."""
    versions: dict[str, Version] = {}

    # Kept, with a warning that they do nothing yet.
    version_selector: JsonValue = None
    session_affinity: JsonValue = None
    mirror: JsonValue = None
    steps: JsonValue = None
    analysis: JsonValue = None
    rollback_window: JsonValue = None
    progress_deadline_seconds: JsonValue = None


class Deployment(UpstreamSettings):
    """A named service with a default version, `main`, any number of canaries, and the split."""

    name: str
    bento: str | None = None
    """The build `main` runs; absent: the build is called after the label."""
    hosts: tuple[str, ...] | None = None
    """Absent: `<name>` and `<name>.<the gateway's domain>`."""
    path_prefix: str = "/"
    gateways: tuple[str, ...] | None = None
    """Absent: all."""
    canary: Canary = Field(default_factory=Canary)

    # BentoML's, kept and not acted on (but for `services.*.config_overrides.traffic.timeout`).
    cluster: JsonValue = None
    dev: JsonValue = None
    access_authorization: JsonValue = None
    envs: JsonValue = None
    labels: JsonValue = None
    secrets: JsonValue = None
    services: JsonValue = None

    # Kept, with a warning that they do nothing yet.
    revision_history_limit: JsonValue = None
    salt: JsonValue = None
    rules: JsonValue = None

    @model_validator(mode="after")
    def _total_is_at_most_100(self) -> Self:
        total = sum(version.weight for version in self.canary.versions.values())
        if round(total, 2) > 100:  # noqa: PLR2004 (percent)
            raise ValueError(f"the weights add up to {total:g}, which is more than 100")
        return self

    @property
    def main_weight(self) -> float:
        """What the canaries leave, in percent."""
        return round(100 - sum(version.weight for version in self.canary.versions.values()), 2)

    def weights(self) -> dict[str, float]:
        """Percent by label, `main` first."""
        return {MAIN: self.main_weight} | {
            label: version.weight for label, version in self.canary.versions.items()
        }

    def bento_of(self, label: str) -> str | None:
        """The tag a label names, if any."""
        return self.bento if label == MAIN else self.canary.versions[label].bento

    def build_ref(self, label: str) -> str:
        """What runs under a label: its tag, or `<deployment>@<label>` where there is no tag.

        The same string names the build's endpoints; a tag's serve every deployment that uses it.
        """
        return self.bento_of(label) or f"{self.name}@{label}"

    def settings_of(self, label: str) -> ClusterSettings:
        """The cluster settings a label was given itself (not the inherited ones)."""
        return self if label == MAIN else self.canary.versions[label]
