"""The program for foreign suites, from the outside: a process, a port, lines."""

import asyncio
import json
import sys
from pathlib import Path

from tests.conformance.conversation import Conversation, said_in_delta
from tests.support.delta import DeltaClient
from xds.catalog.types import Type

ROOT = Path(__file__).parents[2]
CLUSTER = {"@type": Type.CLUSTER, "name": "a", "connect_timeout": "1s"}


async def test_a_foreign_suite_fills_the_catalog_and_commits(tmp_path: Path) -> None:
    """Resources from a file, with versions of the suite's choosing; commits on standard input."""
    file = tmp_path / "resources.json"
    file.write_text(json.dumps([{"resource": CLUSTER, "version": "first"}]))
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.conformance.serve", str(file)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert program.stdin is not None
    assert program.stdout is not None
    lines = program.stdout
    try:
        host, _, port = str(await told(lines, "address")).rpartition(":")
        async with DeltaClient((host, int(port))) as client:
            talk = Conversation(client, said_in_delta)
            await talk.ask(Type.CLUSTER)
            assert await talk.take() == {"a": "first"}
            put = [{"resource": CLUSTER | {"name": "b"}, "version": "second"}]
            program.stdin.write(json.dumps({"put": put, "gone": [[Type.CLUSTER, "a"]]}).encode() + b"\n")
            assert await told(lines, "position") == 2
            assert await talk.take() == {"b": "second", "a": None}
        program.stdin.close()
        assert await program.wait() == 0
    finally:
        if program.returncode is None:
            program.kill()


async def told(lines: asyncio.StreamReader, key: str) -> str | int:
    """What the program's next line has under a key."""
    value: str | int = json.loads(await asyncio.wait_for(lines.readline(), 30))[key]
    return value
