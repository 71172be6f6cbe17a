"""gRPC's own client under load, as a program: no Envoy, its configuration comes over xDS.

    python -m tests.support.grpc_calls BOOTSTRAP TARGET

calls the model services behind `TARGET` (`xds:///host`) one after another until it is ended, and
writes a line for each call: the build that answered, or `!` and the status it failed with. A call
fails at once where there is nowhere to go.

It is a program of its own because gRPC reads its bootstrap once a process. `GrpcCalls` is how a test
drives it.
"""

import collections
import itertools
import json
import os
import sys
import time
from pathlib import Path
from typing import Self

import grpc

from tests.support.process import Process
from tests.support.waiting import wait_for

CHAT = "/test.Echo/Chat"
PATIENCE = 10.0
"""Seconds a call may take."""
PAUSE = 0.0002
"""Seconds between two calls, for the other programs on the machine."""


class GrpcCalls:
    """The running program; used with `with`."""

    def __init__(self, folder: Path, xds: tuple[str, int], target: str, cluster: str) -> None:
        bootstrap = folder / f"grpc-{target}.json"
        server = {
            "server_uri": f"{xds[0]}:{xds[1]}",
            "channel_creds": [{"type": "insecure"}],
            "server_features": ["xds_v3"],
        }
        node = {"id": f"client-of-{target}", "cluster": cluster}
        bootstrap.write_text(json.dumps({"xds_servers": [server], "node": node}))
        command = [sys.executable, "-m", "tests.support.grpc_calls", str(bootstrap), f"xds:///{target}"]
        self.process = Process(command, folder, f"calls-{target}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()

    def answers(self) -> list[str]:
        """Who answered each call so far."""
        lines = self.process.out.read_text()
        return lines[: lines.rfind("\n") + 1].splitlines()

    def next(self, calls: int) -> collections.Counter[str]:
        """Who answers the next so many calls, once they are made."""
        before = len(self.answers())
        answers = wait_for(lambda: self._past(before + calls), f"{calls} more calls are made", 60)
        return collections.Counter(itertools.islice(answers, before, before + calls))

    def wait_for(self, build: str) -> None:
        """Return once a build has answered a call made from now on."""
        before = len(self.answers())
        wait_for(lambda: build in self.answers()[before:], f"{build} answers a call")

    def _past(self, number: int) -> list[str] | None:
        answers = self.answers()
        return answers if len(answers) >= number else None


def _call_forever(bootstrap: str, target: str) -> None:
    os.environ["GRPC_XDS_BOOTSTRAP"] = bootstrap
    with grpc.insecure_channel(target) as channel:
        chat: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(CHAT)
        while True:
            try:
                answer = chat(b"", timeout=PATIENCE)
                _say(answer.partition(b":")[0].decode())
            except grpc.RpcError as error:
                _say(f"!{error.code().name} {error.details()}")
            time.sleep(PAUSE)


def _say(answer: str) -> None:
    sys.stdout.write(f"{answer}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _call_forever(*sys.argv[1:])
