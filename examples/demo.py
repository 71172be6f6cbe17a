"""`make demo`: two canaries on the real Envoy: split, shifted, rolled back, in well under a minute.

Starts everything it needs (stage.py), sends users through the Envoy (audience.py) and compares what was
asked for with what was seen. Ends with 0 only if every check held. `--keep` leaves it running.
"""

import argparse
import asyncio
import contextlib
import json
import math
import os
import shlex
import signal
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Mapping

from rich.console import Console
from rich.table import Table

from examples.audience import Audience, Murmur, Request
from examples.stage import EXAMPLES, Failed, Stage

BUILDS = {"summarization": ("v1", "v2"), "chat": ("v1", "v2", "v3")}
USERS = [str(uuid.uuid5(uuid.NAMESPACE_DNS, f"user-{number}.example")) for number in range(2000)]
DEPLOYMENTS = os.path.relpath(EXAMPLES / "deployments")
FIVE_SIGMA = 5
SHIFTED = 40
"""Percent that `chat`'s version `a` is given."""

Seen = Mapping[str, str]
"""Version by user."""

console = Console(highlight=False)


def chat(user: str) -> Request:
    """Split by a header."""
    return Request("chat", headers=(("X-User-ID", user),))


def summarization(user: str) -> Request:
    """Split by a query parameter."""
    return Request("summarization", path=f"/?user={user}")


def batch(_: str) -> Request:
    """Drawn anew each time."""
    return Request("batch")


class Demo:
    """The story, act by act.

    Attributes:
        wrong: what did not turn out as promised.
    """

    def __init__(self, stage: Stage, audience: Audience) -> None:
        self.wrong: list[str] = []
        self._stage = stage
        self._audience = audience

    async def deploy(self) -> None:
        """Apply the files."""
        await self._type("apply", "-f", DEPLOYMENTS, "-f", str(self._stage.endpoints))
        for name in ("chat", "summarization", "batch"):
            await self._weights_once_everywhere(name)

    async def compare_shares(self) -> None:
        """What was asked for, and what 2,000 users see."""
        table = Table("deployment", "split", "version", "asked", "observed", "sticky")
        for name, split, request in (
            ("chat", "header X-User-ID", chat),
            ("summarization", "query user", summarization),
            ("batch", "random", batch),
        ):
            asked = await self._weights_once_everywhere(name)
            first, again = await self._everybody(request), await self._everybody(request)
            same = sum(first[user] == again[user] for user in USERS)
            seen = Counter(first.values())
            for label, weight in asked.items():
                observed = 100 * seen[label] / len(USERS)
                is_first = label == next(iter(asked))
                head = (name, split) if is_first else ("", "")
                sticky = f"{same} of {len(USERS)}" if is_first and request is not batch else ""
                table.add_row(*head, label, f"{weight:g} %", f"{observed:.1f} %", sticky)
                self._check(
                    _plausible(observed, weight), f"{name}: {label} got {observed:.1f} % of {weight:g} %"
                )
            self._check(
                request is batch or same == len(USERS), f"{name}: {len(USERS) - same} users flickered"
            )
            table.add_section()
        console.print(table)

    async def shift_and_roll_back(self) -> None:
        """Move weights while traffic flows, and take it back: who is moved, and who fails?"""
        table = Table("chat", "main", "a", "b", "users moved", "from → to")
        async with Murmur(self._audience, chat):
            start = await self._weights_once_everywhere("chat")
            before = await self._everybody(chat)
            _add(table, "as deployed", before, before)
            await self._type("set-weight", "chat", f"a={SHIFTED}", "--comment", "looks good")
            await self._weights_once_everywhere("chat")
            shifted = await self._everybody(chat)
            _add(table, f"a={SHIFTED}", before, shifted)
            await self._type("rollback", "chat", "--comment", "does not look good after all")
            await self._weights_once_everywhere("chat")
            after = await self._everybody(chat)
            _add(table, "rolled back", before, after)
        console.print(table)
        gained = SHIFTED - start["a"]
        ways = _moves(before, shifted)
        self._check(set(ways) == {"main → a"}, f"users moved otherwise than from main to a: {dict(ways)}")
        moved = 100 * ways.total() / len(USERS)
        self._check(_plausible(moved, gained), f"{moved:.1f} % of the users moved, for {gained:g} %")
        self._check(before == after, "a user has another version after the rollback than before")

    def count_failures(self) -> None:
        """Nobody is to notice anything."""
        failed = self._audience.failed
        console.print(f"{self._audience.sent} requests, [bold]{failed.total()} failed[/]\n")
        self._check(not failed, f"failed requests: {dict(failed)}")

    async def _everybody(self, request: Callable[[str], Request]) -> Seen:
        return await self._audience.ask_all(USERS, request)

    async def _type(self, *arguments: str) -> None:
        console.print(f"$ canary {shlex.join(arguments)}", style="bold", markup=False, soft_wrap=True)
        answer = await asyncio.to_thread(self._stage.canary, *arguments)
        console.print(answer, style="dim", markup=False, soft_wrap=True)

    async def _weights_once_everywhere(self, name: str) -> dict[str, float]:
        """The weights by version, as soon as every Envoy has them."""
        async with asyncio.timeout(30):
            while True:
                shown = json.loads(await asyncio.to_thread(self._stage.canary, "get", name, "-o", "json"))
                envoys = shown["envoys"]
                if envoys["connected"] and envoys["in_sync"] == envoys["connected"]:
                    weights: dict[str, float] = shown["weights"]
                    return weights

    def _check(self, held: bool, otherwise: str) -> None:  # noqa: FBT001 (an assertion)
        if not held:
            self.wrong.append(otherwise)


