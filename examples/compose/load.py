"""The load generator of docker-compose.yml: 500 users, asking again and again, and who answered them.

Each line is one round of all of them. Users keep their version, so a line changes only when the split does.
"""

import argparse
import asyncio
import contextlib
import signal
from collections import Counter

from examples.audience import FAILED, Audience, Request

USERS = [f"user-{number}" for number in range(500)]
EVERY = 2.0
"""Seconds between two rounds."""


def chat(user: str) -> Request:
    """Split by a header."""
    return Request("chat", headers=(("X-User-ID", user),))


def line(seen: Counter[str]) -> str:
    """One round in words: `chat  main 70.4 %  a 19.8 %  b 9.8 %  0 failed`."""
    asked = seen.total()
    shares = [
        f"{version} {100 * seen[version] / asked:.1f} %" for version in ("main", "a", "b") if seen[version]
    ]
    return "  ".join(["chat", *shares, f"{seen[FAILED]} failed"])


async def go_on(gateway: str) -> None:
    """Ask until stopped."""
    async with Audience(gateway) as audience:
        while True:
            print(line(Counter((await audience.ask_all(USERS, chat)).values())), flush=True)
            await asyncio.sleep(EVERY)


def main() -> None:
    """Ask until stopped."""
    flags = argparse.ArgumentParser(description="Users of `chat`, and the versions that answer them.")
    flags.add_argument("--gateway", required=True, metavar="HOST:PORT")
    gateway: str = flags.parse_args().gateway
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(go_on(gateway))


if __name__ == "__main__":
    main()
