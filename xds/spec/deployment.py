"""A deployment file's model: BentoML's shape, with our keys where BentoML drops unknown ones.

`Deployment` is what a revision records. Endpoints are not in it: they are live state, read from the
same files into lists of their own (`xds.spec.endpoints`).
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from xds.spec.complaint import show, wrong
from xds.spec.envoy import EnvoyPatches, EnvoyVersionPatches, Raw
from xds.spec.matching import BodyMatch
from xds.spec.names import MAIN, BuildName, DeploymentName, GatewayName, Label
from xds.spec.places import Host, PathPrefix
from xds.spec.splits import Mirror, Rule, Salt, SessionAffinity, VersionSelector
from xds.spec.upstream import ClusterSettings, Model, UpstreamSettings
from xds.spec.values import Count, Kept, Percent, Text, write_percent

__all__ = ["MAIN", "Canary", "Deployment", "Version"]


class Version(ClusterSettings):
    """One canary version: a build, its share, and what differs from the deployment's settings."""

    bento: BuildName | None = None
    """The build it runs; absent: the build is called after the version, `<deployment>@<label>`."""
    weight: Percent = 0.0
    """Its share, in percent."""
    min_endpoints: Count | None = None
    """How many usable endpoints it needs before it is given users; absent: as many as the deployment says."""

    # BentoML's, kept and not acted on.
    envs: Kept = None
    secrets: Kept = None
    services: Kept = None

    envoy: EnvoyVersionPatches | None = None
    """Patches of what is generated for it."""


def _at_most_100(versions: dict[str, Version]) -> dict[str, Version]:
    """The versions by label, so that equal deployments also list them equally."""
    total = round(sum(version.weight for version in versions.values()), 2)
    over = round(total - 100, 2)
    if over > 0:
        raise wrong(
            f"the weights add up to {write_percent(total)}, which is {write_percent(over)} over 100",
            "main gets what they leave",
            regardless=True,
        )
    return dict(sorted(versions.items()))


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = [name for index, name in enumerate(names) if name in names[:index]]
    if twice:
        raise wrong(f"{show(twice[0])} is listed twice")
    return names


def _some(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise wrong("an empty list leaves the deployment unreachable", "leave the key out for the default")
    return names


class Canary(Model):
    """Who gets which version."""

    route_type: Literal["random", "header", "query"] = "random"
    """What decides: the hash of a header, of a query parameter, or chance, request by request."""
    route_by: Text | None = None
    """The header's or the query parameter's name."""
    salt: Salt | None = None
    """What the key is hashed with, so that deployments are independent of each other. Absent: the
    deployment's name; empty: nothing, as Envoy would by itself."""
    when_missing: Literal["random", "main", "sticky"] = "random"
    """Where requests go that lack the key (or carry it empty). `sticky`: to a version by chance, and a
    cookie keeps them there."""
    on_unsupported: Literal["main", "random", "refuse"] = "main"
    """What Envoys do that can't keep everyone where they are: all to `main`, or by chance. `refuse`
    takes no such split while one is connected; one that comes later sends all to `main`."""
    versions: Annotated[dict[Label, Version], AfterValidator(_at_most_100)] = Field(default_factory=dict)
    """The canary versions by their labels."""

    version_selector: VersionSelector | None = None
    """Lets a request name the version it wants."""
    session_affinity: SessionAffinity | None = None
    """The cookie that keeps people where chance put them: in a random split, or by `when_missing: sticky`."""
    mirror: Mirror | None = None
    """Copies of requests to a version, whose answers are dropped."""

    # Kept, with a warning that they do nothing yet.
    steps: Kept = None
    analysis: Kept = None
    rollback_window: Kept = None
    progress_deadline_seconds: Kept = None

    @property
    def is_sticky(self) -> bool:
        """Whether everyone stays with the version they were given."""
        return self.route_type != "random" and self.route_by is not None

    @property
    def affinity(self) -> SessionAffinity | None:
        """The cookie that keeps those whom chance put somewhere, if there is one."""
        if self.is_sticky:
            return (self.session_affinity or SessionAffinity()) if self.when_missing == "sticky" else None
        return self.session_affinity


class Deployment(UpstreamSettings):
    """A named service with a default version, `main`, any number of canaries, and the split."""

    name: DeploymentName
    """In cluster names, metrics, and the default host."""
    bento: BuildName | None = None
    """The build `main` runs; absent: it is called after the label. After the promotion of a version `a`
    without a tag: `<name>@a`."""
    hosts: Annotated[tuple[Host, ...], AfterValidator(_each_once), AfterValidator(_some)] | None = None
    """The hosts it answers to. Absent: `<name>` and `<name>.<the gateway's domain>`."""
    path_prefix: PathPrefix = "/"
    """The path it answers below; of several deployments on a host the longest wins."""
    match: BodyMatch | None = None
    """Which requests it answers there, where several deployments share a host and path."""
    gateways: Annotated[tuple[GatewayName, ...], AfterValidator(_each_once), AfterValidator(_some)] | None = (
        None
    )
    """The gateways that serve it. Absent: all."""
    canary: Canary = Field(default_factory=Canary)
    """The other versions, and who gets them."""
    rules: tuple[Rule, ...] = ()
    """Who gets a version before anybody is split; the first that matches decides."""
    min_endpoints: Count = 1
    """How many usable endpoints `main` needs before it is given users; versions inherit it."""
    revision_history_limit: Count = 100
    """How many revisions are kept, the one in force among them."""
    envoy: EnvoyPatches | None = None
    """Patches of what is generated for it."""

    # BentoML's, kept and not acted on (but for `services.*.config_overrides.traffic.timeout`).
    cluster: Kept = None
    dev: Kept = None
    access_authorization: Kept = None
    envs: Kept = None
    labels: Kept = None
    secrets: Kept = None
    services: Kept = None

    @property
    def models(self) -> tuple[str, ...]:
        """The models it answers for; none: whatever other deployments on its hosts and path don't."""
        return self.match.model if self.match else ()

    @property
    def salt(self) -> str:
        """What its keys are hashed with."""
        return self.name if self.canary.salt is None else self.canary.salt

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
        """The build a label names, if any."""
        return self.bento if label == MAIN else self.canary.versions[label].bento

    @property
    def affinity_cookie(self) -> str:
        """The name of the cookie that keeps people, where one is set."""
        said = self.canary.affinity
        return (said.cookie if said else None) or f"canary-{self.name}"

    def build_ref(self, label: str) -> str:
        """What runs under a label: its bento, or `<deployment>@<label>` where it says none.

        The same string names the build's endpoints; a tag's serve every deployment that uses it.
        """
        return self.bento_of(label) or f"{self.name}@{label}"

    def min_endpoints_of(self, label: str) -> int:
        """How many usable endpoints a label needs before it is given users."""
        own = self.canary.versions[label].min_endpoints if label != MAIN else None
        return own or self.min_endpoints

    def settings_of(self, label: str) -> ClusterSettings:
        """The cluster settings a label was given itself (not the inherited ones)."""
        return self if label == MAIN else self.canary.versions[label]

    def cluster_patches_of(self, label: str) -> tuple[Raw, ...]:
        """The patches of a label's Cluster, in the order in which they apply."""
        own = self.canary.versions[label].envoy if label != MAIN else None
        return tuple(said.cluster for said in (self.envoy, own) if said is not None and said.cluster)
