"""The model services of a test session: one program, every build on ports of its own."""

import json
import sys
from pathlib import Path

import aiohttp

from tests.support.ports import LOOPBACK
from tests.support.process import Process


class Upstreams:
    """Running builds, by name."""

    def __init__(self, folder: Path, *builds: str) -> None:
        ready_file = folder / "upstreams.json"
        command = [sys.executable, "-m", "tests.support.model_service", str(ready_file), *builds]
        self._process = Process(command, folder, "upstreams")
        self._process.wait_until(ready_file.exists)
        self._ports: dict[str, dict[str, int]] = json.loads(ready_file.read_text())

    def endpoint(self, build: str) -> str:
        """Where a build takes HTTP/1.1 requests: `host:port`."""
        return f"{LOOPBACK}:{self._ports[build]['http']}"

    def grpc_endpoint(self, build: str) -> str:
        """Where a build takes gRPC calls: `host:port`."""
        return f"{LOOPBACK}:{self._ports[build]['grpc']}"

    async def switch(self, build: str, *, status: int = 200, delay: float = 0.0, reset: bool = False) -> None:
        """Make a build answer with another status, later by `delay` seconds, or by a reset."""
        wish = {"status": status, "delay": delay, "reset": reset}
        async with aiohttp.ClientSession() as session:
            await session.post(f"http://{self.endpoint(build)}/_switch", json=wish)

    async def seen(self, build: str) -> int:
        """How many requests reached a build, other than those with a path of their own."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{self.endpoint(build)}/_seen") as answer,
        ):
            return int(await answer.text())

    def stop(self) -> None:
        """End the program."""
        self._process.kill()
