"""The specs folder at any load: what it applies, what waits, and what it leaves alone."""

from pathlib import Path

import pytest

from tests.control.conftest import Planes
from tests.control.test_plane import spec, weights
from xds.control.intake import take_in
from xds.control.plane import ControlPlane
from xds.control.state import State
from xds.control.terms import Terms
from xds.discovery.request import Node
from xds.errors import StoreError
from xds.revisions.record import Note
from xds.server.specs import SpecsFolder
from xds.spec.gateway import default_gateway
from xds.spec.read import read
from xds.store.records import Memory, Write
from xds.store.sqlite import SqliteStore


def on_host(name: str, host: str) -> str:
    """A deployment file with a host of its own."""
    return spec(name) + f"hosts: [{host}]\n"


def faulty(plane: ControlPlane) -> list[str]:
    """The files that something is wrong with."""
    return [fault.file for fault in plane.troubles.spec_faults()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty one."""
    folder = tmp_path / "specs"
    folder.mkdir()
    return folder


async def test_a_refused_file_is_tried_again_when_another_is_saved(planes: Planes, folder: Path) -> None:
    """Who had its host is gone by then."""
    async with planes() as plane:
        await plane.deployments.apply_texts([("api", on_host("api", "h.test"))], Terms("api"))
        (folder / "x.yaml").write_text(on_host("x", "h.test"))
        specs = SpecsFolder(folder, plane)
        await specs.load()
        assert faulty(plane) == ["x.yaml"]
        await plane.deployments.delete("api", Terms("api"))
        (folder / "y.yaml").write_text(spec("y"))
        await specs.load()
        assert faulty(plane) == []
        assert plane.deployments.get("x").revision.number == 1


async def test_files_that_could_not_be_stored_are_applied_at_the_next_load(
    planes: Planes, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though nothing in the folder changes in between."""
    (folder / "x.yaml").write_text(spec("x"))
    async with planes() as plane:
        specs = SpecsFolder(folder, plane)

        def full(_: SqliteStore, __: Write) -> int:
            raise StoreError("the disk is full")

        with monkeypatch.context() as broken:
            broken.setattr(SqliteStore, "commit", full)
            await specs.load()
        assert plane.deployments.list() == []
        await specs.load()
        assert plane.deployments.get("x").revision.number == 1


async def test_two_files_change_hosts_at_once(planes: Planes, folder: Path) -> None:
    """What one gives up in the same load is free for the other."""
    async with planes() as plane:
        specs = SpecsFolder(folder, plane)
        for hosts in ({"x": "1.test", "y": "2.test"}, {"x": "2.test", "y": "1.test"}):
            for name, host in hosts.items():
                (folder / f"{name}.yaml").write_text(on_host(name, host))
            await specs.load()
        assert faulty(plane) == []
        assert plane.deployments.get("x").revision.spec.hosts == ("2.test",)


async def test_a_load_undoes_nothing_that_was_done_elsewhere(planes: Planes, folder: Path) -> None:
    """Neither when another file is saved, nor when its own is touched, or said otherwise for a while."""
    async with planes() as plane:
        specs = SpecsFolder(folder, plane)
        (folder / "s.yaml").write_text(spec())
        await specs.load()
        await plane.deployments.set_weights("s", {"a": 50}, Terms("api", force=True))
        (folder / "other.yaml").write_text(spec("other"))
        await specs.load()
        (folder / "s.yaml").touch()
        await specs.load()
        (folder / "s.yaml").write_text("name: [")
        await specs.load()
        (folder / "s.yaml").write_text(spec())
        await specs.load()
        assert weights(plane)["a"] == 50


async def test_a_file_that_says_nothing_new_is_not_refused(planes: Planes, folder: Path) -> None:
    """Other weights were set by the API, an Envoy came that can't do the file's: it isn't to do them."""
    (folder / "s.yaml").write_text(spec().replace("{route_type", "{on_unsupported: refuse, route_type"))
    async with planes() as plane:
        await SpecsFolder(folder, plane).load()
        await plane.deployments.set_weights("s", {"a": 100}, Terms("api", force=True))
        plane.publisher.publish()
        plane.hub.open("default", Node(id="old", version=(1, 35, 0)))
        await SpecsFolder(folder, plane).load()
        assert faulty(plane) == []


def test_what_is_remembered_of_a_file_stays_the_same() -> None:
    """A release that remembers the same file differently would apply it again, over a rollback."""
    places = 'endpoints: {"s:1": ["10.0.0.1:80", {address: "fd00::1", port: 80, weight: 2, zone: eu-1a}]}\n'
    reading = read([("s.yaml", f"{places}---\n{spec()}")])
    state = State((default_gateway(),), Memory({}, {}, {}, {}))
    assert take_in(state, reading.documents, Note("specs", 1.0), governed=True).write.applied == {
        ("s.yaml", "endpoints:s:1"): "c8a1b0527da6f78c",
        ("s.yaml", "s"): "bce0a5e7bdd0dcb0",
    }
