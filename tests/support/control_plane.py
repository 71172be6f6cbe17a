"""`canary serve` as a program of its own, which can be killed and comes back on the same ports."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from tests.support.ports import LOOPBACK, free_port
from tests.support.process import Process


class ControlPlane:
    """A control plane with the gateway `default`, and whatever others it is given.

    Attributes:
        listener: where the Envoys of the gateway take requests.
        specs: the watched folder, if there is one.
        process: the present run.
        ready_file: there while it is ready.
    """

    def __init__(
        self,
        folder: Path,
        *,
        specs: Path | None = None,
        gateways: Sequence[Mapping[str, object]] = (),
        keep_builds: str = "10m",
        settings: Mapping[str, object] | None = None,
        mode: str = "table",
        patience: float = 20.0,
    ) -> None:
        """Start one.

        Args:
            folder: where its files go.
            specs: a folder to watch.
            gateways: those besides `default`.
            keep_builds: how long a retired build keeps its cluster.
            settings: more of its configuration file.
            mode: of the gateway `default`.
            patience: seconds within which it is ready.
        """
        self.listener = (LOOPBACK, free_port())
        self.specs = specs
        self._folder = folder
        self._patience = patience
        self.ready_file = folder / "ready.json"
        self._listen = {"xds": f"{LOOPBACK}:0", "admin": f"{LOOPBACK}:0", "http": f"{LOOPBACK}:0"}
        self._config = folder / "canary.yaml"
        self._said = {"gateways": [*gateways], "keep_builds": keep_builds, **(settings or {})}
        self.configure(mode)
        self.start()

    def configure(self, mode: str) -> None:
        """Write its configuration, with `default` in this mode; the next start reads it."""
        listener = {"address": self.listener[0], "port": self.listener[1]}
        default = {"name": "default", "mode": mode, "listeners": [listener]}
        gateways = [default, *cast("list[object]", self._said["gateways"])]
        self._config.write_text(json.dumps({**self._said, "gateways": gateways}))

    def start(self) -> None:
        """Start it, from the second time on at the addresses it had before, and wait until ready."""
        self.ready_file.unlink(missing_ok=True)
        self.process = Process(self.command, self._folder, "canary-serve")
        self.process.wait_until(self.ready_file.exists, self._patience)
        self._listen = json.loads(self.ready_file.read_text())

    def stop(self) -> int:
        """End it politely; returns the exit code."""
        return self.process.stop()

    def kill(self) -> None:
        """End it with SIGKILL."""
        self.process.kill()

    @property
    def xds(self) -> tuple[str, int]:
        """Where Envoys connect to."""
        host, port = self._listen["xds"].rsplit(":", 1)
        return host, int(port)

    @property
    def admin(self) -> str:
        """`host:port` of the admin API."""
        return self._listen["admin"]

    @property
    def http(self) -> str:
        """`host:port` of /healthz, /readyz and /metrics."""
        return self._listen["http"]

    @property
    def command(self) -> list[str]:
        """What it is started with."""
        command = [sys.executable, "-m", "xds.cli.main", "serve", "--config", str(self._config)]
        command += ["--store", str(self._folder / "canary.db"), "--ready-file", str(self.ready_file)]
        for flag, address in self._listen.items():
            command += [f"--{flag}-listen", address]
        return command + (["--specs", str(self.specs)] if self.specs else [])
