"""Every Daily command's table and JSON, word for word."""

import datetime as dt
from collections.abc import Iterator

import grpc
import pytest

from tests.cli import transcripts
from tests.cli.fake_admin import AdminApi, Answer, Refusal, Run, only_main, revision
from tests.cli.listener import listener
from tests.cli.measured import measured
from xds.cli import times
from xds.stubs import canary_admin_v1_pb2 as pb

STATE = pb.Confirmation.State
FILE = "name: summarization\n"


def change(deployment: pb.Deployment) -> pb.Change:
    """A change that was made."""
    return pb.Change(
        deployment=deployment,
        changed=True,
        moved=12.5,
        previous=2,
        previous_weights={"main": 92, "a": 8},
    )


def back(deployment: pb.Deployment) -> pb.Change:
    """A rollback that was made."""
    returned = pb.Deployment()
    returned.CopyFrom(deployment)
    returned.revision.CopyFrom(revision(4, "rollback", source=2, main=79.5, a=20, b=0.5))
    return change(returned)


def gone(deployment: pb.Deployment) -> pb.Change:
    """A deletion."""
    deleted = pb.Deployment(name=deployment.name, deleted=True, revision=revision(4, "delete"))
    return pb.Change(deployment=deleted, changed=True, previous=3)


def difference() -> pb.Difference:
    """What a change of weights comes to."""
    text = "--- revision 2\n+++ revision 3\n@@ -1,2 +1,2 @@\n-weight: 8\n+weight: 20\n"
    return pb.Difference(name="summarization", before="revision 2", after="revision 3", text=text, moved=12.5)


def explanation() -> pb.Explanation:
    """A key whose slot is `a`'s."""
    return pb.Explanation(
        version="a",
        slot=8123,
        segment=pb.Explanation.Segment(index=1, start=7950, end=9949),
        reason="X-User-ID 'user123' hashes to slot 8123, which is in a's segment 7950-9949 (of 10000).",
        route="summarization/sticky",
        deployment="summarization",
        build="summarization:t226",
        cluster="summarization_2",
    )


def simulation() -> pb.Simulation:
    """A raise that moves what it has to."""
    move = pb.Simulation.Move(
        from_version="main",
        from_build="summarization:xq4d",
        to_version="a",
        to_build="summarization:t226",
        percent=5,
    )
    keys = [
        pb.Simulation.Key(key=b"user123", before="a", after="a"),
        pb.Simulation.Key(key=b"user\xff", before="main", after="a", moved=True),
    ]
    return pb.Simulation(name="summarization", revision=3, moved=5, least=5, moves=[move], keys=keys)


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    now = dt.datetime(2026, 11, 22, 10, 30, tzinfo=dt.UTC)
    monkeypatch.setattr(times, "now", now.timestamp)


@pytest.fixture
def answers(summarization: pb.Deployment) -> dict[str, Answer]:
    """A server that has one deployment with a canary, and one without."""
    made = change(summarization)
    past = [revision(3, "set-weights", main=79.5, a=20, b=0.5), revision(1, "apply", main=100)]
    past[1].not_returnable = "a: 0 of 1 endpoints usable"
    progress = [
        pb.Confirmation(state=STATE.WAITING, envoys=2, confirmed=1, waiting_for=["edge-2"]),
        pb.Confirmation(state=STATE.CONFIRMED, envoys=2, confirmed=2),
    ]
    return {
        "Apply": pb.ApplyResponse(
            changes=[made, pb.Change(deployment=only_main())],
            endpoints=[pb.EndpointChange(build="chat:v2", count=2, changed=True, deployments=["chat"])],
        ),
        "Get": summarization,
        "List": pb.ListResponse(deployments=[only_main(), summarization]),
        "SetWeights": pb.ChangeResponse(change=made),
        "Promote": pb.ChangeResponse(change=made),
        "Abort": pb.ChangeResponse(change=made),
        "Rollback": pb.ChangeResponse(change=back(summarization)),
        "Delete": pb.ChangeResponse(change=gone(summarization)),
        "Undelete": pb.ChangeResponse(change=made),
        "ListRevisions": pb.ListRevisionsResponse(revisions=past),
        "Diff": pb.DiffResponse(differences=[difference()]),
        "Explain": pb.ExplainResponse(
            explanations=[explanation()], gateway="default", host="summarization", revision=3
        ),
        "Simulate": pb.SimulateResponse(simulations=[simulation()]),
        "Watch": [
            pb.WatchResponse(deployment=summarization),
            pb.WatchResponse(current=True),
            pb.WatchResponse(deleted="echo"),
        ],
        "Wait": progress,
        "MetricsService/Get": measured(),
    }


@pytest.fixture
def envoy() -> Iterator[int]:
    """A listener that gives every third key `a`; its port."""
    with listener(lambda number: "main" if number % 3 else "a") as seen:
        yield seen.port


