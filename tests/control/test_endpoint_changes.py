"""What applying lists of endpoints says about them."""

import pytest
from structlog.testing import capture_logs

from tests.control.conftest import Planes
from tests.control.test_plane import ENDPOINTS, documents, spec
from xds.control.intake import EndpointChange
from xds.control.plane import ControlPlane
from xds.control.terms import Terms

MORE = 'endpoints: {"s:1": ["10.0.0.1:80", "10.0.0.3:80"]}\n'
UNUSED = 'endpoints: {"s:22": ["10.0.0.1:80"]}\n'


async def edits(plane: ControlPlane, *texts: str) -> tuple[EndpointChange, ...]:
    """What applying a file says about endpoints."""
    applied, _ = await plane.deployments.apply_texts([("f.yaml", "---\n".join(texts))], Terms("me"))
    return applied.endpoints


async def test_a_deployment_of_the_same_file_uses_them(planes: Planes) -> None:
    """Also one that is new."""
    async with planes() as plane:
        assert await edits(plane, ENDPOINTS, spec()) == (
            EndpointChange("s:1", 1, changed=True, deployments=("s",)),
            EndpointChange("s:2", 1, changed=True, deployments=("s",)),
        )


async def test_endpoints_alone_name_who_uses_them(planes: Planes) -> None:
    """The deployments in force."""
    async with planes() as plane:
        await edits(plane, ENDPOINTS, spec("t"), "\n", spec("s"))
        assert await edits(plane, MORE) == (EndpointChange("s:1", 2, changed=True, deployments=("s", "t")),)


async def test_the_same_endpoints_again_are_no_change(planes: Planes) -> None:
    """The caller is told."""
    async with planes() as plane:
        await edits(plane, MORE, spec())
        assert await edits(plane, MORE) == (EndpointChange("s:1", 2, changed=False, deployments=("s",)),)


async def test_endpoints_that_nobody_uses_say_so(planes: Planes) -> None:
    """Neither before nor now."""
    async with planes() as plane:
        await edits(plane, spec())
        assert await edits(plane, UNUSED) == (EndpointChange("s:22", 1, changed=True, deployments=()),)


async def test_a_build_that_was_replaced_is_used_no_more(planes: Planes) -> None:
    """Only what is in force counts."""
    async with planes() as plane:
        await edits(plane, spec(main="s:0"))
        await edits(plane, spec())
        (edit,) = await edits(plane, 'endpoints: {"s:0": ["10.0.0.1:80"]}\n')
        assert edit.deployments == ()


async def test_all_sources_count_together(planes: Planes) -> None:
    """A file has one, the API adds another."""
    async with planes() as plane:
        await plane.deployments.apply(documents(ENDPOINTS, spec()), Terms("specs"), governed=True)
        (edit,) = await edits(plane, 'endpoints: {"s:1": ["10.0.0.9:80"]}\n')
        assert (edit.count, edit.changed) == (2, True)


@pytest.mark.parametrize(("text", "lines"), [(MORE, 1), (ENDPOINTS, 0)])
async def test_an_edit_is_logged_and_what_is_none_is_not(planes: Planes, text: str, lines: int) -> None:
    """With the build, how many it has, and who did it."""
    async with planes() as plane:
        await edits(plane, ENDPOINTS, spec())
        with capture_logs() as logs:
            await edits(plane, text)
    said = {"build": "s:1", "count": 2, "deployments": ["s"], "author": "me"}
    assert logs == [{"event": "endpoints", "log_level": "info", **said}] * lines
