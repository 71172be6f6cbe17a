"""The README's example is a program that runs."""

import re
from pathlib import Path

import pytest

from tests.cli.fake_admin import AdminApi, only_main
from xds.stubs import canary_admin_v1_pb2 as pb

ROOT = Path(__file__).parents[2]
STATE = pb.Confirmation.State


def example() -> str:
    """The program under "From Python"."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## From Python\n")[2]
    found = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture(autouse=True)
def _at_home(api: AdminApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("CANARY_SERVER", api.address)


def answered(state: pb.Confirmation.State) -> pb.ChangeResponse:
    """A change that fared so."""
    said = pb.Confirmation(state=state, envoys=2, confirmed=2)
    return pb.ChangeResponse(
        change=pb.Change(deployment=only_main(), changed=True, moved=9, confirmation=said)
    )


def test_it_drives_a_canary(api: AdminApi, capsys: pytest.CaptureFixture[str]) -> None:
    """Apply, shift in steps, promote; each confirmed before the next."""
    confirmed = answered(STATE.CONFIRMED)
    api.answers = {"Apply": pb.ApplyResponse(), "SetWeights": confirmed, "Promote": confirmed}

    exec(example(), {})

    assert [called.partition("/")[2] for called in api.called] == ["Apply", *["SetWeights"] * 3, "Promote"]
    assert capsys.readouterr().out.startswith("1 %: 2 Envoys, 9.0 % of the users moved\n10 %: ")


def test_a_refused_change_is_undone(api: AdminApi, capsys: pytest.CaptureFixture[str]) -> None:
    """By the server, as it is told with every step; then no further step is taken."""
    api.answers = {
        "Apply": pb.ApplyResponse(),
        "SetWeights": answered(STATE.REJECTED),
    }

    exec(example(), {})

    (request,) = (request for request in api.requests if isinstance(request, pb.SetWeightsRequest))
    assert request.options.wait.rollback_on_reject
    assert api.called[-1].endswith("SetWeights")
    assert "rejected by Envoy" in capsys.readouterr().out


def test_its_files_are_there(api: AdminApi) -> None:
    """What it applies are this repository's examples."""
    api.answers = dict.fromkeys(("SetWeights", "Promote"), answered(STATE.CONFIRMED))
    api.answers["Apply"] = pb.ApplyResponse()

    exec(example(), {})

    (request,) = (request for request in api.requests if isinstance(request, pb.ApplyRequest))
    assert any("name: summarization" in file.text for file in request.files)


def test_it_is_about_ten_lines() -> None:
    """Blank lines apart."""
    assert len([line for line in example().splitlines() if line.strip()]) <= 12
