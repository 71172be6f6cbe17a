"""What the Fleet commands send, when they wait, and how they fail."""

import datetime as dt
import json
import threading
from collections.abc import Callable

import click
import grpc
import pytest
from google.protobuf.message import Message

from tests.cli.fake_admin import AdminApi, Refusal, Run, only_main
from xds.cli import names, times
from xds.cli.places import messages
from xds.cli.register import Lease
from xds.client import Client, NotFound
from xds.stubs import canary_admin_v1_pb2 as pb

STATE = pb.Confirmation.State
EDITED = pb.EndpointsResponse(build=pb.BuildEndpoints(build="x:1", versions=["x@main"]), changed=True)
GONE = Refusal(grpc.StatusCode.UNAVAILABLE, "Connection refused")


def test_endpoints_are_sent_as_they_are_written(api: AdminApi, ask: Run) -> None:
    """With weight and zone; an IPv6 address without its brackets."""
    api.answers["EndpointService/Add"] = EDITED

    ask("endpoints", "add", "x:1", "[fd00::1]:80", "h:81", "--weight", "2", "--zone", "eu", "--force")

    given = [
        pb.Endpoint(address=host, port=port, weight=2, zone="eu")
        for host, port in (("fd00::1", 80), ("h", 81))
    ]
    options = pb.WriteOptions(force=True)
    assert api.done() == [pb.EndpointsRequest(target="x:1", endpoints=given, options=options)]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (pb.Confirmation(state=STATE.CONFIRMED, envoys=1), 0),
        (pb.Confirmation(state=STATE.REJECTED, envoys=1), 3),
        (pb.Confirmation(state=STATE.TIMED_OUT, envoys=1), 5),
        (pb.Confirmation(state=STATE.NO_ENVOY), 5),
    ],
)
def test_a_change_of_endpoints_can_wait(api: AdminApi, ask: Run, said: pb.Confirmation, code: int) -> None:
    """The server waits; what was made is said even where it is not confirmed."""
    answer = pb.EndpointsResponse()
    answer.CopyFrom(EDITED)
    answer.confirmations.append(said)
    api.answers["EndpointService/Drain"] = answer

    result = ask("endpoints", "drain", "x@main", "--wait", "--timeout", "2s")

    assert result.exit_code == code
    assert result.stdout == "endpoints of 'x:1' drained: 0 of 0 usable (used by x@main)\n"
    (sent,) = api.done()
    assert isinstance(sent, pb.EndpointsRequest)
    assert sent.options.wait.timeout.seconds == 2


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (("endpoints", "add", "x:1"), "Missing argument 'HOST:PORT...'."),
        (("endpoints", "add", "x:1", "h"), "'h' is no HOST:PORT"),
        (("endpoints", "-o", "json", "sources"), "Write the verb first: canary endpoints sources ..."),
        (("endpoints", "set", "x:1", "h:1", "--on-reject", "rollback"), "'rollback' is not 'keep'"),
        (("fleet", "edge-1", "--gateway", "default"), "give one of them"),
        (("gateways", "rollback", "default"), "Missing option '--to'."),
        (("audit", "--since", "soon"), "'soon' is no time"),
        (("completion", "ksh"), "'ksh' is not one of"),
    ],
)
def test_wrong_usage_is_explained(ask: Run, args: tuple[str, ...], complaint: str) -> None:
    """Exit 2, before anything is sent."""
    result = ask(*args)

    assert result.exit_code == 2
    assert complaint in result.stderr


def test_a_gateway_goes_back_only_from_what_was_looked_at(api: AdminApi, ask: Run) -> None:
    """The plan comes first; the newest snapshot then is expected to be the newest still."""
    api.answers["GatewayService/List"] = pb.ListGatewaysResponse(
        gateways=[pb.Gateway(name="default", snapshot=12), pb.Gateway(name="other", snapshot=13)]
    )
    change = pb.Change(deployment=only_main(), changed=True)
    api.answers["GatewayService/Rollback"] = pb.RollbackGatewayResponse(changes=[change])

    result = ask("gateways", "rollback", "default", "--to", "9", "--comment", "why")

    assert result.stderr == "plan: echo: new, main 100 %\n"
    options = pb.WriteOptions(comment="why", expected_revision=12)
    assert api.done()[1:] == [pb.RollbackGatewayRequest(gateway="default", snapshot=9, options=options)]
    assert ask("gateways", "rollback", "nope", "--to", "9").stderr == (
        "Error: no gateway 'nope' (there are: default, other)\n"
    )


