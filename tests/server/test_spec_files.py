"""The files of the specs folder: only what changed is read, and nothing that changed is missed."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from xds.server import spec_files
from xds.server.spec_files import SpecFiles
from xds.spec.read import File, read_file

Counted = list[str]


def later() -> int:
    """A clock by which every file has rested."""
    return time.time_ns() + 3600 * 10**9


def spec(name: str, weight: int = 10) -> str:
    """A file of one deployment."""
    return f"name: {name}\ncanary: {{versions: {{a: {{bento: '{name}:a', weight: {weight}}}}}}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With three files, one of them further down."""
    folder = tmp_path / "specs"
    (folder / "team").mkdir(parents=True)
    for name in ("x", "y", "team/z"):
        (folder / f"{name}.yaml").write_text(spec(name.rpartition("/")[2]))
    return folder


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """The files that are parsed from now on."""
    names: Counted = []

    def counting(name: str, text: str) -> File:
        names.append(name)
        return read_file(name, text)

    monkeypatch.setattr(spec_files, "read_file", counting)
    return names


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """The files that are opened from now on."""
    names: Counted = []
    really: Callable[..., str] = Path.read_text

    def counting(path: Path, **how: str) -> str:
        names.append(path.name)
        return really(path, **how)

    monkeypatch.setattr(Path, "read_text", counting)
    return names


def test_the_first_look_parses_each_file_once(folder: Path, parsed: Counted) -> None:
    """In the order of their names, folder by folder."""
    look = SpecFiles(folder, later).look()
    assert parsed == ["team/z.yaml", "x.yaml", "y.yaml"]
    assert look.names == {*parsed}
    assert [document.file for document in look.documents] == parsed


def test_an_edit_reads_and_parses_one_file(folder: Path, parsed: Counted, opened: Counted) -> None:
    """The others aren't even opened."""
    files = SpecFiles(folder, later)
    files.look()
    parsed.clear()
    opened.clear()
    (folder / "y.yaml").write_text(spec("y", 20))
    files.look()
    assert (parsed, opened) == (["y.yaml"], ["y.yaml"])


def test_a_touch_parses_nothing(folder: Path, parsed: Counted, opened: Counted) -> None:
    """The file is read, and says the same."""
    files = SpecFiles(folder, later)
    files.look()
    parsed.clear()
    opened.clear()
    os.utime(folder / "y.yaml", ns=(1, 1))
    files.look()
    assert (parsed, opened) == ([], ["y.yaml"])


def test_a_file_that_was_just_written_is_read_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, parsed: Counted
) -> None:
    """Written twice within a tick of the clock it has the stamp it had, and other weights."""
    first: dict[Path, os.stat_result] = {}
    really = Path.stat
    monkeypatch.setattr(Path, "stat", lambda path: first.setdefault(path, really(path)))
    files = SpecFiles(folder, lambda: 0)
    files.look()
    parsed.clear()
    (folder / "y.yaml").write_text(spec("y", 20))
    files.look()
    assert parsed == ["y.yaml"]


def test_a_file_that_was_put_in_place_of_another_is_read(folder: Path, parsed: Counted) -> None:
    """Of the same size, and with the time of the other."""
    files = SpecFiles(folder, later)
    files.look()
    parsed.clear()
    written = (folder / "y.yaml").stat()
    (folder / "y.new").write_text(spec("y", 20))
    os.utime(folder / "y.new", ns=(written.st_atime_ns, written.st_mtime_ns))
    (folder / "y.new").rename(folder / "y.yaml")
    files.look()
    assert parsed == ["y.yaml"]


def test_a_link_that_leads_elsewhere_now_is_read(folder: Path, tmp_path: Path, parsed: Counted) -> None:
    """As mounted volumes change all of their files at once."""
    for version, weight in (("1", 10), ("2", 20)):
        (tmp_path / version).mkdir()
        (tmp_path / version / "v.yaml").write_text(spec("v", weight))
    (tmp_path / "now").symlink_to("1")
    (folder / "v.yaml").symlink_to(tmp_path / "now" / "v.yaml")
    files = SpecFiles(folder, later)
    files.look()
    parsed.clear()
    (tmp_path / "next").symlink_to("2")
    (tmp_path / "next").rename(tmp_path / "now")
    files.look()
    assert parsed == ["v.yaml"]


def test_what_is_hidden_is_none_of_it(folder: Path) -> None:
    """A ConfigMap that is mounted has each file once more, in a hidden folder that is changed as a whole."""
    (folder / "..2026_11_23").mkdir()
    (folder / "..2026_11_23" / "v.yaml").write_text(spec("v"))
    (folder / "..data").symlink_to("..2026_11_23")
    (folder / "v.yaml").symlink_to("..data/v.yaml")
    look = SpecFiles(folder, later).look()
    assert look.names == {"team/z.yaml", "v.yaml", "x.yaml", "y.yaml"}
    assert not look.faults


def test_what_spans_files_is_compared_with_those_that_are_not_read_again(folder: Path) -> None:
    """A name that another file has is a fault for as long as that file is there."""
    files = SpecFiles(folder, later)
    files.look()
    (folder / "a.yaml").write_text(spec("x"))
    (fault,) = files.look().faults
    assert (fault.file, fault.message) == ("x.yaml", "x is also the deployment of a.yaml:1")
    (folder / "a.yaml").unlink()
    assert files.look().faults == ()


def test_documents_are_there_until_they_were_applied(folder: Path) -> None:
    """And again when their file changes."""
    files = SpecFiles(folder, later)
    files.look()
    files.applied({"x.yaml", "y.yaml"})
    assert [document.file for document in files.look().documents] == ["team/z.yaml"]
    (folder / "y.yaml").write_text(spec("y", 20))
    assert [document.file for document in files.look().documents] == ["team/z.yaml", "y.yaml"]


def test_faults_and_warnings_stay_while_their_file_does(folder: Path) -> None:
    """Whatever else was read in the meantime."""
    (folder / "broken.yaml").write_text("name: [")
    (folder / "odd.yaml").write_text(spec("odd") + "cluster: {}\n")
    files = SpecFiles(folder, later)
    before = files.look()
    assert [fault.file for fault in before.faults] == ["broken.yaml"]
    assert [warning.file for warning in before.warnings] == ["odd.yaml"]
    (folder / "y.yaml").write_text(spec("y", 20))
    after = files.look()
    assert (after.faults, after.warnings) == (before.faults, before.warnings)
