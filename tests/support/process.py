"""A program under test: started, watched until it is ready, stopped or killed.

What it writes goes to files, so that a failure can be told with its last words and nothing ever
blocks on a full pipe.
"""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.support.waiting import wait_for

ROOT = Path(__file__).parents[2]


class Process:
    """One run of a program.

    Attributes:
        out: what it writes to its standard output.
        log: what it writes to its standard error.
    """

    def __init__(self, command: Sequence[str], folder: Path, name: str) -> None:
        self._name = name
        self.out = folder / f"{name}.out"
        self.log = folder / f"{name}.log"
        with self.out.open("ab") as out, self.log.open("ab") as log:
            self._popen = subprocess.Popen(command, stdout=out, stderr=log, cwd=ROOT)

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._popen.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    def wait_until(self, ready: Callable[[], bool], seconds: float = 20.0) -> None:
        """Return once it is ready.

        Raises:
            RuntimeError: it ended, or took longer than `seconds`; with its last words.
        """
        try:
            wait_for(lambda: ready() or not self.running, f"{self._name} is ready", seconds)
        except TimeoutError as late:
            raise RuntimeError(f"{late}\n{self.last_words()}") from late
        if not self.running:
            raise RuntimeError(f"{self._name} ended with {self._popen.returncode}\n{self.last_words()}")

    def stop(self, seconds: float = 15.0) -> int:
        """End it politely, and return its exit code.

        Raises:
            RuntimeError: it didn't end within `seconds` (it is killed then); with its last words.
        """
        self._popen.terminate()
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired as stuck:
            self.kill()
            raise RuntimeError(
                f"{self._name} did not stop within {seconds:g} s\n{self.last_words()}"
            ) from stuck

    def kill(self) -> None:
        """End it as a power cut would."""
        self._popen.kill()
        self._popen.wait()

    def last_words(self) -> str:
        """The end of what it wrote."""
        return "\n".join((self.out.read_text()[-2000:], self.log.read_text()[-4000:]))