def test_resources_are_sent_raw(api: AdminApi, ask: Run) -> None:
    """As files with their names: the server reads them, and its faults name them."""
    api.answers["ResourceService/Set"] = pb.ResourcesResponse(resources=pb.Resources(gateway="default"))

    ask("resources", "set", "default", "-f", "-", "--dry-run", stdin="'@type': x")

    (sent,) = api.requests
    assert isinstance(sent, pb.SetResourcesRequest)
    assert (list(sent.files), sent.options.dry_run) == ([pb.File(name="stdin", text="'@type': x")], True)


def test_rejected_resources_name_what_undoes_them(api: AdminApi, ask: Run) -> None:
    """Which is not `canary rollback`."""
    api.answers["ResourceService/Set"] = pb.ResourcesResponse(
        resources=pb.Resources(gateway="default", number=2),
        changed=True,
        confirmation=pb.Confirmation(state=STATE.REJECTED, rejections=["edge-1: Cluster x: no"]),
    )

    result = ask("resources", "set", "default", "-f", "-", "--wait", stdin="x: y")

    assert result.exit_code == 3
    assert result.stderr.endswith("(`canary resources rollback default` undoes it)\n")


def test_the_audit_is_asked_for_what_fits(api: AdminApi, ask: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A span is counted back from now; a date without a zone is UTC."""
    monkeypatch.setattr(times, "now", lambda: 10_000.0)
    api.answers["AuditService/List"] = pb.ListAuditResponse()

    ask("audit", "x", "--author", "ada", "--since", "2h")
    ask("audit", "--since", "2026-11-22")

    first, second = api.requests
    assert isinstance(first, pb.ListAuditRequest)
    assert isinstance(second, pb.ListAuditRequest)
    assert (first.subject, first.author, first.since.seconds) == ("x", "ada", 2_800)
    assert second.since.ToDatetime(dt.UTC) == dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


def test_limits_end_a_listing(api: AdminApi, ask: Run) -> None:
    """However much there is."""
    api.answers["AuditService/List"] = pb.ListAuditResponse(
        entries=[pb.AuditEntry(number=number) for number in range(9)], next_page_token="more"
    )

    assert len(json.loads(ask("audit", "--limit", "4", "-o", "json").stdout)) == 4


def test_a_watched_fleet_in_lines(api: AdminApi, ask: Run) -> None:
    """An object a line; one that left is `gone`."""
    api.answers["FleetService/Watch"] = [
        pb.WatchEnvoysResponse(envoy=pb.Envoy(id="edge-1")),
        pb.WatchEnvoysResponse(current=True),
        pb.WatchEnvoysResponse(gone="edge-1"),
    ]

    lines = [json.loads(line) for line in ask("fleet", "--watch", "-o", "json").stdout.splitlines()]

    assert [(line["id"], line.get("gone", False)) for line in lines] == [("edge-1", False), ("edge-1", True)]


def test_one_watched_envoy(api: AdminApi, ask: Run) -> None:
    """Shown anew when it changes, and only then."""
    api.answers["FleetService/Get"] = pb.Envoy(id="edge-1", in_sync=True)
    api.answers["FleetService/Watch"] = [
        pb.WatchEnvoysResponse(envoy=pb.Envoy(id=name)) for name in ("edge-0", "edge-1", "edge-2")
    ] + [pb.WatchEnvoysResponse(gone="edge-1")]

    result = ask("fleet", "edge-1", "--watch")

    assert result.stdout.count("edge-1") == 1
    assert result.stderr == "edge-1 left (it is not connected any more)\n"


@pytest.fixture
def lease(api: AdminApi) -> Callable[[], Lease]:
    """A lease of 0.03 s at the fake server."""

    def make() -> Lease:
        client = Client(api.address, retry=0)
        return Lease(client, "x:1", messages(["10.0.0.1:80"])[0], 0.03, "table")

    return make


def counted(stop: threading.Event, calls: int) -> Callable[[Message], Message]:
    """An answer to `register` that stops the lease with the last of so many calls."""
    left = iter(range(calls - 1, -1, -1))

    def answer(_: Message) -> Message:
        if next(left) == 0:
            stop.set()
        return pb.RegisterResponse(created=True)

    return answer


def test_a_lease_is_renewed_until_it_is_taken_away(
    api: AdminApi, lease: Callable[[], Lease], capsys: pytest.CaptureFixture[str]
) -> None:
    """Said once, however often it is renewed."""
    stop = threading.Event()
    api.answers["EndpointService/Register"] = counted(stop, 3)
    api.answers["EndpointService/Deregister"] = EDITED

    lease().keep(stop)

    assert api.called == ["EndpointService/Register"] * 3 + ["EndpointService/Deregister"]
    said = capsys.readouterr()
    assert said.out == "10.0.0.1:80 of 'x:1' registered for 0s\n"
    assert said.err == "10.0.0.1:80 of 'x:1' is taken away\n"


def test_a_lease_outlives_the_server(
    api: AdminApi, lease: Callable[[], Lease], capsys: pytest.CaptureFixture[str]
) -> None:
    """It goes on trying, whatever is answered meanwhile, and says so once for each change."""
    stop = threading.Event()
    refused = Refusal(grpc.StatusCode.NOT_FOUND, "not yet")
    api.queues["EndpointService/Register"] = [GONE, GONE, pb.RegisterResponse(), GONE, GONE, refused]
    api.answers["EndpointService/Register"] = counted(stop, 1)
    api.answers["EndpointService/Deregister"] = GONE

    lease().keep(stop)

    first, second, third, again, end = capsys.readouterr().err.splitlines()
    assert first == second
    assert "not registered: no answer from" in first
    assert third == "10.0.0.1:80 of 'x:1' not registered: not yet; trying again"
    assert again == "10.0.0.1:80 of 'x:1' is registered again"
    assert "could not be taken away" in end
    assert end.endswith("it ends within 0s")


def test_a_lease_that_is_refused_at_once_fails(api: AdminApi, lease: Callable[[], Lease]) -> None:
    """A slip of the pen is not tried again."""
    api.answers["EndpointService/Register"] = Refusal(grpc.StatusCode.NOT_FOUND, "no such deployment")

    with pytest.raises(NotFound):
        lease().keep(threading.Event())


def test_registering_once_does_not_try_again(api: AdminApi, ask: Run) -> None:
    """Exit 5 where the server isn't there."""
    api.answers["EndpointService/Register"] = GONE

    assert ask("endpoints", "register", "x:1", "10.0.0.1:80", "--once").exit_code == 5


def test_names_are_completed(api: AdminApi) -> None:
    """Of what the server has; nothing, and no word, where it can't be asked."""
    api.answers["List"] = pb.ListResponse(
        deployments=[pb.Deployment(name="chat"), pb.Deployment(name="echo")]
    )
    context = click.Context(click.Command("get"))
    parameter = click.Argument(["name"])

    context.params["server"] = api.address
    assert names.deployments(context, parameter, "c") == ["chat"]
    context.params["server"] = "127.0.0.1:1"
    assert names.deployments(context, parameter, "c") == []


def test_verbs_and_targets_are_completed(run: Run, api: AdminApi) -> None:
    """Both may stand there."""
    api.answers["GatewayService/List"] = pb.ListGatewaysResponse(gateways=[pb.Gateway(name="default")])
    words = {"_CANARY_COMPLETE": "bash_complete", "COMP_WORDS": "canary resources ", "COMP_CWORD": "2"}

    said = run(**words, CANARY_SERVER=api.address).stdout.split()

    assert said == ["plain,show", "plain,set", "plain,rollback", "plain,history", "plain,default"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_calls_the_command(run: Run, shell: str) -> None:
    """In the way the command answers to."""
    assert f"_CANARY_COMPLETE={shell}_complete" in run("completion", shell).stdout


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (200_000, "2d"), (-5, "0s")],
)
def test_a_span_in_its_largest_unit(seconds: float, said: str) -> None:
    """Once that is full twice."""
    assert times.span(seconds) == said


