"""What the control plane says about versions, against every request that was really made.

Two gateways, three Envoys, two versions with error rates and latencies of their own, requests at an
even pace. The truth about counts is what clients got, that about latencies the Envoys' access logs.
"""

import asyncio
import dataclasses
import random
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path

import pytest
from aiohttp import web

from tests.support.envoys import Envoy
from tests.support.files import deployment, documents, endpoints, split, tag
from tests.support.ports import LOOPBACK, free_port
from tests.support.serving import Serving, serving
from tests.support.traffic import Answer, Ask, Client
from tests.support.waiting import eventually
from xds.control.terms import Terms
from xds.spec.gateway import Gateway, Listen
from xds.telemetry.records import Scope, Summary
from xds.translate.bootstrap import bootstrap

pytestmark = pytest.mark.envoy

REPORT_EVERY = 1.0
PACE = 0.02
"""Seconds between two requests to an Envoy."""


@dataclasses.dataclass
class Model:
    """A build that fails and takes its time by chance."""

    name: str
    errors: float
    seconds: float
    address: str = ""

    async def answer(self, _: web.Request) -> web.Response:
        """Take some time, and maybe fail."""
        await asyncio.sleep(min(1.0, random.expovariate(1 / self.seconds)))
        return web.Response(text=self.name, status=500 if random.random() < self.errors else 200)

    async def serve(self) -> web.AppRunner:
        """Listen."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self.answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, 0).start()
        self.address = f"{LOOPBACK}:{runner.addresses[0][1]}"
        return runner


@dataclasses.dataclass
class Fleet:
    """Envoys by name, and where their gateways listen."""

    serving: Serving
    folder: Path
    ports: dict[str, tuple[str, int]]
    envoys: dict[str, Envoy] = dataclasses.field(default_factory=dict)

    async def start(self, name: str, gateway: str) -> None:
        """Start one that reports every second."""
        config = bootstrap(
            gateway=gateway,
            xds=self.serving.xds,
            node_id=name,
            envoy_admin=(LOOPBACK, 0),
            report_every=REPORT_EVERY,
        )
        envoy = Envoy(self.folder, self.serving.xds, node_id=name, config=config, wait=False)
        self.envoys[name] = envoy
        await asyncio.to_thread(envoy.process.wait_until, envoy.ready)

    def summary(self, build: str | None = None, gateway: str | None = None, span: float = 60) -> Summary:
        """What is known of the deployment by now."""
        scope = Scope("metered", build, gateway)
        return self.serving.plane.telemetry.summary(scope, span, time.time())

    async def has_heard(self, answers: Sequence[Answer], gateway: str) -> None:
        """Wait until all of these were reported."""

        async def there() -> bool:
            return self.summary(gateway=gateway).counts.requests >= len(answers)

        await eventually(there, f"{len(answers)} requests on {gateway}", 5)

    def durations(self, build: str) -> list[int]:
        """Milliseconds that every request of a build took."""
        logs = (entry for envoy in self.envoys.values() for entry in envoy.access_log())
        return [int(str(entry["duration_ms"])) for entry in logs if entry["build"] == tag(build)]


class Paced:
    """Requests to one Envoy, one every `PACE` seconds."""

    def __init__(self, client: Client, host: str) -> None:
        self.answers: list[Answer] = []
        self._client, self._ask = client, Ask(host)

    async def run(self, seconds: float) -> None:
        """Send them, and wait for the answers."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as tasks:
            for number in range(round(seconds / PACE)):
                await asyncio.sleep(began + number * PACE - loop.time())
                tasks.create_task(self._one())

    def rates(self, summary: Summary) -> list[float]:
        """Requests a second that were sent, over spans that begin up to a report earlier or later.

        Counted and not taken from the pace, which a busy machine doesn't keep.
        """
        since = time.time() - time.monotonic()
        sent = [since + answer.sent for answer in self.answers]
        ends = [summary.ends + REPORT_EVERY * tenth / 10 for tenth in range(-10, 11)]
        return [sum(end - summary.seconds <= at < end for at in sent) / summary.seconds for end in ends]

    async def _one(self) -> None:
        self.answers.append(await self._client.ask(self._ask))


