"""Every Fleet command's table and JSON, word for word."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import click.testing
import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from tests.cli import transcripts
from tests.cli.fake_admin import AdminApi, Answer, Refusal, Run, only_main
from xds import __version__
from xds.cli import doctor, times
from xds.stubs import canary_admin_v1_pb2 as pb

NOW = dt.datetime(2026, 11, 22, 11, 0, 0, tzinfo=dt.UTC)


def at(minutes: float) -> Timestamp:
    """A moment, `minutes` from now."""
    moment = Timestamp()
    moment.FromDatetime(NOW + dt.timedelta(minutes=minutes))
    return moment


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is `5m ago` always is."""
    monkeypatch.setattr(times, "now", NOW.timestamp)
    monkeypatch.setattr(doctor, "PATIENCE", 0)


def envoys() -> list[pb.Envoy]:
    """One in sync, one that waits, one that refuses something."""
    return [
        edge("edge-1", address="10.0.0.1", connected_at=at(-300), in_sync=True, applied=12),
        edge(
            "edge-2",
            address="10.0.0.2",
            connected_at=at(-5),
            applied=10,
            waiting=1,
            rejected=1,
            rejections=["Cluster summarization_3: no such file"],
            resources=[
                state("ClusterLoadAssignment", "summarization_1", "synced"),
                state("RouteConfiguration", "default", "waiting"),
                state("Cluster", "summarization_3", "refused", "no such file"),
            ],
        ),
        pb.Envoy(id="in-1", gateway="internal", connected_at=at(-0.5), applied=3, waiting=2, dialect="sotw"),
    ]


def edge(name: str, **more: Any) -> pb.Envoy:
    """An Envoy of the default gateway."""
    return pb.Envoy(id=name, cluster="default", gateway="default", version="1.40.0", dialect="delta", **more)


def state(kind: str, name: str, how: str, text: str = "") -> pb.ResourceState:
    """A resource on an Envoy."""
    applied = "" if how == "refused" else "a1b2"
    return pb.ResourceState(type=kind, name=name, state=how, applied=applied, wanted="c3d4", text=text)


def builds() -> list[pb.BuildEndpoints]:
    """With a lease, a drained endpoint, an IPv6 one; and a build without any."""
    lease = pb.Endpoint(
        address="10.0.0.11", port=3000, weight=2, zone="eu-1", sources=["lease"], expires_at=at(0.4)
    )
    drained = pb.Endpoint(address="10.0.0.12", port=3000, sources=["api", "apply"], drained=True)
    six = pb.Endpoint(address="fd00::1", port=3000, sources=["file_sd: pods.json"], unhealthy="timed out")
    return [
        pb.BuildEndpoints(
            build="summarization:t226",
            versions=["summarization@a"],
            endpoints=[lease, drained, six],
            usable=2,
        ),
        pb.BuildEndpoints(build="summarization@b", versions=["summarization@b"], drained=True),
    ]


def sources() -> list[pb.EndpointSource]:
    """One that fails, and one that doesn't."""
    return [
        pb.EndpointSource(name="file_sd: pods.json", endpoints=1, read_at=at(-1)),
        pb.EndpointSource(
            name="http_sd: http://10.0.0.9/targets", endpoints=2, read_at=at(-90), problem="timed out"
        ),
    ]


def server() -> pb.Server:
    """Off loopback without TLS, with an Envoy turned away."""
    return pb.Server(
        version=__version__,
        now=at(0),
        xds_address="0.0.0.0:18000",
        admin_address="0.0.0.0:18001",
        admin_access=["anybody"],
        caller="ada",
        turned_away=[
            pb.TurnedAway(id="edge-9", cluster="edge", reason="belongs to no gateway", times=3),
            pb.TurnedAway(id="edge-1", cluster="edge", reason="belongs to no gateway", times=1),
        ],
        endpoint_sources=sources(),
    )


def given(number: int, source: int = 0) -> pb.Resources:
    """Raw resources of a gateway."""
    return pb.Resources(
        gateway="default",
        number=number,
        kind="rollback" if source else "set",
        source=source,
        author="ada",
        comment="a listener of our own",
        created_at=at(-60),
        contents_json=[
            '{"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": "legacy"}',
            '{"@type": "type.googleapis.com/envoy.config.listener.v3.Listener", "name": "old"}',
        ],
        convergence=pb.Convergence(envoys=2, in_sync=1, rejections=["edge-2: Listener old: in use"]),
    )


def gateways() -> list[pb.Gateway]:
    """One that is served, and one that no Envoy serves."""
    return [
        pb.Gateway(
            name="default",
            mode="table",
            listeners=["0.0.0.0:10000"],
            deployments=2,
            envoys=2,
            in_sync=1,
            resources=2,
            snapshot=12,
        ),
        pb.Gateway(name="internal", mode="proxyless", deployments=1),
    ]


