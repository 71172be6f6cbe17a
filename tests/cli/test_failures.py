"""What goes wrong: one line on stderr with the mend, nothing on stdout, an exit code to script by."""

import grpc
import pytest

from tests.cli.fake_admin import AdminApi, Refusal, Run, only_main
from tests.support.ports import free_port
from xds.cli import remote
from xds.client import Client, NoAnswer
from xds.stubs import canary_admin_v1_pb2 as pb

CODES = grpc.StatusCode


@pytest.mark.parametrize(
    ("refusal", "exit_code", "message"),
    [
        (Refusal(CODES.NOT_FOUND, "no deployment 'x' (there are: y)"), 1, "no deployment 'x' (there are: y)"),
        (Refusal(CODES.FAILED_PRECONDITION, "nothing\nto return to"), 1, "nothing to return to"),
        (Refusal(CODES.ABORTED, "revision 3 is in force, not 2"), 4, "revision 3 is in force, not 2"),
        (Refusal(CODES.INTERNAL, "disk full"), 1, "the server failed: disk full (its log says more)"),
        (Refusal(CODES.RESOURCE_EXHAUSTED), 1, "the server answered RESOURCE_EXHAUSTED"),
        (Refusal(CODES.NOT_FOUND, "gone", details=b"\xff"), 1, "gone"),
    ],
)
def test_a_refusal_is_a_line_and_an_exit_code(
    api: AdminApi, ask: Run, refusal: Refusal, exit_code: int, message: str
) -> None:
    """The server's own sentence, whatever it sent along."""
    api.answers["Get"] = refusal

    result = ask("get", "x")

    assert (result.exit_code, result.stdout, result.stderr) == (exit_code, "", f"Error: {message}\n")


def test_every_fault_of_a_file_is_a_line(api: AdminApi, ask: Run) -> None:
    """Faults are printed as they are, so that an editor can jump to them."""
    faults = [
        "f.yaml:2: canary.versions.a.weight: 120 is not between 0 and 100",
        "g.yaml:1: name: is missing",
    ]
    api.answers["Apply"] = Refusal(CODES.INVALID_ARGUMENT, "2 faults", faults)

    result = ask("apply", "-f", "-")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "".join(f"{fault}\n" for fault in faults)


def test_a_thousand_faults_arrive(api: AdminApi, ask: Run) -> None:
    """However much is wrong, all of it is said at once."""
    faults = [f"deployments/some-longer-name-{number}.yaml:1: name: is missing" for number in range(1000)]
    api.answers["Apply"] = Refusal(CODES.INVALID_ARGUMENT, "1000 faults", faults)

    assert ask("apply", "-f", "-").stderr.splitlines() == faults


def test_a_server_that_cannot_serve_says_why(api: AdminApi, ask: Run) -> None:
    """Exit 1 with the server's own words: it is there, so there is no use in naming another."""
    api.answers["Abort"] = Refusal(CODES.UNAVAILABLE, "the store is locked (try again)", details=b"\x08\x0e")

    result = ask("abort", "x")

    assert (result.exit_code, result.stderr) == (1, "Error: the store is locked (try again)\n")


def test_a_server_that_is_not_there(run: Run) -> None:
    """Exit 1, for nothing was done; the reason, and how to name another."""
    server = f"127.0.0.1:{free_port()}"

    result = run("list", "--server", server)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: no answer from {server}: ")
    assert result.stderr.endswith(
        "(is `canary serve` running there? --server or CANARY_SERVER names another)\n"
    )
    assert result.stderr.count("\n") == 1


def test_a_server_that_goes_away_meanwhile(api: AdminApi, ask: Run) -> None:
    """Exit 5: the request may have arrived."""
    api.answers["Abort"] = Refusal(CODES.UNAVAILABLE, "Socket closed")

    assert ask("abort", "x").exit_code == 5


def test_a_server_that_is_gone_when_it_is_to_confirm(
    api: AdminApi, ask: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 5, though it isn't reached: the change was made before."""
    api.answers["Abort"] = pb.ChangeResponse(change=pb.Change(deployment=only_main(), changed=True))

    def unreached(*_: object) -> None:
        raise NoAnswer("no answer from nowhere", reached=False)

    monkeypatch.setattr(Client, "progress", unreached)

    result = ask("abort", "echo", "--wait")

    assert result.exit_code == 5
    assert result.stderr == "Error: echo is changed, but not known to be confirmed: no answer from nowhere\n"


def test_a_server_that_answers_too_late(api: AdminApi, ask: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 5, and a hint that the change may have been made."""
    monkeypatch.setattr(remote, "TIMEOUT", 0.0)

    result = ask("abort", "x")

    assert result.exit_code == 5
    assert result.stderr == (
        f"Error: {api.address} did not answer within 0 s "
        "(a change may have been made all the same: `canary list` shows what is in force)\n"
    )


def test_a_server_that_is_something_else(api: AdminApi, ask: Run) -> None:
    """Another gRPC service answers that it does not know the method."""
    api.answers["List"] = Refusal(CODES.UNIMPLEMENTED, "Method not found!")

    result = ask("list")

    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: {api.address} does not know this command (it runs another version, or is no Canary server)\n"
    )


def test_the_flag_wins_over_the_environment(api: AdminApi, run: Run) -> None:
    """--server is asked, not CANARY_SERVER."""
    api.answers["Get"] = Refusal(CODES.NOT_FOUND, "asked")

    result = run("get", "x", "--server", api.address, CANARY_SERVER="127.0.0.1:1")

    assert result.stderr == "Error: asked\n"


@pytest.mark.parametrize(
    "server",
    ["localhost", "host:", ":18001", "host:99999", "::1:18001", "[host]:1", "h:\N{ARABIC-INDIC DIGIT ONE}"],
)
def test_a_server_is_host_and_port(run: Run, server: str) -> None:
    """Anything else is wrong usage: it would be a timeout otherwise."""
    result = run("list", "--server", server)

    assert result.exit_code == 2
    assert f"{server!r} is no HOST:PORT; write for example 127.0.0.1:18001 or [::1]:18001" in result.stderr
