"""What Envoys' reports cost, and what they cost others.

    python -m bench.telemetry decode            microseconds per report, at 20 and at 100 clusters
    python -m bench.telemetry push [STREAMS]    a change from call to the Envoy that waits for it, while
                                                nobody reports, and while STREAMS (1000) do

Reports are as Envoy 1.40 writes them with our bootstrap, every cluster busy: eight counters, four gauges
and two histograms of 71 buckets each, and 60 families of Envoy's own. Streams are spread evenly over the
five seconds between two reports; their clients run in another process and share the machine.
"""

import asyncio
import contextlib
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc

from tests.support.admin_client import AdminClient
from tests.support.control_plane import ControlPlane
from tests.support.delta import DeltaClient
from tests.support.files import deployment, documents, endpoints, split
from tests.support.metric_messages import Message
from xds.catalog.types import Type
from xds.server.telemetry import SERVICE
from xds.telemetry.message import decode
from xds.telemetry.telemetry import Telemetry

EVERY = 5.0
CHANGES = 100
ENVOYS = 50
"""Of a gateway, in `decode`: so many reports make a window."""


def report(clusters: list[str], at: int, node: str | None = None) -> bytes:
    """A report in which every cluster is busy."""
    chance, message = random.Random(at), Message(at, node)
    for number in range(60):
        message.counter(f"server.own_{number}", number)
    for cluster in clusters:
        label = {"envoy.cluster_name": cluster}
        message.requests(cluster, [chance.lognormvariate(4, 1) for _ in range(50)], ok=48, failed=2)
        message.histogram(
            "canary.first_byte", [chance.lognormvariate(3, 1) for _ in range(50)], {"cluster": cluster}
        )
        message.active(cluster, 7).members(cluster, 3, 3)
        message.gauge("cluster.upstream_cx_active", 5, **label)
        for name in ("rq_total", "rq_completed", "rq_timeout", "rq_retry", "rq_rx_reset", "cx_total"):
            message.counter(f"cluster.upstream_{name}", chance.choice((0, 1, 50)), **label)
    return message.raw()


def bench_decode() -> None:
    """Reading a report, and reading it and counting what it says."""
    for count in (20, 100):
        names = [f"model-{number}_v1" for number in range(count)]
        raws = [report(names, at) for at in range(1, 201)]
        telemetry = Telemetry(lambda _deployment, _build: 1)
        feeds = [telemetry.join(f"e{number}", "default", 0.0) for number in range(ENVOYS)]
        reading, taking = [], []
        for number, raw in enumerate(raws):
            began = time.thread_time()
            _, said = decode(raw, first=False)
            read = time.thread_time()
            telemetry.take(feeds[number % ENVOYS], said, len(raw), number * EVERY / ENVOYS)
            reading.append(read - began)
            taking.append(time.thread_time() - read)
        read, take = statistics.mean(reading), statistics.mean(taking)
        print(
            f"{count:4} clusters: {len(raws[0]) / 1024:6.1f} KB, decode {read * 1e6:6.0f} us, "
            f"count {take * 1e6:6.0f} us; a core carries {EVERY / (read + take):6.0f} Envoys at {EVERY:g} s"
        )


async def report_for_ever(host: str, streams: int, clusters: int) -> None:
    """Simulate Envoys that report; the program's other half."""
    names = [f"model-{number}_m" for number in range(clusters)]
    spread = [report(names, at)[:] for at in range(1, 5)]
    options = [("grpc.use_local_subchannel_pool", 1)]

    async def one(number: int) -> None:
        await asyncio.sleep(number / streams * EVERY)

        async def reports() -> AsyncIterator[bytes]:
            yield Message(1, f"e{number}").raw()
            for at in range(10**6):
                raw = spread[at % len(spread)]
                yield raw
                await asyncio.sleep(EVERY)

        async with grpc.aio.insecure_channel(host, options) as channel:
            method: grpc.aio.StreamUnaryMultiCallable[bytes, bytes] = channel.stream_unary(
                f"/{SERVICE}/StreamMetrics"
            )
            await method(reports())

    await asyncio.gather(*map(one, range(streams)))


async def bench_push(streams: int, clusters: int = 20) -> None:
    """Milliseconds from the call of a verb to the answer at an Envoy that waits for it."""
    with tempfile.TemporaryDirectory() as folder:
        plane = ControlPlane(Path(folder), settings={"push_window": "0ms", "log_level": "warning"})
        try:
            await _push(plane, streams, clusters)
        finally:
            plane.kill()


async def _push(plane: ControlPlane, streams: int, clusters: int) -> None:
    host = f"{plane.xds[0]}:{plane.xds[1]}"
    deployments = [
        deployment(f"model-{number}", main="m", canary=split(a=("a", 10))) for number in range(clusters)
    ]
    async with AdminClient(plane.admin) as admin:
        await admin.apply(documents(*deployments, endpoints(m="127.0.0.1:9", a="127.0.0.1:9")))
        quiet = await _latencies(plane, admin)
        command = [sys.executable, "-m", "bench.telemetry", "reports", host, str(streams), str(clusters)]
        fleet = subprocess.Popen(command)  # noqa: ASYNC220 (it returns at once)
        try:
            await asyncio.sleep(2 * EVERY)
            used = _cpu(plane.process.pid)
            began = time.monotonic()
            loud = await _latencies(plane, admin)
            await asyncio.sleep(EVERY)
            cpu = (_cpu(plane.process.pid) - used) / (time.monotonic() - began)
        finally:
            fleet.kill()
    for name, times in (("nobody reports", quiet), (f"{streams} report", loud)):
        median, late = statistics.median(times) * 1000, statistics.quantiles(times, n=20)[-1] * 1000
        print(f"{name:16} a change reaches the Envoy in {median:6.1f} ms (p95 {late:6.1f} ms)")
    ratio = statistics.median(loud) / statistics.median(quiet)
    print(f"ratio {ratio:.2f}; the control plane uses {cpu:.0%} of a core meanwhile")


async def _latencies(plane: ControlPlane, admin: AdminClient) -> list[float]:
    times = []
    async with DeltaClient(plane.xds) as envoy:
        await envoy.subscribe(Type.ROUTE, "default")
        await envoy.ack(await envoy.receive())
        for number in range(CHANGES):
            began = time.perf_counter()
            await admin.set_weights("model-0", a=11 + number % 50)
            answer = await envoy.receive()
            times.append(time.perf_counter() - began)
            await envoy.ack(answer)
            await asyncio.sleep(random.uniform(0.0, 0.05))
    return times


def _cpu(pid: int) -> float:
    """Seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def main() -> None:
    """Run what the arguments say."""
    match sys.argv[1:]:
        case ["reports", host, streams, clusters]:
            with contextlib.suppress(KeyboardInterrupt):
                asyncio.run(report_for_ever(host, int(streams), int(clusters)))
        case ["push", *streams]:
            asyncio.run(bench_push(int(streams[0]) if streams else 1000))
        case _:
            bench_decode()


if __name__ == "__main__":
    main()
