"""What deployments have alike is made once, and nobody can tell."""

from hypothesis import given
from hypothesis import settings as campaign
from hypothesis import strategies as st

from tests.spec.deployments import deployments, maybe
from xds.revisions import decide
from xds.revisions.record import Note
from xds.spec.deployment import Deployment
from xds.spec.gateway import Gateway
from xds.translate import clusters, settings, split
from xds.translate.hosts import section
from xds.translate.view import View

GATEWAY = Gateway(name="default")
MEMORIES = (
    settings.settled,
    settings._route_settings,
    clusters._alike,
    split._action,
    split._edits,
)
FIELDS = sorted(Deployment.model_fields.keys() - {"name", "envoy"})


def plain(spec: Deployment) -> Deployment:
    """The deployment without patches, which hypothesis can't make up."""
    versions = spec.canary.versions.items()
    bare = {label: version.model_copy(update={"envoy": None}) for label, version in versions}
    return spec.model_copy(
        update={"envoy": None, "canary": spec.canary.model_copy(update={"versions": bare})}
    )


@st.composite
def relatives(draw: st.DrawFn) -> list[Deployment]:
    """Deployments that differ in a few things."""
    one, other = draw(deployments.map(plain)), draw(deployments.map(plain))
    crossed = draw(st.lists(st.sets(st.sampled_from(FIELDS), max_size=3), min_size=1, max_size=3))
    return [one, *(one.model_copy(update={name: getattr(other, name) for name in each}) for each in crossed)]


def made(spec: Deployment, header: str | None) -> list[bytes]:
    """The clusters and the routes of a deployment."""
    revision = decide.apply(spec, None, {}, Note("test", 0.0))
    assert revision is not None
    view = View(GATEWAY.model_copy(update={"version_header": header}), revision, {})
    messages = [*(clusters.cluster(view, build) for build in view.builds()), *section(view)[1].routes]
    return [message.SerializeToString(deterministic=True) for message in messages]


@campaign(max_examples=25)  # each is several deployments with everything
@given(relatives(), maybe(st.just("x-version")))
def test_what_is_alike_is_made_once_and_no_different(specs: list[Deployment], header: str | None) -> None:
    """Byte for byte, whatever was made before, and twice in a row."""
    remembered = [made(spec, header) for spec in specs * 2]
    alone = []
    for spec in specs:
        for memory in MEMORIES:
            memory.cache_clear()
        alone.append(made(spec, header))
    assert remembered == alone * 2
