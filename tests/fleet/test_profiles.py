"""What an Envoy can do follows from its version, and decides what it is sent."""

import pytest

from xds.discovery.hub import Hub, Target
from xds.discovery.node import node_of
from xds.discovery.request import Node
from xds.fleet.limits import limits, refused
from xds.fleet.profile import Profile, profile_of, target_of
from xds.spec.deployment import Canary, Deployment, Version
from xds.spec.upstream import Retry
from xds.stubs import envoy_config_core_v3_pb2 as core

OLD = Node(id="edge-2", version=(1, 35, 0))
MIDDLE = Node(id="edge-3", version=(1, 38, 2))
NEW = Node(id="edge-1", version=(1, 39, 0))
UNSAID = Node(id="client")


def split(weight: float = 20, on_unsupported: str = "main", route_type: str = "header") -> Deployment:
    """A deployment with one canary."""
    canary = Canary(
        route_type=route_type,
        route_by="X-User" if route_type != "random" else None,
        on_unsupported=on_unsupported,
        versions={"a": Version(weight=weight)},
    )
    return Deployment(name="s", canary=canary)


@pytest.mark.parametrize(
    ("version", "profile"),
    [
        ((1, 35, 12), Profile.BEFORE_STICKY_SPLITS),
        ((1, 36, 0), Profile.BEFORE_OTHER_VERSION),
        ((1, 38, 9), Profile.BEFORE_OTHER_VERSION),
        ((1, 39, 0), Profile.NEWEST),
        ((2, 0, 0), Profile.NEWEST),
        (None, Profile.NEWEST),
    ],
)
def test_the_version_decides(version: tuple[int, int, int] | None, profile: Profile) -> None:
    """1.36 is the first that keeps people, 1.39 that tries elsewhere; who doesn't say is the newest."""
    assert profile_of(Node(version=version)) is profile


def test_only_envoys_versions_count() -> None:
    """Another client's 1.0 says nothing about what it can do."""
    assert (
        profile_of(node_of(core.Node(user_agent_name="gRPC", user_agent_version="1.0.0"))) is Profile.NEWEST
    )


def test_the_newest_of_a_gateway_are_its_plain_target() -> None:
    """What is said of a gateway by name is said of these."""
    assert target_of("g", NEW) == Target("g")
    assert target_of("g", OLD) != Target("g")


def test_a_target_is_provided_for_before_its_first_stream_opens() -> None:
    """And once only: the second Envoy shares the first one's catalog."""
    hub = Hub(["g"])
    provided: list[Target] = []
    hub.provide = provided.append
    streams = [hub.open(target_of("g", OLD), OLD) for _ in range(2)]
    assert provided == [target_of("g", OLD)]
    assert streams[0].catalog is streams[1].catalog
    assert streams[0].catalog is not hub.catalogs["g"]


def test_with_one_profile_there_is_one_catalog() -> None:
    """What nobody needs is not made."""
    hub = Hub(["g"])
    hub.open(target_of("g", NEW), NEW)
    assert hub.targets() == (Target("g"),)


@pytest.mark.parametrize(
    ("on_unsupported", "instead"),
    [
        ("main", "everyone gets main"),
        ("refuse", "everyone gets main"),
        ("random", "every request may get another version"),
    ],
)
def test_a_limited_envoy_is_listed_with_the_reason(on_unsupported: str, instead: str) -> None:
    """Once, by its id and version; others are not."""
    assert limits(split(on_unsupported=on_unsupported), [NEW, OLD, OLD, UNSAID]) == (
        f"edge-2 (Envoy 1.35.0): can't keep people on a version before 1.36; {instead}",
    )


@pytest.mark.parametrize(
    "spec", [split(0), split(100), split(route_type="random")], ids=["0", "100", "random"]
)
def test_without_a_split_to_keep_nobody_is_limited(spec: Deployment) -> None:
    """Everything on one version, or chance anyway."""
    assert limits(spec, [OLD]) == ()


@pytest.mark.parametrize("route_type", ["header", "random"])
def test_before_1_39_only_the_other_version_is_lacking(route_type: str) -> None:
    """The split is kept; older ones lack both."""
    retry = Retry(on_other_version=True)
    spec = split(route_type=route_type).model_copy(update={"retry": retry})
    lacks = "can't try another version before 1.39; it tries the same one again"
    assert limits(spec, [MIDDLE, NEW]) == (f"edge-3 (Envoy 1.38.2): {lacks}",)
    assert f"edge-2 (Envoy 1.35.0): {lacks}" in limits(spec, [OLD])
    assert Profile.BEFORE_OTHER_VERSION.sticky_splits
    assert Profile.BEFORE_OTHER_VERSION.reads_models


def test_for_want_of_retries_nothing_is_refused() -> None:
    """`on_unsupported` is about splits."""
    spec = split(on_unsupported="refuse").model_copy(update={"retry": Retry(on_other_version=True)})
    assert refused(spec, [MIDDLE], "s.yaml") == []
    assert len(refused(spec, [OLD], "s.yaml")) == 1


def test_a_deployment_that_would_rather_be_refused_says_why() -> None:
    """With the Envoy in question, and the mend."""
    (fault,) = refused(split(on_unsupported="refuse"), [OLD, NEW], "s.yaml", 3)
    assert str(fault) == (
        "s.yaml:3: canary.on_unsupported: refuses edge-2 (Envoy 1.35.0): can't keep people on a version"
        " before 1.36 (upgrade it to Envoy 1.36, or choose main or random)"
    )
    assert refused(split(), [OLD], "s.yaml") == []
