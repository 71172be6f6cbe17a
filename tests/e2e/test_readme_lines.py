"""The README's ten lines, run as they stand; only the ports are others, for they may be taken."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ports import LOOPBACK, free_port
from tests.support.process import ROOT
from tests.support.waiting import wait_for

pytestmark = pytest.mark.envoy


def lines() -> list[str]:
    """Those under "Ten lines of use"."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Ten lines of use\n")[2]
    found = re.search(r"```console\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return [line.removeprefix("$ ") for line in found[1].splitlines()]


class Terminal:
    """Where they are typed: a clone with nothing in it but the examples, after `make setup`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        self._listener = free_port()
        examples = folder / "examples"
        shutil.copytree(ROOT / "examples", examples)
        where = examples / "endpoints.yaml"
        written = where.read_text(encoding="utf-8")
        where.write_text(re.sub(r"127\.0\.0\.1:\d+", lambda _: f"{LOOPBACK}:{free_port()}", written))
        listeners = [{"address": LOOPBACK, "port": self._listener}]
        config = folder / "config.json"
        config.write_text(json.dumps({"gateways": [{"name": "default", "listeners": listeners}]}))
        self._xds, admin = (f"{LOOPBACK}:{free_port()}" for _ in range(2))
        self._environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "CANARY_SERVER": admin,
            "CANARY_ADMIN_LISTEN": admin,
            "CANARY_XDS_LISTEN": self._xds,
            "CANARY_HTTP_LISTEN": f"{LOOPBACK}:0",
            "CANARY_CONFIG": str(config),
        }

    def type(self, line: str) -> str:
        """Type a line and wait until it is done; one that ends with & goes on behind."""
        if line.startswith("canary bootstrap"):
            line += f" --xds {self._xds} --envoy-admin {LOOPBACK}:{free_port()}"
        line = line.replace("127.0.0.1:10000", f"{LOOPBACK}:{self._listener}")
        if line.startswith("envoy"):
            line = line.replace("envoy ", "envoy --use-dynamic-base-id ", 1)
        if line.endswith(" &"):
            self._begin(line.removesuffix(" &"))
            return ""
        done = self._run(line)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}{self._last_words()}"
        return done.stdout

    def answers(self, line: str) -> bool:
        """Whether a line has something to say by now."""
        return bool(self._run(line).stdout)

    def close(self) -> None:
        """End what goes on."""
        for process in reversed(self._running):
            process.terminate()
            process.wait(15)

    def _run(self, line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", line],
            check=False,
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
        )

    def _begin(self, line: str) -> None:
        with (self._folder / f"{len(self._running)}.log").open("wb") as log:
            command = ["bash", "-c", f"exec {line}"]
            process = subprocess.Popen(
                command, cwd=self._folder, env=self._environment, stdout=log, stderr=log
            )
        self._running.append(process)

    def _last_words(self) -> str:
        return "\n".join(log.read_text()[-1500:] for log in sorted(self._folder.glob("*.log")))


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """One that is closed at the end."""
    terminal = Terminal(tmp_path)
    yield terminal
    terminal.close()


def test_the_ten_lines_work(terminal: Terminal) -> None:
    """From an empty clone to a canary that was shifted and rolled back."""
    setup, *rest = lines()
    assert setup == "make setup && . .venv/bin/activate"
    said = {}

    for line in rest:
        if line.startswith("canary apply"):  # a person isn't that fast
            wait_for(lambda: terminal.answers("canary fleet -o name"), "an Envoy is connected", 60)
        said[" ".join(line.split()[:2])] = terminal.type(line)

    assert json.loads(said["curl -H"])["model"] == "summarization"
    assert said["canary set-weight"].startswith("deployment 'summarization' shifted: revision 2 (main 60 %")
    assert said["canary rollback"].startswith("deployment 'summarization' rolled back to revision 1")
    assert re.search(r"Envoys +1/1 in sync", said["canary status"])


def test_they_are_ten() -> None:
    """As the heading says."""
    assert len(lines()) == 10
