"""Tables on a terminal of 80 columns."""

import pytest

from tests.cli.fake_admin import AdminApi, revision
from tests.cli.terminal import on_a_terminal
from xds.stubs import canary_admin_v1_pb2 as pb


@pytest.mark.usefixtures("summarization")
def test_a_history_can_be_read(api: AdminApi) -> None:
    """What changed and when stay on a line; the split is wrapped between shares; the comment is short."""
    late = revision(12, "rollback", 9, main=79.5, a=20, b=0.5)
    late.comment = "because the errors in a went up and nobody knew why, at least not until the morning"
    api.answers["ListRevisions"] = pb.ListRevisionsResponse(revisions=[late, revision(1, "apply", main=100)])

    code, shown = on_a_terminal(api, "history", "summarization", NO_COLOR="1", COLUMNS="80")

    lines = shown.replace("\r", "").splitlines()
    assert code == 0
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("12         rollback to 9   ") for line in lines)
    assert any(" a 20 %," in line and " b 0.5 %" not in line for line in lines)
    assert "..." in shown
    assert "morning" not in shown