def entries() -> list[pb.AuditEntry]:
    """What was changed."""
    return [
        pb.AuditEntry(
            number=12,
            at=at(-3),
            author="ada",
            verb="set-weights",
            subjects=["summarization"],
            outcome="revision 3: main 79.5 %, a 20 %, b 0.5 %",
            comment="more",
            request_id="r-1",
        ),
        pb.AuditEntry(
            number=11,
            at=at(-9),
            author="ci",
            verb="endpoints add",
            subjects=["summarization:t226"],
            outcome="2 of 2 usable",
        ),
    ]


@pytest.fixture
def answers(summarization: pb.Deployment) -> dict[str, Answer]:
    """A server with trouble of every kind."""
    summarization.notes.append("its file says something else")
    idle = only_main()
    idle.versions[0].waiting_for_endpoints = True
    back = pb.Change(
        deployment=summarization, changed=True, previous=2, previous_weights={"main": 100}, moved=20.5
    )
    edited = pb.EndpointsResponse(build=builds()[0], changed=True)
    snapshot = pb.Snapshot(
        number=12, created_at=at(-3), author="ada", comment="more", change="set-weights summarization"
    )
    snapshot.revisions["summarization"] = 3
    answers: dict[str, Answer] = {
        "List": pb.ListResponse(deployments=[idle, summarization]),
        "FleetService/List": pb.ListEnvoysResponse(envoys=envoys()),
        "FleetService/Get": envoys()[1],
        "FleetService/Watch": [
            *(pb.WatchEnvoysResponse(envoy=envoy) for envoy in envoys()[1:]),
            pb.WatchEnvoysResponse(current=True),
            pb.WatchEnvoysResponse(gone="in-1"),
        ],
        "EndpointService/List": pb.ListEndpointsResponse(builds=builds(), sources=sources()),
        "EndpointService/Register": pb.RegisterResponse(expires_at=at(0.5), created=True),
        "GatewayService/List": pb.ListGatewaysResponse(gateways=gateways()),
        "GatewayService/ListSnapshots": pb.ListSnapshotsResponse(snapshots=[snapshot]),
        "GatewayService/Rollback": pb.RollbackGatewayResponse(changes=[back]),
        "ResourceService/Get": given(2),
        "ResourceService/Set": pb.ResourcesResponse(resources=given(3), changed=True),
        "ResourceService/Rollback": pb.ResourcesResponse(resources=given(4, source=1), changed=True),
        "ResourceService/ListRevisions": pb.ListResourceRevisionsResponse(revisions=[given(2), given(1)]),
        "AuditService/List": pb.ListAuditResponse(entries=entries()),
        "ServerService/Get": server(),
    }
    return answers | {
        f"EndpointService/{verb}": edited for verb in ("Set", "Add", "Remove", "Drain", "Undrain")
    }


def check(name: str, args: tuple[str, ...], result: click.testing.Result) -> None:
    """Compare with the golden file; releases change nothing in it."""
    said = transcripts.transcript(args, result)
    transcripts.check(name, said.replace(f"version {__version__}", "version VERSION"))


CASES = {
    "fleet": ("fleet",),
    "fleet-node": ("fleet", "edge-2"),
    "fleet-watch": ("fleet", "--watch"),
    "endpoints": ("endpoints",),
    "endpoints-sources": ("endpoints", "sources"),
    "endpoints-set": ("endpoints", "set", "summarization@a", "10.0.0.11:3000"),
    "endpoints-add": ("endpoints", "add", "summarization@a", "10.0.0.11:3000", "--weight", "2"),
    "endpoints-remove": ("endpoints", "remove", "summarization@a", "10.0.0.11:3000"),
    "endpoints-drain": ("endpoints", "drain", "summarization@a", "--dry-run"),
    "endpoints-undrain": ("endpoints", "undrain", "summarization@a"),
    "endpoints-register": ("endpoints", "register", "summarization@a", "10.0.0.11:3000", "--once"),
    "gateways": ("gateways",),
    "gateways-history": ("gateways", "history", "default"),
    "gateways-rollback": ("gateways", "rollback", "default", "--to", "9"),
    "resources": ("resources", "default"),
    "resources-set": ("resources", "set", "default", "-f", "-"),
    "resources-rollback": ("resources", "rollback", "default"),
    "resources-history": ("resources", "history", "default"),
    "audit": ("audit",),
    "doctor": ("doctor",),
}


