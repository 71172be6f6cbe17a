"""docker-compose.yml, run for real: seen through the ports it publishes, changed by the command outside.

One test is one story, because the services take longer to start than all that is asked of them.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from examples.audience import Audience, Request
from tests.support.compose import GATEWAY, Compose
from tests.support.waiting import eventually, wait_for

pytestmark = pytest.mark.container

USERS = [f"user-{number}" for number in range(300)]
FIVE_SIGMA = 5
SPEC = """\
name: shop
bento: chat:v1
canary:
  route_type: header
  route_by: X-User-ID
  versions:
    a: {bento: "chat:v2", weight: %s}
"""

Seen = Mapping[str, str]
"""Version by user."""


@pytest.fixture(scope="module")
def compose() -> Iterator[Compose]:
    """Every service, healthy."""
    with Compose() as running:
        yield running


def test_the_load_generator_shows_a_canary_at_once(compose: Compose) -> None:
    """Its lines say that all three versions answer, and that nobody fails."""

    def line() -> str | None:
        lines = compose.run("logs", "--no-color", "--no-log-prefix", "load").splitlines()
        return next(
            (line for line in lines if all(f"{label} " in line for label in ("main", "a", "b"))), None
        )

    assert "0 failed" in wait_for(line, "a line with every version")


async def test_a_canary_is_applied_and_rolled_back_from_outside(compose: Compose, tmp_path: Path) -> None:
    """Each user who moves goes from main to the canary, and comes back with the rollback."""
    file = tmp_path / "shop.yaml"
    async with Audience(GATEWAY) as audience:
        file.write_text(SPEC % 20)
        compose.canary("apply", "-f", str(file))
        before = await _split(audience, a=20)
        file.write_text(SPEC % 60)
        compose.canary("apply", "-f", str(file))
        shifted = await _split(audience, a=60)
        compose.canary("rollback", "shop")
        after = await _split(audience, a=20)

    assert {(before[user], shifted[user]) for user in USERS if before[user] != shifted[user]} == {
        ("main", "a")
    }
    assert after == before


def test_what_was_applied_outlives_the_container(compose: Compose) -> None:
    """A new control plane on the same volume knows the deployments, and the Envoy comes back to it."""
    history = compose.canary("history", "chat", "-o", "json")

    compose.run("up", "--detach", "--wait", "--force-recreate", "--no-deps", "control-plane")

    assert compose.canary("history", "chat", "-o", "json") == history


async def _split(audience: Audience, *, a: float) -> Seen:
    """Who has which version, once `a` has about so many percent of the users."""

    async def plausible() -> bool:
        seen = Counter((await _everybody(audience)).values())
        deviation = math.sqrt(a * (100 - a) / len(USERS))
        return seen["main"] + seen["a"] == len(USERS) and (
            abs(100 * seen["a"] / len(USERS) - a) <= FIVE_SIGMA * deviation
        )

    await eventually(plausible, f"a has {a:g} %")
    return await _everybody(audience)  # by now every worker of the Envoy has the new routes


async def _everybody(audience: Audience) -> Seen:
    return await audience.ask_all(USERS, lambda user: Request("shop", headers=(("X-User-ID", user),)))
