"""Reading what changed comes to the same as reading everything anew, whatever happens to a folder."""

import asyncio
import itertools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from tests.control.conftest import plane_over
from xds.control.plane import ControlPlane
from xds.control.terms import Terms
from xds.errors import CanaryError
from xds.server import spec_files
from xds.server.specs import SpecsFolder

FILES = ("a.yaml", "b.json", "sub/c.yml")
NAMES = ("x", "y")
_ticks = itertools.count(1)

Step = Callable[[Path], None]
"""Something that happens to the folder."""


def deployment(name: str, host: str | None, weight: int, odd: str) -> str:
    """A deployment with one canary; `odd` is one more line."""
    versions = f"{{a: {{bento: '{name}:a', weight: {weight}}}}}"
    hosts = f"hosts: [{host}]\n" if host else ""
    return f"name: {name}\ncanary: {{versions: {versions}}}\n{hosts}{odd}"


def places(ref: str, place: str) -> str:
    """Endpoints of one build."""
    return f'endpoints: {{"{ref}": [{place}]}}\n'


documents = st.builds(
    deployment,
    st.sampled_from(NAMES),
    st.sampled_from([None, "1.test"]),
    st.sampled_from([10, 20]),
    st.sampled_from(["", "", "cluster: {}\n", "gateways: [nowhere]\n"]),
) | st.builds(
    places,
    st.sampled_from([f"{name}:a" for name in NAMES]),
    st.sampled_from(['"10.0.0.1:80"', '"10.0.0.2:80"', '"model.test:80"', ""]),
)
texts = st.lists(documents, max_size=3).map("---\n".join) | st.sampled_from(["name: [", ""])


def stamp(file: Path) -> None:
    """Give a file a time that no other was given."""
    os.utime(file, ns=(0, next(_ticks)))


def write(name: str, text: str) -> Step:
    """A file is there, and says this."""

    def step(folder: Path) -> None:
        (folder / name).write_text(text)
        stamp(folder / name)

    return step


def delete(name: str) -> Step:
    """A file is gone."""
    return lambda folder: (folder / name).unlink(missing_ok=True)


def rename(name: str, other: str) -> Step:
    """A file has another name."""

    def step(folder: Path) -> None:
        if (folder / name).exists():
            (folder / name).rename(folder / other)

    return step


def touch(name: str) -> Step:
    """A file was written, and says what it said."""

    def step(folder: Path) -> None:
        if (folder / name).exists():
            stamp(folder / name)

    return step


names = st.sampled_from(FILES)
steps = st.one_of(
    st.builds(write, names, texts),
    st.builds(write, names, texts),
    st.builds(delete, names),
    st.builds(rename, names, names),
    st.builds(touch, names),
)
verbs = st.sampled_from(["nothing", "nothing", "abort", "delete", "rollback"])
changes = st.tuples(st.lists(steps, min_size=1, max_size=4), verbs, st.sampled_from(NAMES))


async def call(plane: ControlPlane, verb: str, name: str) -> None:
    """What somebody does by the API."""
    if verb != "nothing":
        try:
            await getattr(plane.deployments, verb)(name, Terms("api", force=True))
        except CanaryError:
            return


def seen(plane: ControlPlane) -> object:
    """What came of it all."""
    state = plane.deployments._state
    revisions = {name: state.existing(name) for name in state.names()}
    return (
        {name: (head.number, head.kind, head.spec) for name, head in revisions.items()},
        {ref: state.lists_of(ref) for ref in state.book.refs()},
        state.applied,
        plane.troubles.spec_faults(),
    )


async def follow(history: list[tuple[list[Step], str, str]], folder: Path) -> None:
    """Let two control planes follow: one reads what changed, the other begins anew each time."""
    specs = folder / "specs"
    (specs / "sub").mkdir(parents=True)
    async with plane_over(folder / "1.db") as one, plane_over(folder / "2.db") as other:
        followed = SpecsFolder(specs, one)
        for happened, verb, name in history:
            for step in happened:
                step(specs)
            await followed.load()
            await SpecsFolder(specs, other).load()
            assert seen(one) == seen(other)
            for plane in (one, other):
                await call(plane, verb, name)


@given(st.lists(changes, min_size=1, max_size=8))
def test_increments_come_to_the_same_as_reading_everything(
    history: list[tuple[list[Step], str, str]],
) -> None:
    """Deployments, endpoints, what is remembered and what is wrong are the same after each load."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(spec_files, "_RESTED", -(1 << 62)):
        asyncio.run(follow(history, Path(folder)))
