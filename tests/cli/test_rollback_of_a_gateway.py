"""`canary gateways rollback`: it says what goes and what comes back, before and after."""

import pytest

from tests.cli.fake_admin import AdminApi, Run, only_main, revision
from xds.stubs import canary_admin_v1_pb2 as pb

STATE = pb.Confirmation.State


def named(name: str, kind: str, **before: float) -> pb.Change:
    """A change of the smallest deployment, under another name."""
    deployment = only_main()
    deployment.name, deployment.deleted = name, kind == "delete"
    deployment.revision.CopyFrom(revision(7, kind, main=100))
    return pb.Change(deployment=deployment, changed=True, previous=6, previous_weights=before)


@pytest.fixture(autouse=True)
def _answers(api: AdminApi) -> None:
    changes = [
        named("ab", "delete", main=90, a=10),
        named("cd", "undelete"),
        named("ef", "rollback", main=100),
    ]
    api.answers = {
        "GatewayService/List": pb.ListGatewaysResponse(gateways=[pb.Gateway(name="default", snapshot=9)]),
        "GatewayService/Rollback": pb.RollbackGatewayResponse(changes=changes),
        "Wait": [pb.Confirmation(state=STATE.CONFIRMED, envoys=2, confirmed=2)],
    }


def test_it_says_what_goes_and_what_comes_back(ask: Run) -> None:
    """In the plan, and when it is done."""
    result = ask("gateways", "rollback", "default", "--to", "3")

    assert result.stderr == (
        "plan: ab: revision 6 -> 7, deleted (it has main 90 %, a 10 %)\n"
        "plan: cd: revision 6 -> 7, brought back, main 100 %\n"
        "plan: ef: revision 6 -> 7, main 100 %\n"
    )
    assert result.stdout == (
        "deployment 'ab' deleted: revision 7\n"
        "deployment 'cd' brought back: revision 7 (main 100 %)\n"
        "deployment 'ef' returned to snapshot 3: revision 7 (main 100 %)\n"
    )


def test_a_dry_run_says_so_too(ask: Run) -> None:
    """As what would be."""
    result = ask("gateways", "rollback", "default", "--to", "3", "--dry-run")

    assert result.stdout.splitlines()[0] == "deployment 'ab' would be deleted: revision 7"
    assert "'cd' would be brought back" in result.stdout


def test_what_fared_alike_is_said_once(ask: Run) -> None:
    """With the names of all."""
    result = ask("gateways", "rollback", "default", "--to", "3", "--wait")

    assert result.stderr.splitlines()[3:] == ["ab, cd, ef: confirmed by 2 of 2 Envoys"]


def test_what_fared_otherwise_is_named(api: AdminApi, ask: Run) -> None:
    """All of it; the exit code is that of the first that was not confirmed."""
    confirmed = api.answers["Wait"]
    rejected = [pb.Confirmation(state=STATE.REJECTED, envoys=2, rejections=["edge-2: Cluster: no"])]
    late = [pb.Confirmation(state=STATE.TIMED_OUT, envoys=2, confirmed=1, waiting_for=["edge-1"])]
    api.queues["Wait"] = [confirmed, rejected, late]

    result = ask("gateways", "rollback", "default", "--to", "3", "--wait")

    assert result.exit_code == 3
    assert [line.partition(" ")[0] for line in result.stderr.splitlines()[3:]] == ["ab:", "Error:", "Error:"]
    assert "Error: ef: only 1 of 2" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("Error: cd: rejected by Envoy")
