"""The servers that are measured, driven through the same few verbs.

Ours comes first: what it says to one Envoy is recorded, and the peers begin with that.
"""

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

from bench.programs import ROOT, Program, build
from tests.support.ports import LOOPBACK, free_port
from xds.client import Client

PEERS = Path(__file__).parent / "peers"
OURS, FLOOR, CANNED = "canary", "floor", "canned sender"
GO = "go-control-plane, our layout"
USUAL = "go-control-plane, usual layout"
BATCH = 500
MAX_START = 300.0


class Server(Protocol):
    """One that is measured.

    Attributes:
        name: in the table.
        address: where Envoys connect.
        pid: its process.
        begun: when the process was started (ns).
        ready: when it said that it was ready (ns).
    """

    name: str
    address: str
    pid: int
    begun: int
    ready: int

    def share(self, deployment: int, slots: int) -> None: ...  # noqa: D102 (version `a` gets this many slots)
    def rollback(self, deployment: int, slots: int) -> None: ...  # noqa: D102 (to the share before: `slots`)
    def place(self, deployment: int, port: int) -> None: ...  # noqa: D102 (version `a` runs at this port)
    def stop(self) -> None: ...  # noqa: D102
    def kill(self) -> None: ...  # noqa: D102


def name_of(deployment: int) -> str:
    """`d00042`."""
    return f"d{deployment:05d}"


def document(deployment: int) -> dict[str, object]:
    """A deployment of three versions on one host, users told apart by a header."""
    versions = {
        label: {"weight": 10, "endpoints": [f"{LOOPBACK}:{port}"]}
        for label, port in (("a", 30_000), ("b", 30_001))
    }
    split = {"route_type": "header", "route_by": "X-User-ID", "versions": versions}
    return {"name": name_of(deployment), "endpoints": [f"{LOOPBACK}:30002"], "canary": split}


class Canary:
    """This server, on a store that may already hold its deployments."""

    name = OURS

    def __init__(self, folder: Path, mode: str, port: int = 10_000) -> None:
        """Start it, and return at once; `wait_until_ready` waits. Its Envoys take requests at `port`."""
        listeners = [{"address": LOOPBACK, "port": port}]
        config = {"gateways": [{"name": "default", "mode": mode, "listeners": listeners}]}
        (folder / "canary.yaml").write_text(json.dumps(config))
        self._ready_file = folder / "ready.json"
        self._ready_file.unlink(missing_ok=True)
        self._log = folder / "canary.log"
        xds, self._admin = (f"{LOOPBACK}:{free_port()}" for _ in range(2))
        command = [sys.executable, "-m", "xds.cli.main", "serve", "--config", folder / "canary.yaml"]
        command += ["--store", folder / "canary.db", "--ready-file", self._ready_file]
        command += ["--xds-listen", xds, "--admin-listen", self._admin, "--http-listen", f"{LOOPBACK}:0"]
        command += ["--no-health-checks", "--log-level", "warning"]
        with self._log.open("ab") as log:
            self.begun = self.ready = time.time_ns()
            self._popen = subprocess.Popen(list(map(str, command)), cwd=ROOT, stdout=log, stderr=log)
        self.pid, self.address = self._popen.pid, xds
        self.client = Client(self._admin, timeout=MAX_START)

    def wait_until_ready(self) -> None:
        """Return once it serves.

        Raises:
            RuntimeError: it ended, or took too long; with its last words.
        """
        while not self._ready_file.exists():
            if self._popen.poll() is not None or time.time_ns() - self.begun > MAX_START * 1e9:
                raise RuntimeError(f"canary serve is not ready: {self._log.read_text()[-2000:]}")
            time.sleep(0.002)
        self.ready = time.time_ns()

    def fill(self, deployments: int) -> None:
        """Apply this many deployments."""
        for first in range(0, deployments, BATCH):
            documents = [document(each) for each in range(first, min(first + BATCH, deployments))]
            self.client.apply(*documents)

    def share(self, deployment: int, slots: int) -> None:
        """Set the weight of version `a`."""
        self.client.set_weights(name_of(deployment), {"a": slots / 100})

    def rollback(self, deployment: int, slots: int) -> None:  # noqa: ARG002 (it knows itself)
        """Go back one revision."""
        self.client.rollback(name_of(deployment))

    def place(self, deployment: int, port: int) -> None:
        """Replace the endpoints of version `a`."""
        self.client.set_endpoints(f"{name_of(deployment)}@a", [f"{LOOPBACK}:{port}"])

    def kill(self) -> None:
        """End it at once."""
        self._popen.kill()

    def stop(self) -> None:
        """End it politely, else not."""
        self.client.close()
        self._popen.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(15)
            return
        self._popen.kill()
        self._popen.wait()


class Peer:
    """One that is told in lines of JSON."""

    def __init__(self, name: str, program: Program, begun: int, **begin: object) -> None:
        """Begin; `begin` says with what."""
        self.name, self.begun = name, begun
        self._program = program
        listen = {"listen": f"{LOOPBACK}:0"}
        self.address: str = program.ask(MAX_START, do="begin", **(listen | begin))["address"]
        self.ready = time.time_ns()
        self.pid = program.pid

    def share(self, deployment: int, slots: int) -> None:
        """Set the weight of version `a`."""
        self._program.ask(do="share", deployment=deployment, value=slots)

    def rollback(self, deployment: int, slots: int) -> None:
        """Set the weight it had before."""
        self.share(deployment, slots)

    def place(self, deployment: int, port: int) -> None:
        """Replace the endpoints of version `a`."""
        self._program.ask(do="place", deployment=deployment, value=port)

    def say(self, do: str, seconds: float = 120.0, **said: object) -> None:
        """Whatever else it knows."""
        self._program.ask(seconds, do=do, **said)

    def stop(self) -> None:
        """End it."""
        self._program.stop()

    def kill(self) -> None:
        """End it at once."""
        self._program.kill()


def canned(folder: Path, answers: Path) -> Peer:
    """Our bytes again, written by the load client's own counterpart: what the client can take."""
    binary = build(Path(__file__).parent / "client")
    begun = time.time_ns()
    return Peer(CANNED, Program([binary, "canned"], folder / "canned.log"), begun, path=str(answers))


def floor(folder: Path, answers: Path) -> Peer:
    """A bare grpc.aio loop with our bytes."""
    begun = time.time_ns()
    program = Program([sys.executable, "-m", "bench.peers.floor"], folder / "floor.log")
    return Peer(FLOOR, program, begun, path=str(answers))


def go_control_plane(folder: Path, answers: Path, layout: str, dialect: str) -> Peer:
    """go-control-plane's snapshot cache, in our layout or in its usual one.

    Raises:
        Missing: it can't be built here.
    """
    binary = build(PEERS / "go-control-plane")
    begun = time.time_ns()
    program = Program([binary], folder / "go-control-plane.log")
    name = GO if layout == "ours" else USUAL
    return Peer(name, program, begun, path=str(answers), layout=layout, dialect=dialect)
