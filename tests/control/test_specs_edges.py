"""What files, stores and translations can do wrong, and what must go on all the same."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.control.conftest import Planes
from tests.control.test_plane import documents, spec
from xds.admin import deployment_messages
from xds.catalog.types import Type
from xds.control.plane import ControlPlane
from xds.control.publisher import Publisher
from xds.control.state import State
from xds.control.terms import Terms
from xds.discovery.hub import Hub
from xds.errors import InvalidInput, StoreError
from xds.revisions import decide
from xds.revisions.record import Note, Revision
from xds.server.specs import SpecsFolder
from xds.spec.deployment import Deployment
from xds.spec.endpoints import Endpoint
from xds.spec.gateway import default_gateway
from xds.store.records import Memory, Write
from xds.store.sqlite import SqliteStore
from xds.translate import hosts


async def test_a_file_in_conflict_with_what_the_api_did_blocks_only_itself(
    planes: Planes, tmp_path: Path
) -> None:
    """Another file of the same folder is applied."""
    folder = tmp_path / "specs"
    folder.mkdir()
    (folder / "x.yaml").write_text(spec("x") + "hosts: [p.test]\n")
    async with planes() as plane:
        specs = SpecsFolder(folder, plane)
        await specs.load()
        await plane.deployments.apply_texts([("api", spec("x") + "hosts: [h.test]\n")], Terms("api"))
        (folder / "y.yaml").write_text(spec("y") + "hosts: [h.test]\n")
        (folder / "z.yaml").write_text(spec("z"))
        await specs.load()
        assert [standing.revision.deployment for standing in plane.deployments.list()] == ["x", "z"]


async def test_an_unreadable_file_is_that_files_fault(planes: Planes, tmp_path: Path) -> None:
    """A dangling link is gone, a folder of that name is no file; the others are applied."""
    folder = tmp_path / "specs"
    (folder / "folder.yaml").mkdir(parents=True)
    (folder / "link.yaml").symlink_to(folder / "nowhere")
    (folder / "loop.yaml").symlink_to(folder / "loop.yaml")
    (folder / "good.yaml").write_text(spec("good"))
    async with planes() as plane:
        await SpecsFolder(folder, plane).load()
        assert plane.deployments.get("good").revision.number == 1


async def test_a_renamed_file_leaves_no_endpoints_behind(planes: Planes) -> None:
    """What the old name gave makes way for what the new one gives."""
    old, new = '{"s:1": ["10.0.0.1:80"]}', '{"s:1": ["10.0.0.2:80"]}'
    async with planes() as plane:
        await plane.deployments.apply(
            documents(f"endpoints: {old}\n", spec(), file="old.yaml"),
            Terms("specs"),
            governed=True,
            present={"old.yaml"},
        )
        await plane.deployments.apply(
            documents(f"endpoints: {new}\n", spec(), file="new.yaml"),
            Terms("specs"),
            governed=True,
            present={"new.yaml"},
        )
        assert [str(endpoint) for endpoint in plane.deployments.get("s").endpoints["s:1"]] == ["10.0.0.2:80"]


async def test_files_are_checked_against_the_apis_endpoints_too(planes: Planes) -> None:
    """Names there, an address here: refused."""
    async with planes() as plane:
        await plane.deployments.apply_texts([("f", 'endpoints: {"s:1": ["model.test:80"]}\n')], Terms("api"))
        with pytest.raises(InvalidInput, match="mix host names and IP addresses"):
            await plane.deployments.apply(
                documents('endpoints: {"s:1": ["10.0.0.1:80"]}\n'), Terms("specs"), governed=True
            )


async def test_a_deployment_that_cannot_be_translated_stops_no_other(
    planes: Planes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays as it was; the server goes on, and starts."""
    really = hosts.section

    def section(view: object) -> object:
        revision: Revision = view.revision  # type: ignore[attr-defined] # any view
        if revision.deployment == "poison":
            raise ValueError("no such thing")
        return really(view)  # type: ignore[arg-type] # any view

    monkeypatch.setattr("xds.control.brought.section", section)
    async with planes() as plane:
        await plane.deployments.apply_texts([("f", spec("poison")), ("g", spec("fine"))], Terms("api"))
        plane.publisher.publish()
        assert b"fine_1" in plane.hub.catalogs["default"].all(Type.ROUTE)["default"].body
    async with planes() as plane:
        assert b"fine_1" in plane.hub.catalogs["default"].all(Type.ROUTE)["default"].body


