"""`explain` and the real Envoy say the same, request by request."""

import asyncio
import collections
import dataclasses
import json
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.test_keys_of_splits import queries, values
from tests.support.admin_client import AdminClient
from tests.support.files import deployment, split
from tests.support.mesh import Mesh
from tests.support.raw_http import RawClient
from xds.revisions import decide
from xds.revisions.record import Note
from xds.spec.gateway import Gateway
from xds.spec.read import read
from xds.translate.explain.asked import Request
from xds.translate.explain.explain import explain
from xds.translate.explain.table import Table, table_of
from xds.translate.view import View

pytestmark = pytest.mark.envoy

REQUESTS = 5000
BY = "X-User-ID"
ODD = [b"", b" ", b"\xff", b"%20", b"a+b", "ü-日本".encode(), b"'\"\\", b"x" * 5000]

ONES = ["é".encode(), "ü".encode(), b"\xfc", b"a", b"\x80\x81", b"ab"]
"""Is it one character to a regular expression?"""

Requests = Iterator[Request]


def by_header() -> Requests:
    """One value, several, none, empty ones, odd bytes."""
    for number, keyed in enumerate(values()):
        lines = () if number % 50 == 0 else tuple((BY, value) for value in keyed)
        if number % 50 == 1:
            lines = tuple((BY, ODD[(number // 50) % len(ODD)]) for _ in range(1 + number % 3))
        yield Request(headers=lines)


def by_query() -> Requests:
    """As it stands in the URL: encoded, repeated, missing, empty."""
    for number, query in enumerate(queries()):
        if number % 50 == 0:
            query = random.Random(number).choice([b"", b"user", b"user=", b"user=&user=a", b"&", b"User=x"])  # noqa: PLW2901
        yield Request(target=b"/?" + query)


def by_name() -> Requests:
    """Versions and builds named in headers, parameters and cookies: known, unknown, empty; beside keys."""
    dice = random.Random(2)
    named = [b"a", b"b", b"main", b"z", b"", b"A", b'"a"', b"a b", b"a,b", b"a.", b"\xff"]
    builds = [b"m1", b"a1", b"b1", b"gone", b'"a1"', b"", b"A1"]
    for number in range(REQUESTS):
        lines = [(BY, b"user-%d" % number)] if dice.random() < 0.5 else []
        lines += [("x-version", dice.choice(named)) for _ in range(dice.choice([0, 0, 0, 0, 1, 2]))]
        for _ in range(dice.choice([0, 1, 1, 2])):
            pairs = [b"version=" + dice.choice(named)] if dice.random() < 0.3 else []
            pairs += [b"kept=" + dice.choice(builds), b"other=1", b"xversion=b", b"version", b"version =a"]
            chosen = dice.sample(pairs, dice.randrange(1, 4))
            lines.append(("cookie", dice.choice([b"; ", b";"]).join(chosen)))
        query = dice.choice(
            [b"", b"", b"?version=b", b"?version=", b"?x=1&version=a&version=b", b"?Version=a"]
        )
        yield Request(target=b"/" + query, headers=tuple(lines))


def by_rule() -> Requests:
    """Paths, headers and parameters that rules match, nearly match, and don't."""
    dice = random.Random(3)
    paths = [b"/", b"/v1/beta", b"/v1/betas", b"/v1/beta/x?y=1", b"/v2/7", b"/v2/x", b"/V2/7", b"/v1/beta?"]
    regions = [b"eu-west", b"us", b"EU-west", b"", b"eu-"]
    for number in range(REQUESTS):
        lines = [(BY, b"user-%d" % number)]
        lines += [("x-region", dice.choice(regions)) for _ in range(dice.choice([0, 1, 1, 2]))]
        lines += [("x-one", dice.choice(ONES))] if dice.random() < 0.1 else []
        lines += [("x-beta", dice.choice([b"1", b""]))] if dice.random() < 0.1 else []
        target = dice.choice(paths)
        extra = dice.choice([b"", b"", b"tester=yes", b"tester=no", b"tester", b"a=1&tester=yes"])
        target += (b"&" if b"?" in target else b"?") + extra if extra else b""
        yield Request(target=target, headers=tuple(lines))


RULES: list[object] = [
    {"match": {"headers": {"x-one": {"regex": "é|."}}}, "version": "b"},
    {"match": {"path": "/v1/beta"}, "version": "b"},
    {"match": {"path": {"regex": "/v2/[0-9]+"}}, "version": "a"},
    {"match": {"headers": {"x-region": {"prefix": "eu-"}}}, "version": "a", "percentage": 40},
    {"match": {"query": {"tester": "yes"}}, "version": "b", "percentage": 55.5},
    {"match": {"headers": {"x-beta": {"present": True}}}, "version": "a"},
]

PINNED = {"header": "X-Version", "query": "version", "cookie": "version"}
AFFINITY = {"session_affinity": {"cookie": "kept"}}

KINDS: dict[str, tuple[dict[str, object], list[object], Callable[[], Requests]]] = {
    "header-salted": ({"route_type": "header", "when_missing": "main"}, [], by_header),
    "header-unsalted": ({"route_type": "header", "salt": "", "when_missing": "random"}, [], by_header),
    "query": ({"route_type": "query", "when_missing": "main"}, [], by_query),
    "selector": (
        {"route_type": "header", "when_missing": "main", "version_selector": PINNED},
        [],
        by_name,
    ),
    "cookies": (
        {
            "route_type": "header",
            "when_missing": "sticky",
            "version_selector": {**PINNED, "unknown": "not_found"},
            **AFFINITY,
        },
        [],
        by_name,
    ),
    "rules": ({"route_type": "header", "when_missing": "main"}, RULES, by_rule),
}


def offline(text: str, host: str) -> Table:
    """What a gateway has of one file's deployment, once its builds have endpoints."""
    (document,) = read([("file", text)]).documents
    assert document.deployment is not None
    revision = decide.apply(document.deployment, None, {}, Note("test", 0.0))
    assert revision is not None
    table = table_of([View(Gateway(name="default"), revision, {}, lends=False)], host)
    assert table is not None
    return table


@pytest.mark.parametrize("kind", KINDS)
async def test_explain_says_what_envoy_does(mesh: Mesh, admin: AdminClient, kind: str) -> None:
    """5,000 requests of 5,000 get the version, or the 404, that explain names."""
    said, rules, requests = KINDS[kind]
    host = f"explained-{kind}"
    by = "user" if said["route_type"] == "query" else BY
    canary = {**split(by, a=("a1", 30), b=("b1", 20)), **said}
    text = deployment(host, canary=canary, rules=rules)
    table = offline(text, host)
    await admin.apply(text)
    await admin.settled(host)

    wrong: list[tuple[Request, object, object]] = []
    asked: collections.Counter[str] = collections.Counter()
    async with RawClient(mesh.gateway) as client:
        for request in requests():
            answer = await client.get(host, request.target, request.headers)
            told = explain(table.routes, table.revisions, dataclasses.replace(request, host=host))
            expected: set[tuple[int, str | None]] = {(200, version) for version in told.shares} or {
                (told.status or 200, told.version)
            }
            asked[str(told.version)] += 1
            if (answer.status, answer.version) not in expected:
                wrong.append((request, told, (answer.status, answer.version)))

    assert not wrong[:5], len(wrong)
    assert asked.total() == REQUESTS
    assert {"main", "a", "b"} <= asked.keys()


PATHS = [
    *(b"/p", b"//p", b"/./p", b"/x/../p", b"/%70", b"/../p", b"//..//p", b"/p/..", b"/p/.", b"/p//", b"//"),
    *(b"/%2e%2E/p", b"/x/%2e./p", b"/%252e/p", b"/p%2Fx", b"/p%5cx", b"/p\\x", b"/x\\..\\p", b"/p/x/.."),
    *(b"/p%zz", b"/p%", b"/%00", b"/x/..;%00/p", b"/x%2f..;%00/p", b"/x/..;y/p", b"/x/.;y/p", b"/x/%2e.;y/p"),
    *(b"/...", b"/p..", b"/x?y/../../p", b"/p?x=%2F..//", b"/p;x", b"/%C3%BC", b"/~%7E", b'/q"', b"/q%22"),
]
NORMAL: list[object] = [
    {"match": {"path": "/p"}, "version": "a"},
    {"match": {"path": {"regex": "/(~~|q%22|%C3%BC|x/p|x/[.][.];y/p|[.][.][.]|p/|p%|p/x)"}}, "version": "b"},
]


async def test_paths_are_matched_as_envoy_normalizes_them(mesh: Mesh, admin: AdminClient) -> None:
    """Dots, double, back and escaped slashes, what is escaped without need, what can't be a path."""
    host = "explained-paths"
    text = deployment(host, canary=split(a=("a1", 0), b=("b1", 0)), rules=NORMAL)
    table = offline(text, host)
    await admin.apply(text)
    await admin.settled(host)

    seen: list[tuple[bytes, int, str | None]] = []
    said: list[tuple[bytes, int, str | None]] = []
    for path in PATHS:
        async with RawClient(mesh.gateway) as client:
            answer = await client.get(host, path)
        told = explain(table.routes, table.revisions, Request(target=path, host=host))
        seen.append((path, answer.status, answer.version))
        said.append((path, told.status or 200, told.version))

    assert said == seen
    assert {(status, version) for _, status, version in seen} == {
        *((200, "main"), (200, "a"), (200, "b"), (307, None), (400, None))
    }


async def test_the_command_says_what_envoy_does(mesh: Mesh, admin: AdminClient, tmp_path: Path) -> None:
    """A file of keys, odd ones among them, through `canary explain` and through the Envoy."""
    host = "explained-by-command"
    canary = split(BY, route_type="header", a=("a1", 30), b=("b1", 20))
    await admin.apply(deployment(host, canary=canary))
    await admin.settled(host)
    keys = [b"user-%d" % number for number in range(200)] + [b"\xff", b"%20", b"a+b", "ü".encode()]
    (tmp_path / "keys").write_bytes(b"\n".join(keys))

    command = (sys.executable, "-m", "xds.cli.main", "explain", host, "--keys", str(tmp_path / "keys"))
    process = await asyncio.create_subprocess_exec(
        *command, "-o", "json", "--server", mesh.plane.admin, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()

    async with RawClient(mesh.gateway) as client:
        answers = [(await client.get(host, headers=[(BY, key)])).version for key in keys]
    assert [each["version"] for each in json.loads(out)["keys"]] == answers