def _plausible(observed: float, asked: float) -> bool:
    """Whether a share (percent) of the users is within five standard deviations of what was asked."""
    deviation = math.sqrt(asked * (100 - asked) / len(USERS))
    return abs(observed - asked) <= FIVE_SIGMA * deviation


def _moves(before: Seen, after: Seen) -> Counter[str]:
    return Counter(f"{before[user]} → {after[user]}" for user in USERS if before[user] != after[user])


def _add(table: Table, what: str, before: Seen, now: Seen) -> None:
    seen, ways = Counter(now.values()), _moves(before, now)
    shares = (f"{100 * seen[label] / len(USERS):.1f} %" for label in ("main", "a", "b"))
    table.add_row(what, *shares, str(ways.total()), ", ".join(ways))


async def _play(stage: Stage) -> list[str]:
    async with Audience(stage.gateway) as audience:
        demo = Demo(stage, audience)
        await demo.deploy()
        await demo.compare_shares()
        await demo.shift_and_roll_back()
        demo.count_failures()
        return demo.wrong


def _stay(stage: Stage) -> None:
    console.print("[bold]It keeps running; Ctrl-C ends it.[/] Play with it from another terminal:\n")
    console.print(
        f"""\
  export CANARY_SERVER={stage.server}
  curl -H 'Host: chat' -H 'X-User-ID: ada' http://{stage.gateway}/
  curl -N -H 'Host: chat' -H 'X-User-ID: ada' http://{stage.gateway}/stream
  curl -H 'Host: summarization' 'http://{stage.gateway}/?user=ada'
  canary list
  canary set-weight chat a=50 b=0
  canary history chat
  canary rollback chat
  canary abort chat
  curl http://{stage.envoy_admin}/stats?filter=upstream_rq_total   # Envoy's own view
""",
        soft_wrap=True,
    )
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()


def main() -> int:
    """Play, and say whether it was as promised."""
    flags = argparse.ArgumentParser(description="A canary on the real Envoy: split, shift, roll back.")
    flags.add_argument("--keep", action="store_true", help="leave it running, and say how to play with it")
    keep: bool = flags.parse_args().keep
    for ending in (signal.SIGINT, signal.SIGTERM):  # so that everything is cleaned up, in a script as well
        signal.signal(ending, signal.default_int_handler)
    try:
        console.print("Starting five model services, `canary serve` and the real Envoy ...\n")
        with Stage(BUILDS) as stage:
            wrong = asyncio.run(_play(stage))
            if not wrong:
                console.print(
                    "As promised: shares as asked, users where they belong, nobody failed.\n", style="green"
                )
            for problem in wrong:
                console.print(f"not as promised: {problem}", style="red", markup=False)
            if keep:
                _stay(stage)
    except Failed as failure:
        console.print(str(failure), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        return 130
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