def test_a_token_is_not_sent_in_plain_text(run: Run) -> None:
    """Off loopback; the sentence names the way out, which then only finds nobody there."""
    refused = run("list", "--server", "192.0.2.1:1", CANARY_TOKEN="secret")

    assert refused.exit_code == 1
    assert "in plain text" in refused.stderr


def test_the_sdk_takes_files_of_resources(api: AdminApi) -> None:
    """As the API has them, beside all other forms."""
    api.answers["ResourceService/Set"] = pb.ResourcesResponse()
    file = pb.File(name="a.yaml", text="x")

    with Client(api.address) as client:
        client.set_resources("default", [file, {"@type": "y"}])

    (sent,) = api.requests
    assert isinstance(sent, pb.SetResourcesRequest)
    assert [each.name for each in sent.files] == ["a.yaml", "document 2"]


def test_a_sources_problem_names_it_once(ask: Run, api: AdminApi) -> None:
    """With the line, where it is in a file; beside its name, without it."""
    problem = "file_sd: targets/a.json:1: is no list"
    source = pb.EndpointSource(name="file_sd: targets/a.json", problem=problem)
    api.answers["EndpointService/List"] = pb.ListEndpointsResponse(sources=[source])

    shown, listed = ask("endpoints"), ask("endpoints", "sources")

    assert f"warning: {problem} (its last good list stays)\n" in shown.stderr
    assert "file_sd: targets/a.json   0           never   line 1: is no list" in listed.stdout
