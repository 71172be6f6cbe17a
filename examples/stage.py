"""What the demo runs: model services, `canary serve` and the real Envoy, on ports of its own.

Everything is a process of its own, as it would be anywhere else, and lives in a folder that goes when
the demo does. Several demos can run side by side.
"""

import contextlib
import functools
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

EXAMPLES = Path(__file__).parent
HOST = "127.0.0.1"
CANARY = [sys.executable, "-m", "xds.cli.main"]
_PORTS = range(15_000, 32_000)
PATIENCE = 30.0
"""Seconds within which everything has to be ready."""


class Failed(Exception):
    """Something on the stage doesn't work; the text says what, with its last words."""


class Stage:
    """All processes of a demo; used with `with`.

    Attributes:
        folder: their files.
        gateway: `host:port` where the Envoy takes requests.
        envoy_admin: `host:port` of Envoy's own admin interface.
        server: `host:port` of the admin API.
    """

    def __init__(self, builds: Mapping[str, tuple[str, ...]]) -> None:
        """Prepare one.

        Args:
            builds: versions by model.
        """
        self._builds = [(model, version) for model, versions in builds.items() for version in versions]
        self._cleanup = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with self._cleanup:
            self.folder = Path(
                self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="canary-demo-"))
            )
            self.endpoints = self._start_models()
            self._start_control_plane()
            self._start_envoy()
            self._cleanup = self._cleanup.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.close()

    def canary(self, *arguments: str) -> str:
        """Run a `canary` command against the server, and return what it prints.

        Raises:
            Failed: it was refused.
        """
        environment = os.environ | {"CANARY_SERVER": self.server}
        done = subprocess.run(
            [*CANARY, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise Failed(f"canary {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def _start_models(self) -> Path:
        places: dict[str, list[str]] = {}
        for model, version in self._builds:
            port = _free_port()
            program = [sys.executable, str(EXAMPLES / "model.py"), "--model", model]
            self._start(f"{model}-{version}", *program, "--version", version, "--port", str(port))
            places[f"{model}:{version}"] = [f"{HOST}:{port}"]
        for (place,) in places.values():
            self._wait(f"the model at {place}", functools.partial(_ok, f"http://{place}/healthz"))
        file = self.folder / "endpoints.yaml"
        file.write_text(json.dumps({"endpoints": places}))
        return file

    def _start_control_plane(self) -> None:
        port = _free_port()
        self.gateway = f"{HOST}:{port}"
        listener = {"address": HOST, "port": port}
        config = self.folder / "canary.yaml"
        config.write_text(json.dumps({"gateways": [{"name": "default", "listeners": [listener]}]}))
        ready = self.folder / "ready.json"
        files = [
            "--config",
            str(config),
            "--store",
            str(self.folder / "canary.db"),
            "--ready-file",
            str(ready),
        ]
        free = ["--xds-listen", f"{HOST}:0", "--admin-listen", f"{HOST}:0", "--http-listen", f"{HOST}:0"]
        self._start("canary-serve", *CANARY, "serve", *files, *free)
        self._wait("canary serve", ready.exists)
        addresses = json.loads(ready.read_text())
        self.server, self._xds = addresses["admin"], addresses["xds"]

    def _start_envoy(self) -> None:
        self.envoy_admin = f"{HOST}:{_free_port()}"
        file = self.folder / "envoy.yaml"
        who = ["--gateway", "default", "--node-id", "demo"]
        where = ["--xds", self._xds, "--envoy-admin", self.envoy_admin]
        self.canary("bootstrap", *who, *where, "--out", str(file))
        beside = Path(sys.executable).with_name("envoy")
        envoy = str(beside) if beside.exists() else "envoy"
        self._start("envoy", envoy, "-c", str(file), "--concurrency", "1", "--disable-hot-restart")
        self._wait("Envoy", lambda: _ok(f"http://{self.envoy_admin}/ready"))

    def _start(self, name: str, *command: str) -> None:
        """Start a process that ends with the stage. It never sees the Ctrl-C meant for the demo."""
        self._last = self.folder / f"{name}.log"
        with self._last.open("wb") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        self._cleanup.callback(_end, self._process)

    def _wait(self, what: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"{what} does not start:\n{self._last.read_text()[-2000:]}")
            time.sleep(0.05)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    """Below the ephemeral range, where an outgoing connection could take it before it is bound."""
    for port in random.sample(_PORTS, k=len(_PORTS)):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind((HOST, port))
            return port
    raise Failed("no port is free")


def _ok(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 (HTTP)
    except (urllib.error.URLError, OSError):
        return False
