"""`canary metrics`, and waiting for a version to be drained: word for word, and their exit codes."""

import grpc
import pytest

from tests.cli import transcripts
from tests.cli.fake_admin import AdminApi, Refusal, Run
from tests.cli.measured import measured
from xds.cli.metric_words import bars, rate, success, time
from xds.cli.metrics import step_of
from xds.stubs import canary_admin_v1_pb2 as pb

STATE = pb.Confirmation.State
DRAINED = pb.Drain(state=STATE.CONFIRMED, build="summarization:t226", envoys=2, reported=2, in_flight=0)
BUSY = pb.Drain(
    state=STATE.WAITING,
    build="summarization:t226",
    envoys=2,
    reported=1,
    in_flight=3,
    reasons=["edge-2: did not report since", "in flight: 3"],
)

CASES = {
    "metrics": ("metrics", "summarization"),
    "metrics-watch": ("metrics", "summarization", "--watch"),
    "wait-drained": ("wait", "summarization", "--for", "drained=a"),
}
FORMS = [(case, form) for case in CASES for form in ("table", "json")]
FORMS += [("metrics", form) for form in ("wide", "yaml", "name")]


@pytest.fixture(autouse=True)
def _answers(api: AdminApi) -> None:
    api.answers = {
        "MetricsService/Get": measured(),
        "MetricsService/Watch": [measured()],
        "MetricsService/WaitDrained": [BUSY, DRAINED],
    }


@pytest.mark.parametrize(("case", "form"), FORMS)
def test_what_is_printed(ask: Run, case: str, form: str) -> None:
    """In every form."""
    args = (*CASES[case], *(() if form == "table" else ("-o", form)))

    transcripts.check(f"{case}.{form}", transcripts.transcript(args, ask(*args)))


def test_what_is_asked(api: AdminApi, ask: Run) -> None:
    """Each option arrives; twenty steps make up the span."""
    ask("metrics", "x", "--version", "a", "--gateway", "edge", "--revision", "3", "--span", "1h")
    ask("metrics", "x", "--gateway", "all", "--source", "envoy")

    first, second = api.requests
    assert isinstance(first, pb.GetMetricsRequest)
    assert isinstance(second, pb.GetMetricsRequest)
    assert (first.name, first.version, first.gateway, first.revision) == ("x", "a", "edge", 3)
    assert (first.span.seconds, first.step.seconds, first.by_gateway) == (3600, 180, False)
    assert (second.gateway, second.by_gateway, second.source) == ("", True, "envoy")


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (pb.Metrics(), "no Envoy is connected"),
        (pb.Metrics(envoys=1, silent=["e1"]), "bootstrap without metrics?"),
        (pb.Metrics(envoys=1, problems=["prometheus: no answer"]), "prometheus: no answer"),
    ],
)
def test_why_there_is_nothing_to_show(api: AdminApi, ask: Run, found: pb.Metrics, says: str) -> None:
    """On stderr, so that a pipe gets the table only."""
    api.answers["MetricsService/Get"] = found

    assert says in ask("metrics", "x").stderr


def test_status_without_metrics(api: AdminApi, ask: Run, summarization: pb.Deployment) -> None:
    """A server that doesn't know them, or can't answer, spoils nothing else."""
    api.answers["Get"] = summarization
    api.answers["MetricsService/Get"] = Refusal(grpc.StatusCode.UNIMPLEMENTED)

    result = ask("status", "summarization")

    assert result.exit_code == 0
    assert "ERRORS" not in result.stdout


@pytest.mark.parametrize(
    ("state", "says"),
    [(STATE.TIMED_OUT, "in flight: 3"), (STATE.NO_ENVOY, "no Envoy is connected")],
)
def test_not_drained(api: AdminApi, ask: Run, state: pb.Confirmation.State, says: str) -> None:
    """Exit code 5, and what was waited for."""
    last = pb.Drain(state=state, reasons=["in flight: 3"])
    api.answers["MetricsService/WaitDrained"] = [BUSY, last]

    result = ask("wait", "x", "--for", "drained=a", "--timeout", "1m")

    assert result.exit_code == 5
    assert says in result.stderr
    (asked,) = api.requests
    assert isinstance(asked, pb.WaitDrainedRequest)
    assert (asked.name, asked.version, asked.timeout.seconds) == ("x", "a", 60)


@pytest.mark.parametrize("condition", ["drained", "drained=", "ready", "applied=a"])
def test_no_condition(ask: Run, condition: str) -> None:
    """Wrong usage, with what to write."""
    result = ask("wait", "x", "--for", condition)

    assert result.exit_code == 2
    assert "applied, or drained=VERSION" in result.stderr


def test_numbers_are_short() -> None:
    """And never rounded up to perfection."""
    assert [rate(value) for value in (0, 0.0166667, 2.345, 12.5, 1234.5)] == [
        "0",
        "0.0167",
        "2.35",
        "12.5",
        "1234",
    ]
    assert [time(value) for value in (0.0008, 0.34, 2.54, 75.2)] == ["0.8 ms", "340 ms", "2.5 s", "75 s"]
    assert success(pb.VersionMetrics(success_rate=0.999999)) == "99.99 %"
    assert success(pb.VersionMetrics()) == "-"
    assert bars([0, 1, 8]) == "\N{MIDDLE DOT}\N{LOWER ONE QUARTER BLOCK}\N{FULL BLOCK}"
    assert [step_of(span) for span in (5, 60, 300, 3600, 86_400)] == [5, 5, 15, 180, 4320]