def test_a_commit_that_fails_does_not_wedge_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next write works."""
    store = SqliteStore(tmp_path / "db")

    class Refusing:
        """The connection, but for its commits."""

        def __init__(self, db: sqlite3.Connection) -> None:
            self._db = db

        def __getattr__(self, name: str) -> object:
            return getattr(self._db, name)

        def execute(self, sql: str, *more: object) -> object:
            if sql == "COMMIT":
                raise sqlite3.OperationalError("disk I/O error")
            return self._db.execute(sql, *more)  # type: ignore[arg-type] # as given

    database = store._database
    good = database._connection
    monkeypatch.setattr(database, "_connection", Refusing(good))
    with pytest.raises(StoreError, match="disk I/O error"):
        store.commit(Write(applied={("f", "x"): "1"}))
    monkeypatch.setattr(database, "_connection", good)
    store.commit(Write(applied={("f", "x"): "2"}))
    assert store.load(0).applied == {("f", "x"): "2"}


async def test_a_conflict_names_the_file_of_who_has_the_host(planes: Planes, tmp_path: Path) -> None:
    """Where it is governed by one: there the host can be changed. Also after a restart."""
    (tmp_path / "team-x.yaml").write_text(spec("x") + "hosts: [h.test]\n")
    async with planes() as plane:
        await SpecsFolder(tmp_path, plane).load()
    async with planes() as plane:
        with pytest.raises(InvalidInput, match=r"which x has \(team-x\.yaml, revision 1\)"):
            await plane.deployments.apply_texts([("y.yaml", spec("y") + "hosts: [h.test]\n")], Terms("api"))


async def test_a_host_given_up_is_free_once_files_govern(planes: Planes) -> None:
    """Made by the API, then taken over by a file without the host: another one gets it."""
    async with planes() as plane:
        await plane.deployments.apply_texts([("x", spec("x") + "hosts: [h.test]\n")], Terms("api"))
        await plane.deployments.apply(documents(spec("x")), Terms("specs"), governed=True)
        await plane.deployments.apply_texts([("y", spec("y") + "hosts: [h.test]\n")], Terms("api"))
        assert plane.deployments.get("y").revision.number == 1


async def test_a_file_that_was_broken_and_is_fine_again_is_logged(planes: Planes, tmp_path: Path) -> None:
    """Even if nothing in it is new."""
    file = tmp_path / "s.yaml"
    async with planes() as plane:
        specs = SpecsFolder(tmp_path, plane)
        for text in (spec(), "name: ["):
            file.write_text(text)
            await specs.load()
        file.write_text(spec())
        with capture_logs() as logs:
            await specs.load()
            await specs.load()
    assert logs == [{"event": "spec file is fine again", "file": "s.yaml", "log_level": "info"}]


def unserved(tmp_path: Path) -> ControlPlane:
    """A control plane whose only deployment is for a gateway that there is no more."""
    revision = decide.apply(Deployment(name="s", gateways=("edge",)), None, {}, Note("me", 1.0))
    assert revision is not None
    memory = Memory({"s": (revision,)}, {"s": {"s@main": "main"}}, {}, {})
    state = State((default_gateway(),), memory)
    publisher = Publisher(state, Hub(["default"]), lambda _: None)
    store = SqliteStore(tmp_path / "db")
    store.close()
    return ControlPlane(state, store, ThreadPoolExecutor(1), publisher)


def test_a_deployment_whose_gateways_are_gone_is_logged_at_the_start(tmp_path: Path) -> None:
    """Once, with the gateways it names."""
    with capture_logs() as logs:
        unserved(tmp_path)
    said = {"deployment": "s", "gateways": ["edge"]}
    warnings = [line for line in logs if line["log_level"] == "warning"]
    assert warnings == [{"event": "no gateway serves it", "log_level": "warning", **said}]


def test_a_deployment_whose_gateways_are_gone_has_a_note(tmp_path: Path) -> None:
    """Also in the API's message."""
    said = deployment_messages.deployment(unserved(tmp_path).deployments.get("s"))
    assert list(said.notes) == ["no gateway serves it (its gateways: edge)"]


async def test_a_broken_file_is_noted_where_its_deployments_are_shown(planes: Planes, tmp_path: Path) -> None:
    """From when to when it is broken, with its first fault; nobody else's deployment says so."""
    folder = tmp_path / "specs"
    folder.mkdir()
    for name in ("x", "y"):
        (folder / f"{name}.yaml").write_text(spec(name))
    async with planes() as plane:
        specs = SpecsFolder(folder, plane)
        await specs.load()
        (folder / "x.yaml").write_text("name: x\nbento: 1\n")
        await specs.load()
        (note,) = plane.deployments.get("x").notes
        assert note.startswith("x.yaml is broken since ")
        assert "x.yaml:2: bento: " in note
        assert note.endswith("what is in force is revision 1")
        assert plane.deployments.get("y").notes == ()
        assert [fault.file for fault in plane.troubles.spec_faults()] == ["x.yaml"]
        (folder / "x.yaml").write_text(spec("x"))
        await specs.load()
        assert plane.deployments.get("x").notes == ()
        assert plane.troubles.spec_faults() == ()


async def test_a_failing_source_is_noted_at_the_deployments_whose_builds_it_lists(planes: Planes) -> None:
    """And at no others; no more once it is fine."""
    async with planes() as plane:
        for name in ("x", "y"):
            await plane.deployments.apply_texts([("api", f"name: {name}\nbento: {name}:1\n")], Terms("api"))
        source = "poll: http://catalog.test"
        lists = {"x:1": (Endpoint(address="10.0.0.1", port=80),)}
        await plane.endpoints.polled(source, lists)
        plane.endpoints.failed(source, "no answer in time")
        assert plane.deployments.get("x").notes == (
            f"{source}: no answer in time (its last list of x:1 stays)",
        )
        assert plane.deployments.get("y").notes == ()
        await plane.endpoints.polled(source, lists)
        assert plane.deployments.get("x").notes == ()
