"""Every kind of key, odd ones included, falls where `xds.slots.hashing` says."""

import collections
from collections.abc import Iterator

import pytest

from tests.support.admin_client import AdminClient
from tests.support.files import deployment, split
from tests.support.mesh import Mesh
from tests.support.raw_http import Header, RawClient
from xds.revisions import decide
from xds.revisions.record import Note, Revision
from xds.slots.hashing import slot_of_header, slot_of_query
from xds.spec.read import read

pytestmark = pytest.mark.envoy

KEYS = 5000
BY = "X-User-ID"

Keyed = tuple[bytes, ...]


def values() -> Iterator[Keyed]:
    """The values of a header, line by line: one, several, empty ones; UTF-8, any bytes, very long."""
    for number in range(KEYS):
        tail = str(number).encode()
        kinds: list[Keyed] = [
            (b"user-" + tail,),
            (b"b" + tail, b"a" + tail, b"b" + tail),
            ("usér-日本-".encode() + tail,),
            (b"\xff\xfe\x80" + tail,),
            (b"a%20b+c\\1 \t" + tail,),
            (b" \t" + tail + b"  ",),
            (b"", b"z" + tail),
            (b"x" * (8000 if number % 400 == 7 else 300) + tail,),
        ]
        yield kinds[number % len(kinds)]


def queries() -> Iterator[bytes]:
    """What stands behind the `?`: encoded, not quite encoded, repeated, very long."""
    for number in range(KEYS):
        tail = str(number).encode()
        kinds = [
            b"user=u" + tail,
            b"a=1&user=a%20b" + tail + b"&user=z",
            b"user=a+b" + tail,
            b"user=%E6%97%A5" + tail + b"&b",
            b"user=a=b;c" + tail,
            b"user=%zz%2F../" + tail,
            b"User=no&user=" + tail,
            b"user=" + b"x" * (8000 if number % 400 == 7 else 300) + tail,
        ]
        yield kinds[number % len(kinds)]


def revision_of(text: str) -> Revision:
    """The first revision of a file's deployment."""
    (document,) = read([("file", text)]).documents
    assert document.deployment is not None
    revision = decide.apply(document.deployment, None, {}, Note("test", 0.0))
    assert revision is not None
    return revision


def version(revision: Revision, slot: int | None) -> str:
    """Who gets a slot; `main` without one."""
    return "main" if slot is None else revision.label_of(revision.slots.owner(slot))


def canary(route_type: str, by: str, salt: str | None) -> dict[str, object]:
    """Three versions; whoever has no key gets `main`."""
    said = split(by, route_type=route_type, when_missing="main", a=("a1", 30), b=("b1", 20))
    return said if salt is None else {**said, "salt": salt}


@pytest.mark.parametrize("salt", [None, "", "\\1 €%20:"], ids=["own name", "none", "odd"])
async def test_headers_fall_where_they_should(mesh: Mesh, admin: AdminClient, salt: str | None) -> None:
    """5,000 keys of 5,000, behind the deployment's name, another salt, or none."""
    host = f"keys-by-header-{len(salt or 'default')}"
    text = deployment(host, canary=canary("header", BY, salt))
    revision = revision_of(text)
    await admin.apply(text)
    await admin.settled(host)

    wrong: collections.Counter[Keyed] = collections.Counter()
    async with RawClient(mesh.gateway) as client:
        for keyed in values():
            headers: list[Header] = [(BY, value) for value in keyed]
            answer = await client.get(host, headers=headers)
            expected = version(revision, slot_of_header(keyed, revision.spec.salt))
            wrong[keyed] += answer.version != expected

    assert not +wrong
    assert len(wrong) == KEYS


@pytest.mark.parametrize("salt", [None, ""], ids=["own name", "none"])
async def test_queries_fall_where_they_should(mesh: Mesh, admin: AdminClient, salt: str | None) -> None:
    """5,000 keys of 5,000, with the table turned by the salt, or as it is."""
    host = f"keys-by-query-{len(salt or 'default')}"
    text = deployment(host, canary=canary("query", "user", salt))
    revision = revision_of(text)
    await admin.apply(text)
    await admin.settled(host)

    wrong: collections.Counter[bytes] = collections.Counter()
    async with RawClient(mesh.gateway) as client:
        for query in queries():
            answer = await client.get(host, b"/?" + query)
            wrong[query] += answer.version != version(
                revision, slot_of_query(query, b"user", revision.spec.salt)
            )

    assert not +wrong
    assert len(wrong) == KEYS


async def test_what_is_no_key_has_no_slot(mesh: Mesh, admin: AdminClient) -> None:
    """Missing, empty and blank keys go where keyless requests go, though nobody else does."""
    for route_type, by in (("header", BY), ("query", "user")):
        host = f"no-key-{route_type}"
        everyone = split(by, route_type=route_type, when_missing="main", a=("a1", 50), b=("b1", 50))
        await admin.apply(deployment(host, canary=everyone))
        await admin.settled(host)

    async with RawClient(mesh.gateway) as client:
        headers: list[list[Header]] = [[], [(BY, b"")], [(BY, b" \t")], [(BY, b""), (BY, b"")]]
        answers = [await client.get("no-key-header", headers=each) for each in headers]
        for query in (b"", b"user", b"user=", b"user=&user=a", b"USER=a", b"%75ser=a"):
            assert slot_of_query(query, b"user") is None
            answers.append(await client.get("no-key-query", b"/?" + query))

    assert {answer.version for answer in answers} == {"main"}
