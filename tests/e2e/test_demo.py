"""The demo, which is the first thing anybody runs."""

import subprocess
import sys

import pytest

from tests.support.process import ROOT

pytestmark = [pytest.mark.envoy, pytest.mark.long]


def test_two_demos_side_by_side_both_succeed() -> None:
    """Each ends with 0: its shares, its users and its failures are as promised."""
    command = [sys.executable, str(ROOT / "examples" / "demo.py")]
    demos = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(2)
    ]
    said = [demo.communicate(timeout=150)[0] for demo in demos]

    assert [demo.returncode for demo in demos] == [0, 0], "\n".join(said)
