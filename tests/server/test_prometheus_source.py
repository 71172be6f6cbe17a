"""A Prometheus as a source of metrics, against an HTTP API as it has it."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.support.ports import LOOPBACK, free_port
from xds.control.metrics import Names
from xds.errors import Unavailable
from xds.server.prometheus_source import Prometheus
from xds.spec.metric_presets import PRESETS
from xds.spec.metric_sources import PrometheusSource
from xds.telemetry.records import Scope

NOW = 1_800_000_012.0
SCOPE = Scope("chat", "m2", "edge")
ALL = Scope("chat")


class Api:
    """Answers queries as the test says; keeps what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, str]] = []
        self.tokens: set[str | None] = set()
        self.answer: Callable[[str], Any] = lambda _: 1.0
        """Of a query: a number; pairs of times and numbers; a whole response; or None for no series."""

    async def query(self, request: web.Request) -> web.Response:
        """One instant query, or a range."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(form)
        self.tokens.add(request.headers.get("authorization"))
        said = self.answer(form["query"])
        if isinstance(said, web.Response):
            return said
        whole = request.path.endswith("_range")
        series = {"metric": {}, **({"values": said} if whole else {"value": [NOW, str(said)]})}
        kind = "matrix" if whole else "vector"
        result = [] if said is None else [series]
        return web.json_response({"status": "success", "data": {"resultType": kind, "result": result}})


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    """On a port of its own."""
    found = Api()
    app = web.Application()
    for path in ("/api/v1/query", "/api/v1/query_range"):
        app.router.add_post(path, found.query)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    found.url = f"http://{LOOPBACK}:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


def names(scope: Scope) -> Names:
    """Two builds, one of them with odd characters."""
    return Names(('chat:v"2.1',), "a") if scope.build else Names(("chat:v1", 'chat:v"2.1'))


def source(url: str, **said: Any) -> Prometheus:
    """One that asks what the test says."""
    return Prometheus(PrometheusSource(prometheus=url, **said), names, lambda: NOW)


async def test_metrics_have_their_places(api: Api) -> None:
    """Those of a summary are in it; all others are measures."""
    numbers = {"r": 20, "e": 2, "p": 0.25, "f": 0.1, "i": 7, "q": 4}
    api.answer = numbers.__getitem__
    queries = {
        "rate": "r",
        "error_rate": "e",
        "latency_p99": "p",
        "first_byte_p50": "f",
        "in_flight": "i",
        "queue_length": "q",
    }

    found = await source(api.url, queries=queries).summary(SCOPE, 300)

    assert (found.rate, found.error_rate, found.success_rate, found.in_flight) == (20, 2, 0.9, 7)
    assert (found.counts.requests, found.counts.failures, found.seconds) == (6000, 600, 300)
    assert (found.latency.p99, found.first_byte.p50) == (0.25, 0.1)
    assert found.measures == {"queue_length": 4}
    assert found.source == f"prometheus: {api.url}"
    assert {form["time"] for form in api.asked} == {"1800000012.000"}


async def test_placeholders(api: Api) -> None:
    """Filled in as strings of PromQL, and as expressions that match just that."""
    query = 'x{d="{deployment}",v="{version}",b="{build}",g="{gateway}"}[{span}]'
    query += ' + y{selector} + z{selector,a="b"}'
    asking = source(api.url, queries={"m": query})

    await asking.summary(SCOPE, 300)
    await source(api.url, queries={"m": "y{selector}"}).summary(ALL, 60)

    one, every = (form["query"] for form in api.asked)
    literally = r'build=~"chat:v\"2\\.1"'
    assert one == (
        r'x{d="chat",v="a",b="chat:v\"2.1",g="edge"}[300s]'
        f' + y{{{literally}}} + z{{{literally},a="b"}}'
    )
    assert every == r'y{build=~"chat:v1|chat:v\"2\\.1"}'


async def test_a_query_of_one_version_for_all_of_them(api: Api) -> None:
    """Says so, rather than ask for something else."""
    with pytest.raises(Unavailable, match="more than one version"):
        await source(api.url, queries={"m": 'x{b="{build}"}'}).summary(ALL, 300)


@pytest.mark.parametrize("preset", PRESETS)
async def test_presets(api: Api, preset: str) -> None:
    """Each query selects the version in each of its series, and leaves no placeholder."""
    found = await source(api.url, preset=preset).summary(SCOPE, 300)

    assert found.measures.keys() == PRESETS[preset].keys()  # type: ignore[index]  # a name of one
    for form in api.asked:
        query = form["query"]
        series = re.findall(r"[a-z_:]+(?:_[a-z]+)+(?=\{)", query)
        assert series
        assert query.count(r'build=~"chat:v\"2\\.1"') == len(series)
        assert not re.search(r"\{(selector|(span|builds?)\})", query)


def test_presets_have_what_people_wait_for() -> None:
    """The first token, each token, the queue; of BentoML also what it measures of requests."""
    for preset in ("vllm", "tgi", "bentoml"):
        asked = " ".join(PRESETS[preset])
        for what in ("time_to_first_token", "time_per_token", "queue_length"):
            assert what in asked


async def test_what_isnt_there_is_left_out(api: Api) -> None:
    """No series, NaN and infinity are no numbers."""
    answers = {"a": None, "b": "NaN", "c": "+Inf", "d": 3}
    api.answer = answers.__getitem__

    found = await source(api.url, queries={name: name for name in answers}).summary(SCOPE, 300)

    assert found.measures == {"d": 3}


async def test_a_scalar_is_a_number(api: Api) -> None:
    """`vector(1)` or `scalar(...)`: as people write it."""
    data = {"resultType": "scalar", "result": [NOW, "5"]}
    api.answer = lambda _: web.json_response({"status": "success", "data": data})

    assert (await source(api.url, queries={"m": "5"}).summary(SCOPE, 300)).measures == {"m": 5}


async def test_series(api: Api) -> None:
    """Steps, oldest first, the empty ones too."""
    api.answer = lambda _: [[1_799_999_990.0, "2"], [1_800_000_010.0, "4"]]

    points = await source(api.url, queries={"rate": "r"}).series(SCOPE, 10, 30)

    assert [(point.at - 1_800_000_000, point.rate, point.seconds) for point in points] == [
        (-20, 2, 10),
        (-10, 0, 0),
        (0, 4, 10),
        (10, 0, 0),
    ]
    (form,) = api.asked
    assert form["step"] == "10"


async def test_a_token_goes_along(api: Api, tmp_path: Path) -> None:
    """As the file has it at the time."""
    file = tmp_path / "token"
    file.write_text("s3cret\n")
    asking = source(api.url, queries={"m": "m"}, bearer_token_file=str(file))

    await asking.summary(SCOPE, 300)
    file.write_text("other")
    await asking.summary(SCOPE, 300)

    assert api.tokens == {"Bearer s3cret", "Bearer other"}


BAD_QUERY = {"status": "error", "errorType": "bad_data", "error": "parse error: unexpected }"}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda: web.json_response(BAD_QUERY, status=400), "bad_data: parse error"),
        (lambda: web.Response(status=502, text="<html>"), "502 Bad Gateway"),
        (lambda: web.json_response([]), "not as a Prometheus"),
        (lambda: web.json_response({"status": "success", "data": {}}), "not as a Prometheus"),
        (
            lambda: web.json_response(
                {"status": "success", "data": {"resultType": "vector", "result": [{}]}}
            ),
            "not as a Prometheus",
        ),
        (lambda: web.Response(body=b"[" * 100_000), "not as a Prometheus"),
        (lambda: web.Response(body=b" " * (17 * 1024 * 1024)), "longer than"),
    ],
)
async def test_bad_answers_are_no_answers(api: Api, answer: Callable[[], web.Response], says: str) -> None:
    """Unavailable, with the reason."""
    api.answer = lambda _: answer()

    with pytest.raises(Unavailable, match=says):
        await source(api.url, queries={"m": "m"}).summary(SCOPE, 300)


async def test_nobody_there() -> None:
    """Unavailable, with the address."""
    with pytest.raises(Unavailable, match="Cannot connect"):
        await source(f"http://{LOOPBACK}:{free_port()}", queries={"m": "m"}).summary(SCOPE, 300)


async def test_too_slow(api: Api) -> None:
    """It has a time for all its answers."""

    class Slow(web.Response):
        async def prepare(self, request: web.BaseRequest) -> Any:
            await asyncio.sleep(0.5)
            return await super().prepare(request)

    api.answer = lambda _: Slow()

    with pytest.raises(Unavailable, match=r"no answer within 0\.1 s"):
        await source(api.url, queries={"m": "m"}, timeout=0.1).summary(SCOPE, 300)


async def test_a_token_that_cant_be_read(api: Api) -> None:
    """Unavailable: asking without would be refused anyway."""
    with pytest.raises(Unavailable, match="No such file"):
        await source(api.url, queries={"m": "m"}, bearer_token_file="/no/such").summary(SCOPE, 300)