@pytest.fixture
async def models() -> AsyncIterator[dict[str, Model]]:
    """Main hardly fails and is fast; a fails often and is slow."""
    made = {"m": Model("m", 0.02, 0.02), "a": Model("a", 0.2, 0.08)}
    runners = [await model.serve() for model in made.values()]
    yield made
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def fleet(tmp_path: Path, models: dict[str, Model]) -> AsyncIterator[Fleet]:
    """Two gateways; `one` and `two` are of the first, `three` of the second."""
    ports = {"default": free_port(), "edge": free_port()}
    gateways = [
        Gateway(name=name, listeners=(Listen(address=LOOPBACK, port=port),)) for name, port in ports.items()
    ]
    async with serving(tmp_path, *gateways) as running:
        text = documents(
            deployment("metered", main="m", canary=split(a=("a", 40))),
            endpoints(**{name: model.address for name, model in models.items()}),
        )
        await running.plane.deployments.apply_texts([("file.yaml", text)], Terms("test"))
        made = Fleet(running, tmp_path, {name: (LOOPBACK, port) for name, port in ports.items()})
        for name, gateway in (("one", "default"), ("two", "default"), ("three", "edge")):
            await made.start(name, gateway)
        yield made
        for envoy in made.envoys.values():
            envoy.stop()


@pytest.fixture
async def clients(fleet: Fleet) -> AsyncIterator[dict[str, Client]]:
    """One for each gateway's port."""
    async with Client(fleet.ports["default"], 40) as default, Client(fleet.ports["edge"], 40) as edge:
        yield {"default": default, "edge": edge}


async def test_all_of_it_is_so(fleet: Fleet, clients: dict[str, Client]) -> None:
    """Counts to the request, rates within 2 %, percentiles within the bound; kill -9 or not."""
    loads = {gateway: Paced(client, "metered") for gateway, client in clients.items()}
    async with asyncio.TaskGroup() as tasks:
        edge = tasks.create_task(loads["edge"].run(17.0))
        await loads["default"].run(4.0)
        await fleet.has_heard(loads["default"].answers, "default")
        fleet.envoys["two"].process.kill()
        await fleet.start("two", "default")
        again = tasks.create_task(loads["default"].run(11.0))
        await asyncio.wait((edge, again), return_when=asyncio.FIRST_COMPLETED)
        lately = {gateway: fleet.summary(gateway=gateway, span=5) for gateway in loads}
    for gateway, load in loads.items():
        await fleet.has_heard(load.answers, gateway)

    answers = [answer for load in loads.values() for answer in load.answers]
    for label, build in (("main", "m"), ("a", "a")):
        theirs = [answer for answer in answers if answer.version == label]
        seen = fleet.summary(build)
        assert seen.counts.statuses == classes(theirs)
        assert seen.counts.requests == len(theirs) == seen.latency.count == seen.first_byte.count
        assert seen.counts.failures == sum(answer.status == 500 for answer in theirs)
        truth = statistics.quantiles(fleet.durations(build), n=100, method="inclusive")
        said = seen.latency
        for percent, value in ((50, said.p50), (90, said.p90), (95, said.p95), (99, said.p99)):
            assert value == pytest.approx(truth[percent - 1] / 1000, rel=said.error, abs=0.002), percent
    for gateway, summary in lately.items():
        sent = loads[gateway].rates(summary)
        assert 0.98 * min(sent) <= summary.rate <= 1.02 * max(sent), gateway
    assert fleet.summary().envoys == 3
    assert fleet.summary().in_flight == 0


def classes(answers: Iterable[Answer]) -> dict[str, int]:
    """How many answers there were of each class."""
    return dict(Counter(f"{answer.status // 100}xx" for answer in answers))
