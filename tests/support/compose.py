"""A run of docker-compose.yml under a name of its own, and the `canary` command beside it."""

import os
import subprocess
import sys
from typing import Self

from tests.support.process import ROOT

GATEWAY = "127.0.0.1:10000"
SERVER = "127.0.0.1:18001"
PROJECT = "canary-test"
"""Not the name in the file: what somebody runs by hand is left alone."""


class Compose:
    """All services of the file; used with `with`, and gone with their volumes afterwards."""

    def __enter__(self) -> Self:
        try:
            self.run("up", "--detach", "--wait", "--quiet-pull")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.run("down", "--volumes", "--timeout", "5")

    def run(self, *arguments: str) -> str:
        """Run `docker compose`, and return what it prints.

        Raises:
            RuntimeError: it failed; with its words, and the last ones of every service.
        """
        command = ["docker", "compose", "--progress", "quiet", "--project-name", PROJECT, *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            logs = [*command[:6], "logs", "--no-color", "--tail", "20"]
            last_words = subprocess.run(logs, cwd=ROOT, capture_output=True, text=True, check=False).stdout
            raise RuntimeError(f"docker compose {' '.join(arguments)}:\n{done.stderr}\n{last_words}")
        return done.stdout

    def canary(self, *arguments: str) -> str:
        """Run a `canary` command of this machine against the published admin API, and return what it prints.

        Raises:
            RuntimeError: it failed; with its words.
        """
        command = [sys.executable, "-m", "xds.cli.main", *arguments]
        environment = os.environ | {"CANARY_SERVER": SERVER}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"canary {' '.join(arguments)}: {done.stderr}")
        return done.stdout
