"""Sources of endpoints that are polled: what they bring, and what they can't break."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from tests.support.ports import LOOPBACK, free_port
from tests.support.serving import Serving, serving
from tests.support.waiting import eventually
from xds.server.sources import Sources
from xds.spec.gateway import Gateway, Listen
from xds.spec.service_discovery import EndpointSource


class Registry:
    """A discovery that answers by HTTP; the test says what."""

    def __init__(self) -> None:
        self.status, self.text = 200, "[]"
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        """What the test wants."""
        self.asked.append(request.headers["x-prometheus-refresh-interval-seconds"])
        return web.Response(status=self.status, text=self.text)


def group(build: str, *places: str) -> str:
    """An answer of one group."""
    return json.dumps([{"targets": places, "labels": {"build": build}}])


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Serving]:
    """A control plane."""
    async with serving(tmp_path, Gateway(name="default", listeners=(Listen(port=free_port()),))) as running:
        yield running


@contextlib.asynccontextmanager
async def polling(server: Serving, *sources: EndpointSource) -> AsyncIterator[None]:
    """Sources are followed, as a server does it."""
    polls = Sources(sources, server.plane.endpoints)
    await polls.load()
    task = asyncio.create_task(polls.follow())
    yield
    assert not task.done()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@contextlib.asynccontextmanager
async def registry() -> AsyncIterator[tuple[Registry, EndpointSource]]:
    """A discovery, and the source that polls it."""
    found = Registry()
    app = web.Application()
    app.router.add_get("/sd", found.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    url = f"http://{LOOPBACK}:{runner.addresses[0][1]}/sd"
    yield found, EndpointSource(http_sd=url, interval=0.05, timeout=5.0)
    await runner.cleanup()


def places(server: Serving, build: str = "s:1") -> list[str]:
    """Where a build is."""
    builds = {each.ref: each.endpoints for each in server.plane.endpoints.list()}
    return [str(each.endpoint) for each in builds.get(build, ())]


async def has(server: Serving, *expected: str, build: str = "s:1") -> None:
    """Wait until a build is there."""

    async def look() -> bool:
        return places(server, build) == list(expected)

    await eventually(look, f"{build} at {expected}")


async def problem(server: Serving, says: str) -> None:
    """Wait until the one source has a problem that says this, or ("") none."""

    async def look() -> bool:
        told = [source.problem for source in server.plane.endpoints.sources()]
        return bool(told) and all(says in each if says else not each for each in told)

    await eventually(look, f"a problem with {says!r}")


async def test_a_file_is_followed(server: Serving, tmp_path: Path) -> None:
    """Its builds have what it says, soon after it says it."""
    file = tmp_path / "x.json"
    file.write_text(group("s:1", "10.0.0.1:80"))
    async with polling(server, EndpointSource(file_sd=str(tmp_path / "*.json"))):
        assert places(server) == ["10.0.0.1:80"]
        file.write_text(group("s:1", "10.0.0.2:80"))
        await has(server, "10.0.0.2:80")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "no endpoint"),
        (group("s:1"), "no endpoint"),
        ("[{", "broken"),
        (group("s:1", "10.0.0.1"), "has no port"),
        ("", "is empty"),
    ],
)
async def test_a_file_that_lists_nothing_or_nonsense_keeps_its_last_list(
    server: Serving, tmp_path: Path, text: str, says: str
) -> None:
    """And says so, until it is fine again."""
    file = tmp_path / "x.json"
    file.write_text(group("s:1", "10.0.0.1:80"))
    async with polling(server, EndpointSource(file_sd=str(file))):
        file.write_text(text)
        await problem(server, says)
        assert places(server) == ["10.0.0.1:80"]
        file.write_text(group("s:1", "10.0.0.2:80"))
        await problem(server, "")
        assert places(server) == ["10.0.0.2:80"]


async def test_a_file_that_is_gone_keeps_its_last_list(server: Serving, tmp_path: Path) -> None:
    """Until another lists the build: then it was renamed."""
    file = tmp_path / "x.json"
    file.write_text(group("s:1", "10.0.0.1:80"))
    async with polling(server, EndpointSource(file_sd=str(tmp_path / "*.json"))):
        file.unlink()

        async def told() -> bool:
            return any("gone" in source.problem for source in server.plane.endpoints.sources())

        await eventually(told, "it is gone")
        assert places(server) == ["10.0.0.1:80"]
        (tmp_path / "y.json").write_text(group("s:1", "10.0.0.2:80"))
        await has(server, "10.0.0.2:80")


async def test_a_pattern_that_matches_nothing_is_a_problem_until_it_does(
    server: Serving, tmp_path: Path
) -> None:
    """Then each of its files is a source."""
    pattern = str(tmp_path / "*.json")
    async with polling(server, EndpointSource(file_sd=pattern)):
        await problem(server, "there is no such file")
        (tmp_path / "x.json").write_text(group("s:1", "10.0.0.1:80"))
        await problem(server, "")
        (source,) = server.plane.endpoints.sources()
        assert source.name == f"file_sd: {tmp_path / 'x.json'}"


async def test_a_url_is_polled(server: Serving) -> None:
    """It is told how often."""
    async with registry() as (found, source):
        found.text = group("s:1", "10.0.0.1:80")
        async with polling(server, source):
            await has(server, "10.0.0.1:80")
            found.text = group("s:1", "10.0.0.1:80", "10.0.0.2:80")
            await has(server, "10.0.0.1:80", "10.0.0.2:80")
        assert set(found.asked) == {"0.05"}


async def test_a_url_that_fails_keeps_its_last_list(server: Serving) -> None:
    """Whether it answers wrongly, or not at all."""
    async with registry() as (found, source):
        found.text = group("s:1", "10.0.0.1:80")
        async with polling(server, source):
            await has(server, "10.0.0.1:80")
            found.status = 503
            await problem(server, "it answered 503")
            found.status, found.text = 200, "<html>"
            await problem(server, "list of groups")
            assert places(server) == ["10.0.0.1:80"]


async def test_nobody_there_is_a_problem_of_that_source_only(server: Serving, tmp_path: Path) -> None:
    """The other one is read."""
    (tmp_path / "x.json").write_text(group("s:1", "10.0.0.1:80"))
    nobody = EndpointSource(http_sd=f"http://{LOOPBACK}:{free_port()}/", interval=0.05)
    async with polling(server, nobody, EndpointSource(file_sd=str(tmp_path / "x.json"))):
        await has(server, "10.0.0.1:80")

        async def told() -> bool:
            return any("Cannot connect" in source.problem for source in server.plane.endpoints.sources())

        await eventually(told, "nobody is there")


async def test_a_build_missing_from_an_answer_with_others_is_emptied(server: Serving) -> None:
    """It was taken away; the discovery works."""
    async with registry() as (found, source):
        found.text = group("s:1", "10.0.0.1:80")
        async with polling(server, source):
            await has(server, "10.0.0.1:80")
            found.text = group("s:2", "10.0.0.2:80")
            await has(server)


async def test_a_problem_is_logged_once(server: Serving) -> None:
    """Not at every poll."""
    async with registry() as (found, source):
        found.status = 500
        with capture_logs() as logs:
            async with polling(server, source):

                async def often() -> bool:
                    return len(found.asked) > 5

                await eventually(often, "some polls")
    assert [line["problem"] for line in logs if line["event"].startswith("endpoint source")] == [
        "it answered 500 Internal Server Error"
    ]


async def test_metrics_say_which_source_fails(server: Serving) -> None:
    """For an alert."""
    async with registry() as (found, source):
        found.text = group("s:1", "10.0.0.1:80")
        async with polling(server, source):
            await has(server, "10.0.0.1:80")
            await problem(server, "")

            def value(name: str) -> float | None:
                return server.registry.get_sample_value(name, {"source": source.name})

            assert value("canary_endpoint_source_endpoints") == 1
            assert value("canary_endpoint_source_failing") == 0
            found.text = "[]"
            await problem(server, "no endpoint")
            assert value("canary_endpoint_source_failing") == 1
