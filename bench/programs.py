"""Programs that are told what to do in lines of JSON, and the Go toolchain that builds some of them."""

import contextlib
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BUILT = Path(__file__).parent / "results" / "built"
_GO_HOMES = ("/usr/local/go/bin", "/usr/lib/go/bin")

Answer = dict[str, Any]


class Missing(Exception):
    """Something that is needed to build or run a program is not on this machine."""


class Program:
    """One run of a program: a line in, a line out."""

    def __init__(self, command: Sequence[str | Path], log: Path) -> None:
        self._log = log
        self._turn = threading.Lock()
        with log.open("ab") as errors:
            self._popen = subprocess.Popen(
                list(map(str, command)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                text=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    def ask(self, seconds: float = 120.0, **said: object) -> Answer:
        """Say something, and return the answer.

        Raises:
            RuntimeError: it ended, answered with an error, or not within `seconds`; with its last words.
        """
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        with self._turn:
            with contextlib.suppress(BrokenPipeError):  # it ended: no line comes either
                self._popen.stdin.write(json.dumps(said) + "\n")
                self._popen.stdin.flush()
            giving_up = threading.Timer(seconds, self._popen.kill)
            giving_up.start()
            line = self._popen.stdout.readline()
            giving_up.cancel()
        answer: Answer = json.loads(line) if line else {"error": f"it ended: {self.last_words()}"}
        if "error" in answer:
            raise RuntimeError(f"{said}: {answer['error']}")
        return answer

    def kill(self) -> None:
        """End it at once; who waits for an answer is told."""
        self._popen.kill()

    def stop(self) -> None:
        """End it."""
        if self._popen.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._popen.stdin.close()
        try:
            self._popen.wait(10)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()

    def last_words(self) -> str:
        """The end of what it wrote to its standard error."""
        return self._log.read_text()[-2000:]


def build(folder: Path) -> Path:
    """Build a Go program, if it changed; returns the binary.

    Raises:
        Missing: there is no Go, or its modules can't be had.
    """
    go = shutil.which("go") or next((f"{home}/go" for home in _GO_HOMES if Path(home, "go").exists()), None)
    if go is None:
        raise Missing(f"{folder.name} needs Go (`go` is not in PATH)")
    BUILT.mkdir(parents=True, exist_ok=True)
    binary = BUILT / folder.name
    done = subprocess.run(
        [go, "build", "-o", str(binary), "."],
        cwd=folder,
        env=os.environ | {"GOFLAGS": "-buildvcs=false"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Missing(f"{folder.name} could not be built: {done.stderr.strip()[-500:]}")
    return binary
