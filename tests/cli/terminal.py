"""The command on a terminal of its own."""

import os
import pty
import subprocess
import sys

from tests.cli.fake_admin import AdminApi


def on_a_terminal(api: AdminApi, *args: str, **env: str) -> tuple[int, str]:
    """The exit code, and all that a terminal shows of a run."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "xds.cli.main", *args]
    environment = {**os.environ, "CANARY_SERVER": api.address, "TERM": "xterm", "COLUMNS": "100", **env}
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    return process.wait(), shown.decode()
