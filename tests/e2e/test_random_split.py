"""The random split, and who has no key to go by."""

import math

import pytest

from tests.support.admin_client import AdminClient
from tests.support.files import deployment, split
from tests.support.traffic import Answer, Ask, Client, versions

pytestmark = pytest.mark.envoy

REQUESTS = [str(number) for number in range(2000)]


def assert_shares(answers: dict[str, Answer], **percent: float) -> None:
    """Each version's count lies within five standard deviations of its share."""
    total = len(answers)
    counts = versions(answers.values())
    assert set(counts) == set(percent)
    for version, share in percent.items():
        expected = total * share / 100
        assert abs(counts[version] - expected) < 5 * math.sqrt(expected * (1 - share / 100)), counts


async def test_a_random_split_keeps_its_shares(admin: AdminClient, client: Client) -> None:
    """Of 2,000 requests each version gets its share, within five standard deviations."""
    await admin.apply(deployment("by-chance", canary=split(a=("a1", 20), b=("b1", 30))))
    await admin.settled("by-chance")

    answers = await client.ask_all(Ask("by-chance"), REQUESTS)

    assert_shares(answers, main=50, a=20, b=30)


def keyless(route_type: str, host: str, client: Client) -> list[tuple[str, dict[str, str]]]:
    """Requests without a key, and with an empty one: URL and headers."""
    url = f"http://{client.gateway[0]}:{client.gateway[1]}/"
    if route_type == "header":
        return [(url, {"host": host}), (url, {"host": host, "X-User-ID": ""})]
    return [(url + query, {"host": host}) for query in ("", "?user", "?user=", "?other=1")]


@pytest.mark.parametrize(("route_type", "by"), [("header", "X-User-ID"), ("query", "user")])
async def test_without_a_key_main_answers_if_told_so(
    admin: AdminClient, client: Client, route_type: str, by: str
) -> None:
    """`when_missing: main`: a missing or empty key goes to `main`, always."""
    host = f"missing-to-main-{route_type}"
    canary = split(by, route_type=route_type, when_missing="main", a=("a1", 50), b=("b1", 50))
    await admin.apply(deployment(host, canary=canary))
    await admin.settled(host)

    answers = [
        await client.get(url, headers)
        for url, headers in keyless(route_type, host, client)
        for _ in range(20)
    ]

    assert set(versions(answers)) == {"main"}


@pytest.mark.parametrize(("route_type", "by"), [("header", "X-User-ID"), ("query", "user")])
async def test_without_a_key_chance_decides(
    admin: AdminClient, client: Client, route_type: str, by: str
) -> None:
    """`when_missing: random`, the default: each kind of keyless request is spread over the versions."""
    host = f"missing-to-random-{route_type}"
    canary = split(by, route_type=route_type, a=("a1", 50), b=("b1", 30))
    await admin.apply(deployment(host, canary=canary))
    await admin.settled(host)

    for url, headers in keyless(route_type, host, client):
        answers = {str(n): await client.get(url, headers) for n in range(300)}
        assert_shares(answers, main=20, a=50, b=30)
