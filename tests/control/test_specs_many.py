"""Thousands of files in the specs folder: counted in files and calls, not in seconds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.control.conftest import plane_over
from tests.control.test_cost import in_sync
from tests.support.counting import Calls, Counting
from tests.support.waiting import eventually
from xds.control.plane import ControlPlane
from xds.discovery.stream import Stream
from xds.server import spec_files
from xds.server.specs import SpecsFolder
from xds.spec.read import File, read_file

MANY = [100, pytest.param(5_000, marks=pytest.mark.long)]


def write(folder: Path, number: int, weight: int = 10) -> None:
    """A deployment of two versions; every other file has a document of its own for the endpoints."""
    name, place = f"s{number}", f'["10.0.{number // 250}.{number % 250 + 1}:80"]'
    split = f"canary: {{versions: {{a: {{bento: '{name}:a', weight: {weight}}}}}}}\n"
    more = f"---\nendpoints: {{'{name}:a': {place}}}\n" if number % 2 else f"endpoints: {place}\n"
    (folder / f"{name}.yaml").write_text(f"name: {name}\n{split}{more}")


def filled(folder: Path, count: int) -> Path:
    """A folder with so many files."""
    folder.mkdir()
    for number in range(count):
        write(folder, number)
    return folder


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are parsed."""
    names: list[str] = []

    def counting(name: str, text: str) -> File:
        names.append(name)
        return read_file(name, text)

    monkeypatch.setattr(spec_files, "read_file", counting)
    return names


@asynccontextmanager
async def following(specs: SpecsFolder, plane: ControlPlane) -> AsyncIterator[None]:
    """As a server does: follow the folder, publish what changes."""
    async with asyncio.TaskGroup() as tasks:
        going_on = [tasks.create_task(each) for each in (specs.follow(), plane.publisher.run())]
        yield
        for task in going_on:
            task.cancel()


async def next_answer(stream: Stream) -> object:
    """What an Envoy is sent next."""

    async def answered() -> object:
        return stream.next_answer()

    return await eventually(answered, "the change is pushed", 60)


@pytest.mark.parametrize("count", MANY)
async def test_an_edit_among_many_files_is_parsed_and_pushed_alone(
    tmp_path: Path, parsed: list[str], count: int
) -> None:
    """Each file is parsed once at the start, and the one that is edited once more."""
    folder = filled(tmp_path / "specs", count)
    async with plane_over(tmp_path / "canary.db") as plane:
        specs = SpecsFolder(folder, plane)
        await specs.load()
        plane.publisher.publish()
        assert len(plane.deployments.list()) == len(parsed) == count
        envoy = in_sync(plane)
        async with following(specs, plane):
            write(folder, 3, weight=20)
            assert await next_answer(envoy) is not None
        assert parsed[count:] == ["s3.yaml"]
        assert plane.deployments.get("s3").revision.number == 2


@pytest.mark.parametrize("count", MANY)
async def test_a_restart_parses_each_file_once_and_applies_none(
    tmp_path: Path, parsed: list[str], count: int
) -> None:
    """What the store has is in force."""
    folder = filled(tmp_path / "specs", count)
    async with plane_over(tmp_path / "canary.db") as plane:
        await SpecsFolder(folder, plane).load()
    async with plane_over(tmp_path / "canary.db") as plane:
        await SpecsFolder(folder, plane).load()
        assert len(parsed) == 2 * count
        assert {standing.revision.number for standing in plane.deployments.list()} == {1}


async def calls_of_a_load(folder: Path, count: int, *, edits: int = 0) -> Calls:
    """What is called by the first load of so many files; or by the next one, after some were edited."""
    filled(folder, count)
    async with plane_over(folder.with_suffix(".db")) as plane:
        specs = SpecsFolder(folder, plane)
        if edits:
            await specs.load()
        for number in range(edits):
            write(folder, number, weight=20)
        with Counting() as calls:
            await specs.load()
    return calls


async def test_the_first_load_is_linear(tmp_path: Path) -> None:
    """Twice the files cost twice the calls, whatever is compared with what."""
    few, more, most = [await calls_of_a_load(tmp_path / str(count), count) for count in (20, 40, 60)]
    bent = {name for name in most if most[name] - more[name] > (more[name] - few[name]) * 1.2 + 2}
    assert bent == set()


async def test_applying_an_edit_costs_the_same_among_many(tmp_path: Path) -> None:
    """Every function of ours is called as often as among ten files."""
    few, more = [await calls_of_a_load(tmp_path / str(count), count, edits=1) for count in (10, 60)]
    assert {name for name in few | more if few[name] != more[name]} == set()