CASES = {
    "apply": ("apply", "-f", "-"),
    "apply-dry-run": ("apply", "-f", "-", "--dry-run"),
    "create": ("create", "-f", "-"),
    "update": ("update", "-f", "-"),
    "get": ("get", "summarization"),
    "list": ("list",),
    "list-deleted": ("list", "--deleted"),
    "status": ("status", "summarization"),
    "status-watch": ("status", "summarization", "--watch"),
    "delete": ("delete", "summarization"),
    "undelete": ("undelete", "summarization"),
    "set-weight": ("set-weight", "summarization", "a=20"),
    "set-weight-wait": ("set-weight", "summarization", "a=20", "--wait"),
    "promote": ("promote", "summarization", "a"),
    "abort": ("abort", "summarization"),
    "rollback": ("rollback", "summarization", "--to-stable"),
    "history": ("history", "summarization"),
    "diff": ("diff", "summarization", "2", "3"),
    "diff-files": ("diff", "-f", "-"),
    "explain": ("explain", "summarization", "--header", "X-User-ID: user123"),
    "explain-keys": ("explain", "summarization", "--keys", "-"),
    "simulate": ("simulate", "-f", "-"),
    "watch": ("watch",),
    "wait": ("wait", "summarization", "--for", "applied"),
}


FORMS = [(case, form) for case in CASES for form in ("table", "json")]
FORMS += [(case, form) for case in ("abort", "get", "list", "history") for form in ("wide", "yaml", "name")]


@pytest.mark.parametrize(("case", "form"), FORMS)
def test_what_a_daily_command_prints(
    api: AdminApi, ask: Run, answers: dict[str, Answer], case: str, form: str
) -> None:
    """In every form; scripts and fingers rely on it."""
    api.answers = answers
    args = (*CASES[case], *(() if form == "table" else ("-o", form)))

    result = ask(*args, stdin=FILE)

    transcripts.check(f"{case}.{form}", transcripts.transcript(args, result))


@pytest.mark.parametrize("form", ["table", "json"])
def test_what_test_prints(api: AdminApi, ask: Run, answers: dict[str, Answer], envoy: int, form: str) -> None:
    """The key that belongs to the version, and how the answer begins."""
    api.answers = answers | {"Explain": Refusal(grpc.StatusCode.UNIMPLEMENTED)}
    args = ("test", "summarization", "--version", "a", *(() if form == "table" else ("-o", form)))

    result = ask(*args, "--via", f"127.0.0.1:{envoy}")

    transcripts.check(f"test.{form}", transcripts.transcript(args, result))


FAILURES: dict[str, tuple[tuple[str, ...], str, Answer]] = {
    "conflict": (
        ("set-weight", "x", "a=1", "--expected-revision", "2"),
        "SetWeights",
        Refusal(grpc.StatusCode.ABORTED, "revision 3 of 'x' is in force, not 2 (look again)"),
    ),
    "too-few-endpoints": (
        ("promote", "x", "a"),
        "Promote",
        Refusal(grpc.StatusCode.FAILED_PRECONDITION, "a has 0 of 1 endpoints (--force overrides)"),
    ),
    "rejected": (
        ("wait", "x", "--for", "applied"),
        "Wait",
        [pb.Confirmation(state=STATE.REJECTED, envoys=2, rejections=["edge-2: Cluster x_1: no such file"])],
    ),
    "undone": (
        ("wait", "x", "--for", "applied"),
        "Wait",
        [pb.Confirmation(state=STATE.REJECTED, envoys=1, rejections=["edge-2: Cluster: no"], undone_by=5)],
    ),
    "timed-out": (
        ("wait", "x", "--for", "applied"),
        "Wait",
        [pb.Confirmation(state=STATE.TIMED_OUT, envoys=2, confirmed=1, waiting_for=["edge-2"])],
    ),
    "no-envoy": (
        ("wait", "x", "--for", "applied"),
        "Wait",
        [pb.Confirmation(state=STATE.NO_ENVOY)],
    ),
    "superseded": (
        ("wait", "x", "--for", "applied"),
        "Wait",
        [pb.Confirmation(state=STATE.SUPERSEDED, envoys=1)],
    ),
    "unauthenticated": (
        ("list",),
        "List",
        Refusal(grpc.StatusCode.UNAUTHENTICATED, "no token was sent (set CANARY_TOKEN)"),
    ),
}


@pytest.mark.parametrize("case", FAILURES)
def test_how_a_command_fails(api: AdminApi, ask: Run, case: str) -> None:
    """One line with the mend, and the exit code for what it was."""
    args, method, answer = FAILURES[case]
    api.answers[method] = answer

    result = ask(*args)

    assert result.stderr.count("\n") == 1
    transcripts.check(f"failure-{case}", transcripts.transcript(args, result))


@pytest.mark.parametrize(
    ("case", "code"),
    [("conflict", 4), ("too-few-endpoints", 1), ("rejected", 3), ("timed-out", 5), ("no-envoy", 5)],
)
def test_exit_codes(api: AdminApi, ask: Run, case: str, code: int) -> None:
    """3 rejected by Envoys, 4 conflict, 5 not in time or by nobody."""
    args, method, answer = FAILURES[case]
    api.answers[method] = answer

    assert ask(*args).exit_code == code
