"""`canary status` says what to type next: the worst trouble first."""

import pytest

from tests.cli.fake_admin import only_main
from xds.cli.advice import next_command
from xds.cli.words import notes, state
from xds.stubs import canary_admin_v1_pb2 as pb

WELL = pb.Convergence(envoys=2, in_sync=2)


def healthy(**canary: float) -> pb.Deployment:
    """A deployment that two Envoys have, with these canaries."""
    deployment = only_main()
    deployment.convergence.CopyFrom(WELL)
    for label, weight in canary.items():
        deployment.versions.add(
            label=label, build=f"echo:{label}", weight=weight, endpoints=["h:1"], known_endpoints=1
        )
    return deployment


def test_all_is_well() -> None:
    """Nothing, or the next step of a canary."""
    assert next_command(healthy()) == "nothing: all is well"
    assert next_command(healthy(a=0)).startswith("canary set-weight echo a=1 #")
    assert next_command(healthy(a=20)).startswith("canary promote echo a #")


@pytest.mark.parametrize(
    ("trouble", "advice"),
    [
        (pb.Deployment(deleted=True), "canary undelete echo #"),
        (
            pb.Deployment(convergence=pb.Convergence(rejections=["e-2: Cluster echo_x: no"])),
            "canary rollback echo # e-2 rejects",
        ),
        (
            pb.Deployment(convergence=pb.Convergence(rejections=["e-2: routes of echo: no"])),
            "canary rollback echo # e-2 rejects",
        ),
        (
            pb.Deployment(convergence=pb.Convergence(rejections=["e-2: RouteConfiguration default: no"])),
            "canary fleet e-2 # it rejects RouteConfiguration default",
        ),
        (
            pb.Deployment(
                versions=[pb.Version(label="b", build="t:1", weight=1, waiting_for_endpoints=True)],
            ),
            "canary endpoints add t:1 HOST:PORT #",
        ),
        (
            pb.Deployment(
                versions=[
                    pb.Version(
                        label="b",
                        build="t:1",
                        weight=1,
                        waiting_for_endpoints=True,
                        known_endpoints=3,
                        endpoints=["h:1"],
                        min_endpoints=2,
                    )
                ]
            ),
            "canary endpoints t:1 # b waits: 1 of 3 can be used, it needs 2",
        ),
        (pb.Deployment(notes=["its file says something else"]), "canary get echo -o yaml # its file says"),
    ],
)
def test_trouble_has_a_command(trouble: pb.Deployment, advice: str) -> None:
    """With the reason after the #."""
    deployment = healthy(a=20)
    deployment.MergeFrom(trouble)

    assert next_command(deployment).startswith(advice)


def test_away_from_what_is_down() -> None:
    """Never on to it: abort a canary; look after `main`; leave alone one that nobody has."""
    deployment = healthy(a=20)
    deployment.versions[1].unhealthy = "h:1: refused"
    assert next_command(deployment) == (
        "canary abort echo # or add endpoints to echo:a: a is unhealthy, main serves its share"
    )
    deployment.versions[0].unhealthy = "h:0: refused"
    deployment.versions[0].effective_weight = 80
    assert next_command(deployment).startswith("canary endpoints echo@main # main is unhealthy: requests for")
    idle = healthy(a=0)
    idle.versions[1].unhealthy = "h:1: refused"
    assert next_command(idle) == "canary endpoints echo:a # a is unhealthy; everything is on main"
    idle.versions.add(label="b", build="echo:b", endpoints=["h:2"], known_endpoints=1)
    assert next_command(idle).startswith("canary set-weight echo b=1 #")


def test_what_becomes_of_requests_for_what_is_down() -> None:
    """`main` serves for a canary; nobody serves for `main`."""
    main = pb.Version(label="main", weight=80, effective_weight=100, unhealthy="h:0: refused")
    canary = pb.Version(label="a", weight=20, unhealthy="h:1: refused")
    assert [state(main), state(canary)] == [
        "unhealthy, requests for it fail",
        "unhealthy, main serves its share",
    ]
    assert notes(pb.Deployment(versions=[main, canary])) == [
        "main is unhealthy: requests for it fail",
        "a is unhealthy: main serves its share",
    ]


def test_envoys_that_are_behind_or_away() -> None:
    """Wait for those that come; look where none are."""
    deployment = healthy()
    deployment.convergence.in_sync = 1
    assert next_command(deployment) == "canary wait echo --for applied # 1 of 2 Envoys to go"
    deployment.convergence.Clear()
    assert next_command(deployment).startswith("canary fleet #")
