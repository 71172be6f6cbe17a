"""What an Envoy can do follows from its version, and decides what it is sent."""

import pytest

from xds.discovery.hub import Hub, Target
from xds.discovery.node import node_of
from xds.discovery.request import Node
from xds.fleet.limits import limits, refused
from xds.fleet.profile import Profile, profile_of, target_of
from xds.spec.deployment import Canary, Deployment, Version
from xds.stubs import envoy_config_core_v3_pb2 as core

OLD = Node(id="edge-2", version=(1, 35, 0))
NEW = Node(id="edge-1", version=(1, 36, 0))
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
        ((1, 36, 0), Profile.NEWEST),
        ((2, 0, 0), Profile.NEWEST),
        (None, Profile.NEWEST),
    ],
)
def test_the_version_decides(version: tuple[int, int, int] | None, profile: Profile) -> None:
    """1.36 is the first that can; who doesn't say is taken as the newest."""
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


def test_a_deployment_that_would_rather_be_refused_says_why() -> None:
    """With the Envoy in question, and the mend."""
    (fault,) = refused(split(on_unsupported="refuse"), [OLD, NEW], "s.yaml", 3)
    assert str(fault) == (
        "s.yaml:3: canary.on_unsupported: refuses edge-2 (Envoy 1.35.0): can't keep people on a version"
        " before 1.36 (upgrade it to Envoy 1.36, or choose main or random)"
    )
    assert refused(split(), [OLD], "s.yaml") == []