@pytest.mark.parametrize("form", ["table", "json"])
@pytest.mark.parametrize("case", CASES)
def test_what_a_command_prints(
    api: AdminApi, ask: Run, answers: dict[str, Answer], case: str, form: str
) -> None:
    """The table people read, and the JSON scripts read."""
    api.answers = answers
    args = (*CASES[case], *(() if form == "table" else ("-o", form)))

    result = ask(*args, stdin='{"@type": "x"}')

    if form == "json" and "--watch" not in args:
        json.loads(result.stdout)
    check(f"{case}.{form}", args, result)


OTHERS = ("fleet", "fleet-node", "endpoints", "gateways", "resources", "audit")


@pytest.mark.parametrize("form", ["wide", "yaml", "name"])
@pytest.mark.parametrize("case", OTHERS)
def test_other_forms(api: AdminApi, ask: Run, answers: dict[str, Answer], case: str, form: str) -> None:
    """All columns, YAML, and names only."""
    api.answers = answers
    args = (*CASES[case], "-o", form)

    check(f"{case}.{form}", args, ask(*args))


def test_a_doctor_without_a_patient(ask: Run, api: AdminApi) -> None:
    """No server is the one problem then."""
    api.answers["ServerService/Get"] = Refusal(grpc.StatusCode.UNAVAILABLE, "Connection refused")

    result = ask("doctor")

    check("doctor-no-server.table", ("doctor",), result)


def test_a_doctor_who_is_not_let_in(ask: Run, api: AdminApi) -> None:
    """What the server said is the finding, with the mend."""
    api.answers["ServerService/Get"] = Refusal(
        grpc.StatusCode.UNAUTHENTICATED, "no token was sent (set CANARY_TOKEN)"
    )

    check("doctor-not-let-in.table", ("doctor",), ask("doctor"))


def test_a_doctor_with_nothing_to_do(ask: Run, api: AdminApi, answers: dict[str, Answer]) -> None:
    """A line for each check, and success."""
    api.answers = answers | {
        "List": pb.ListResponse(deployments=[only_main()]),
        "FleetService/List": pb.ListEnvoysResponse(envoys=envoys()[:1]),
        "GatewayService/List": pb.ListGatewaysResponse(gateways=gateways()[:1]),
        "ServerService/Get": pb.Server(
            version=__version__,
            now=at(0),
            xds_address="127.0.0.1:18000",
            admin_address="127.0.0.1:18001",
            admin_access=["anybody"],
            caller="ada",
        ),
    }

    result = ask("doctor")

    assert result.exit_code == 0
    check("doctor-well.table", ("doctor",), result)


def test_a_build_that_is_down_is_one_line_of_the_doctors(
    ask: Run, api: AdminApi, answers: dict[str, Answer]
) -> None:
    """Whoever runs it; and another where it is `main`, for there its requests fail."""
    deployments = []
    for number in range(5):
        deployment = only_main()
        deployment.name = f"chat-{number}"
        deployment.versions.add(label="a", build="echo:v2", weight=20, endpoints=["h:2"], unhealthy="refused")
        deployments.append(deployment)
    deployments[0].versions[0].unhealthy = "h:0: refused"
    api.answers = answers | {"List": pb.ListResponse(deployments=deployments)}

    result = ask("doctor", "-o", "json")

    assert result.exit_code == 1
    assert [
        (each["level"], each["text"]) for each in json.loads(result.stdout) if each["check"] == "deployments"
    ] == [
        ("problem", "echo@main is unhealthy, requests for it fail: main of chat-0; h:0: refused"),
        (
            "warning",
            "echo:v2 is unhealthy, main serves its share: a of chat-0, a of chat-1 and 3 more; refused",
        ),
    ]


def test_every_fleet_command_has_golden_output() -> None:
    """A table and JSON for each."""
    golden = {file.name for file in (Path(__file__).parent / "golden").iterdir()}

    assert {f"{case}.{form}.txt" for case in CASES for form in ("table", "json")} <= golden


def test_nothing_to_list_says_what_to_do(ask: Run, api: AdminApi) -> None:
    """On stderr, so that a pipe gets nothing."""
    api.answers = {
        "FleetService/List": pb.ListEnvoysResponse(),
        "EndpointService/List": pb.ListEndpointsResponse(),
        "ResourceService/Get": pb.Resources(gateway="default"),
        "GatewayService/ListSnapshots": pb.ListSnapshotsResponse(),
        "AuditService/List": pb.ListAuditResponse(),
    }

    for args in (
        ("fleet",),
        ("endpoints",),
        ("endpoints", "sources"),
        ("resources", "default"),
        ("gateways", "history", "default"),
        ("audit",),
    ):
        result = ask(*args)
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (0, "", 1), args
