"""The ready file, and a start that fails: one line, and nothing left behind."""

import json
from pathlib import Path

import pytest

from xds.errors import SettingsError, StoreError
from xds.server import run as server
from xds.server.ready import ReadyFile
from xds.server.settings import Settings


def test_it_has_the_addresses(tmp_path: Path) -> None:
    """As JSON, and nothing else is left in its folder."""
    ReadyFile(tmp_path / "r.json").write({"xds": "h:1"})
    assert [json.loads(file.read_text()) for file in tmp_path.iterdir()] == [{"xds": "h:1"}]


def test_a_stale_one_can_be_removed_twice(tmp_path: Path) -> None:
    """At the start and at the end."""
    (tmp_path / "r.json").write_text("{}")
    ready = ReadyFile(tmp_path / "r.json")
    ready.remove()
    ready.remove()
    assert list(tmp_path.iterdir()) == []


def test_one_that_is_still_valid_survives_the_check(tmp_path: Path) -> None:
    """A second server that will be refused must not take the first one's."""
    (tmp_path / "r.json").write_text("first")
    ReadyFile(tmp_path / "r.json")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["first"]


def test_a_path_that_cannot_be_written_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    """There is no store then, either."""
    settings = Settings(store=tmp_path / "canary.db", ready_file=tmp_path / "no" / "r.json")
    with pytest.raises(SettingsError, match=r"can't write the ready file .*r\.json: No such file"):
        server.run(settings)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [StoreError("full"), SettingsError("no")])
def test_what_goes_wrong_among_tasks_is_told_as_itself(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Not as a group, which the command would print as a traceback."""

    async def serve(_: Settings) -> None:
        raise ExceptionGroup("tasks", [ValueError("also"), ExceptionGroup("inner", [error])])

    monkeypatch.setattr(server, "serve", serve)
    with pytest.raises(type(error)) as caught:
        server.run(Settings())
    assert caught.value is error


def test_a_bug_among_tasks_stays_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its traceback is wanted."""

    async def serve(_: Settings) -> None:
        raise ExceptionGroup("tasks", [ValueError("bug")])

    monkeypatch.setattr(server, "serve", serve)
    with pytest.raises(ExceptionGroup, match="tasks"):
        server.run(Settings())
