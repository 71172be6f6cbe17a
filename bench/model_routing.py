"""What routing by the model in the body costs, beside routing by path: time and memory.

    python -m bench.model_routing

One connection, one request at a time, the two ways in turns, so that whatever else the machine does
meets both. The medians are of this machine; quote the ratio.
"""

import http.client
import json
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import anyio
import click

from tests.support.admin_client import AdminClient
from tests.support.files import deployment, documents, split
from tests.support.mesh import BUILDS, GRPC_BUILDS, Mesh
from tests.support.upstreams import Upstreams

SIZES = {"1 KB": 1_000, "10 KB": 10_000, "100 KB": 100_000, "1 MB": 1_000_000, "10 MB": 10_000_000}
ROUNDS = {"1 MB": 100, "10 MB": 20}
ROUNDS_OF_SMALL = 1000
WARM_UP = 20
UPLOADS = 10
WAYS = {"path": "by-path", "model": "by-model"}
MIB = 1024 * 1024


@contextmanager
def mesh() -> Iterator[Mesh]:
    """A control plane and an Envoy with a deployment reached by path, and one by model."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstreams = Upstreams(folder, *BUILDS, *GRPC_BUILDS)
        stack.callback(upstreams.stop)
        running = stack.enter_context(Mesh(folder, upstreams))
        anyio.run(_deploy, running)
        yield running


async def _deploy(running: Mesh) -> None:
    canary = split("X-User-ID", route_type="header", a=("a1", 20), b=("b1", 30))
    async with AdminClient(running.plane.admin) as admin:
        await admin.apply(
            documents(
                deployment("by-path", canary=canary),
                deployment("by-model", canary=canary, match={"model": ["llama-3-70b", "llama"]}),
                deployment("another", hosts=["by-model"], canary=canary, match={"model": "mistral-7b"}),
            )
        )
        for name in ("by-path", "by-model", "another"):
            await admin.settled(name)


def body_of(size: int) -> bytes:
    """A request for a completion, of about this many bytes."""
    return json.dumps(
        {"messages": [{"role": "user", "content": "x" * size}], "model": "llama-3-70b"}
    ).encode()


def seconds_for(connection: http.client.HTTPConnection, host: str, body: bytes) -> float:
    """How long one request takes."""
    headers = {"host": host, "content-type": "application/json", "x-user-id": "user-1"}
    begun = time.perf_counter()
    connection.request("POST", "/measure", body, headers)
    answer = connection.getresponse()
    length = json.loads(answer.read())["length"]
    took = time.perf_counter() - begun
    assert (answer.status, length) == (200, len(body))
    return took


def time_of(running: Mesh, size: str) -> dict[str, float]:
    """The median time of a request, each way, in milliseconds."""
    connection = http.client.HTTPConnection(*running.gateway)
    body, rounds = body_of(SIZES[size]), ROUNDS.get(size, ROUNDS_OF_SMALL)
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(WARM_UP + rounds):
        for way, host in WAYS.items():
            taken[way].append(seconds_for(connection, host, body))
    connection.close()
    return {way: statistics.median(each[WARM_UP:]) * 1000 for way, each in taken.items()}


def memory_of(running: Mesh, host: str) -> float:
    """MiB that Envoy takes for each of some uploads of 10 MB that lack their last byte."""
    body = body_of(SIZES["10 MB"])
    head = f"POST /measure HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
    head += f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    before = running.envoy.stats("server.memory_allocated")["server.memory_allocated"]
    uploads = [socket.create_connection(running.gateway) for _ in range(UPLOADS)]
    for upload in uploads:
        upload.sendall(head.encode() + body[:-1])
    time.sleep(6)  # the statistic is renewed every 5 s
    during = running.envoy.stats("server.memory_allocated")["server.memory_allocated"]
    for upload in uploads:
        upload.sendall(body[-1:])
        upload.recv(4096)
        upload.close()
    return (during - before) / UPLOADS / MIB


@click.command(help=__doc__)
def main() -> None:
    """Measure, and print a table."""
    with mesh() as running:
        click.echo("| body | by path (median) | by model (median) | ratio |\n|---|---|---|---|")
        for size in SIZES:
            taken = time_of(running, size)
            ratio = taken["model"] / taken["path"]
            click.echo(f"| {size} | {taken['path']:.2f} ms | {taken['model']:.2f} ms | {ratio:.2f} |")
        for way, host in WAYS.items():
            click.echo(f"memory for a body of 10 MB under way, by {way}: {memory_of(running, host):.1f} MiB")


if __name__ == "__main__":
    main()
