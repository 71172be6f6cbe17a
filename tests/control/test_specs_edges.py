"""What files, stores and translations can do wrong, and what must go on all the same."""

import sqlite3
from pathlib import Path

import pytest

from tests.control.conftest import Planes
from tests.control.test_plane import documents, spec
from xds.catalog.types import Type
from xds.errors import InvalidInput, StoreError
from xds.revisions.record import Revision
from xds.server.specs import SpecsFolder
from xds.store.records import Write
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
        await plane.apply_texts([("api", spec("x") + "hosts: [h.test]\n")], author="api")
        (folder / "y.yaml").write_text(spec("y") + "hosts: [h.test]\n")
        (folder / "z.yaml").write_text(spec("z"))
        await specs.load()
        assert [standing.revision.deployment for standing in plane.deployments()] == ["x", "z"]


async def test_an_unreadable_file_is_that_files_fault(planes: Planes, tmp_path: Path) -> None:
    """A dangling link is gone, a folder of that name is no file; the others are applied."""
    folder = tmp_path / "specs"
    (folder / "folder.yaml").mkdir(parents=True)
    (folder / "link.yaml").symlink_to(folder / "nowhere")
    (folder / "loop.yaml").symlink_to(folder / "loop.yaml")
    (folder / "good.yaml").write_text(spec("good"))
    async with planes() as plane:
        await SpecsFolder(folder, plane).load()
        assert plane.get("good").revision.number == 1


async def test_a_renamed_file_leaves_no_endpoints_behind(planes: Planes) -> None:
    """What the old name gave makes way for what the new one gives."""
    old, new = '{"s:1": ["10.0.0.1:80"]}', '{"s:1": ["10.0.0.2:80"]}'
    async with planes() as plane:
        await plane.apply(
            documents(f"endpoints: {old}\n", spec(), file="old.yaml"),
            author="specs",
            governed=True,
            present={"old.yaml"},
        )
        await plane.apply(
            documents(f"endpoints: {new}\n", spec(), file="new.yaml"),
            author="specs",
            governed=True,
            present={"new.yaml"},
        )
        assert [str(endpoint) for endpoint in plane.get("s").endpoints["s:1"]] == ["10.0.0.2:80"]


async def test_files_are_checked_against_the_apis_endpoints_too(planes: Planes) -> None:
    """Names there, an address here: refused."""
    async with planes() as plane:
        await plane.apply_texts([("f", 'endpoints: {"s:1": ["model.test:80"]}\n')], author="api")
        with pytest.raises(InvalidInput, match="mix host names and IP addresses"):
            await plane.apply(
                documents('endpoints: {"s:1": ["10.0.0.1:80"]}\n'), author="specs", governed=True
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
        await plane.apply_texts([("f", spec("poison")), ("g", spec("fine"))], author="api")
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

    good = store._db
    monkeypatch.setattr(store, "_db", Refusing(good))
    with pytest.raises(StoreError, match="disk I/O error"):
        store.commit(Write(applied={("f", "x"): "1"}))
    monkeypatch.setattr(store, "_db", good)
    store.commit(Write(applied={("f", "x"): "2"}))
    assert store.load(0).applied == {("f", "x"): "2"}
