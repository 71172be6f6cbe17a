"""Whether a write waits for the Envoys: always where somebody is looking, else when asked to."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from tests.cli.fake_admin import AdminApi, Run, only_main
from tests.cli.terminal import on_a_terminal
from xds.client import Client, Wait
from xds.stubs import canary_admin_v1_pb2 as pb

STATE = pb.Confirmation.State
WAITING = pb.Confirmation(state=STATE.WAITING, envoys=2, confirmed=1, waiting_for=["edge-2"])
CONFIRMED = pb.Confirmation(state=STATE.CONFIRMED, envoys=2, confirmed=2)


@pytest.fixture(autouse=True)
def _answers(api: AdminApi) -> None:
    changed = pb.ChangeResponse(change=pb.Change(deployment=only_main(), changed=True))
    api.answers = {"Abort": changed, "Wait": [WAITING, CONFIRMED]}


def test_on_a_terminal_a_write_waits(api: AdminApi) -> None:
    """With a bar while it does, and the Envoys' word at the end."""
    code, shown = on_a_terminal(api, "abort", "echo")

    assert code == 0
    assert api.called[-1].endswith("/Wait")
    assert "\N{BOX DRAWINGS HEAVY HORIZONTAL}" in shown
    assert "confirmed by 2 of 2 Envoys" in shown


def test_on_a_terminal_it_can_be_told_not_to(api: AdminApi) -> None:
    """--no-wait."""
    code, shown = on_a_terminal(api, "abort", "echo", "--no-wait")

    assert (code, api.called) == (0, ["DeploymentService/Abort"])
    assert "Envoys" not in shown


def test_in_a_pipe_nobody_waits(api: AdminApi, ask: Run) -> None:
    """A script says so if it wants to."""
    assert ask("abort", "echo").exit_code == 0
    assert api.called == ["DeploymentService/Abort"]


def test_a_dry_run_waits_for_nothing(api: AdminApi, ask: Run) -> None:
    """There is nothing to confirm."""
    result = ask("abort", "echo", "--dry-run", "--wait")

    assert result.stdout == "deployment 'echo' would be aborted: revision 1 (main 100 %)\n"
    assert api.called == ["DeploymentService/Abort"]


def test_how_long_and_for_how_many(api: AdminApi, ask: Run) -> None:
    """--timeout, --share and --on-reject go to the server, which watches."""
    ask("abort", "echo", "--wait", "--timeout", "2m", "--share", "90%", "--on-reject", "rollback")

    wait = Wait(share=0.9, timeout=120, rollback_on_reject=True).message()
    assert api.requests[-1] == pb.WaitRequest(name="echo", revision=1, wait=wait)


def test_what_was_in_force_before_is_not_undone(api: AdminApi, ask: Run) -> None:
    """Whatever Envoys refuse of it: this command didn't bring it."""
    api.answers["Abort"] = pb.ChangeResponse(change=pb.Change(deployment=only_main(), changed=False))

    ask("abort", "echo", "--wait", "--on-reject", "rollback")

    assert api.requests[-1] == pb.WaitRequest(name="echo", revision=1, wait=Wait().message())


def test_all_changes_have_the_same_time(api: AdminApi, ask: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one has used the others don't have; when it is over, they are looked at as they are."""
    api.answers["Apply"] = pb.ApplyResponse(changes=[pb.Change(deployment=only_main(), changed=True)] * 3)
    clock = iter([0.0, 18.0, 31.0, 31.0])
    watch = SimpleNamespace(monotonic=lambda: next(clock))
    monkeypatch.setattr("xds.cli.waiting.time", watch)

    ask("apply", "-f", "-", "--wait", "--request-id", "1", stdin="name: echo")

    asked = [request.wait for request in api.requests if isinstance(request, pb.WaitRequest)]
    assert [wait.timeout.ToMilliseconds() for wait in asked] == [30000, 12000, 10]


@pytest.mark.parametrize(
    ("state", "code"),
    [(STATE.REJECTED, 3), (STATE.SUPERSEDED, 4), (STATE.TIMED_OUT, 5), (STATE.NO_ENVOY, 5)],
)
@pytest.mark.parametrize("form", ["table", "json"])
def test_what_is_not_confirmed_has_an_exit_code(
    api: AdminApi, ask: Run, state: pb.Confirmation.State, code: int, form: str
) -> None:
    """The change is printed all the same: it is made."""
    api.answers["Wait"] = [pb.Confirmation(state=state, envoys=2)]

    result = ask("abort", "echo", "--wait", "-o", form)

    assert result.exit_code == code
    assert "echo" in result.stdout
    assert result.stderr.startswith("Error: ")


@pytest.mark.parametrize(
    ("option", "value"),
    [("--timeout", "soon"), ("--timeout", "0"), ("--share", "120%"), ("--share", "most"), ("--share", "0")],
)
def test_wrong_usage(api: AdminApi, ask: Run, option: str, value: str) -> None:
    """Is said before anything is sent."""
    assert ask("abort", "echo", option, value).exit_code == 2
    assert api.called == []


def test_an_interruption_undoes_nothing_and_says_so(ask: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 5: nobody knows yet whether the Envoys take it."""

    def interrupted(*_: object) -> Iterator[pb.Confirmation]:
        yield WAITING
        raise KeyboardInterrupt

    monkeypatch.setattr(Client, "progress", interrupted)

    result = ask("abort", "echo", "--wait")

    assert result.exit_code == 5
    assert "1 of 2 Envoys have it (`canary status echo`)" in result.stderr
