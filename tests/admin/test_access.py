"""Who is let in to the admin API, and as whom."""

import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
import structlog.testing
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tests.support.certificates import Authority
from tests.support.ports import LOOPBACK
from xds.admin.access import (
    AccessControl,
    Anybody,
    Authenticator,
    Caller,
    ClientCertificates,
    Context,
    caller_of,
)
from xds.admin.tokens import StaticTokens
from xds.errors import InvalidInput, SettingsError
from xds.server.tls import Tls
from xds.spec.tokens import Token, sha256_of, write_token

Metadata = Sequence[tuple[str, str]]

ONCE, STREAM, FED, TALK = "/test.Who/Once", "/test.Who/Stream", "/test.Who/Fed", "/test.Who/Talk"


async def _once(_: Any, context: Context) -> bytes:
    return json.dumps([caller_of(context).name, caller_of(context).by]).encode()


async def _stream(_: Any, context: Context) -> AsyncIterator[bytes]:
    yield await _once(_, context)


async def _talk(_: Any, context: Context) -> None:
    await context.write(await _once(_, context))


_HANDLERS: dict[str, Any] = {
    "Once": grpc.unary_unary_rpc_method_handler(_once),
    "Stream": grpc.unary_stream_rpc_method_handler(_stream),
    "Fed": grpc.stream_unary_rpc_method_handler(_once),
    "Talk": grpc.stream_stream_rpc_method_handler(_talk),
}


@contextlib.asynccontextmanager
async def serving(control: AccessControl, tls: Tls | None = None) -> AsyncIterator[int]:
    """A server that says who calls, by every kind of method; its port."""
    server = grpc.aio.server(interceptors=[control])
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Who", _HANDLERS),))
    health_pb2_grpc.add_HealthServicer_to_server(health.aio.HealthServicer(), server)
    listen = f"{LOOPBACK}:0"
    port = (
        server.add_insecure_port(listen) if tls is None else server.add_secure_port(listen, tls.credentials())
    )
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


async def who(channel: grpc.aio.Channel, metadata: Metadata = (), method: str = ONCE) -> Caller:
    """Who the server says we are.

    Raises:
        AioRpcError: we aren't let in.
    """
    ask: Any
    match method:
        case "/test.Who/Once":
            ask = channel.unary_unary(method)
            answer = await ask(b"", metadata=metadata, timeout=10)
        case "/test.Who/Fed":
            ask = channel.stream_unary(method)
            answer = await ask(iter([b""]), metadata=metadata, timeout=10)
        case "/test.Who/Stream":
            ask = channel.unary_stream(method)
            answer = await anext(aiter(ask(b"", metadata=metadata, timeout=10)))
        case _:
            ask = channel.stream_stream(method)
            answer = await anext(aiter(ask(iter([b""]), metadata=metadata, timeout=10)))
    return Caller(*json.loads(answer))


async def ask(authenticator: Authenticator, metadata: Metadata = (), method: str = ONCE) -> Caller:
    """The same of a server of its own, without TLS."""
    async with (
        serving(AccessControl(authenticator)) as port,
        grpc.aio.insecure_channel(f"{LOOPBACK}:{port}") as channel,
    ):
        return await who(channel, metadata, method)


async def refusal(authenticator: Authenticator, metadata: Metadata = (), method: str = ONCE) -> str:
    """What is said to whom is not let in."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ask(authenticator, metadata, method)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    return refused.value.details() or ""


def bearer(token: str) -> Metadata:
    """What a client with a token sends."""
    return [("authorization", f"Bearer {token}"), ("canary-author", "somebody-else")]


def line(name: str, token: str, expires: datetime | None = None) -> str:
    """The line of the file for a token."""
    return write_token(Token(name=name, sha256=sha256_of(token), expires=expires)) + "\n"


def edited(file: Path, text: str | None) -> None:
    """Write the file anew, or remove it."""
    if text is None:
        file.unlink()
    else:
        file.write_text(text)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with two tokens."""
    tokens = tmp_path / "tokens.yaml"
    tokens.write_text(line("ci", "secret-1") + line("alice", "secret-2"))
    return tokens


@pytest.mark.parametrize("method", [ONCE, STREAM, FED, TALK])
async def test_a_token_is_its_owner_whatever_is_claimed(file: Path, method: str) -> None:
    """In every kind of method."""
    assert await ask(StaticTokens(file), bearer("secret-2"), method) == Caller("alice", "token")


@pytest.mark.parametrize("method", [ONCE, STREAM, FED, TALK])
@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ((), "no token was sent (set CANARY_TOKEN, or send the metadata `authorization: Bearer <token>`)"),
        (bearer(""), "no token was sent"),
        ([("authorization", "Basic secret-1")], "no token was sent"),
        (bearer("secret-3"), "nobody has this token"),
        (bearer(sha256_of("secret-1")), "nobody has this token"),
    ],
)
async def test_whoever_has_no_token_is_told_what_to_send(
    file: Path, method: str, metadata: Metadata, said: str
) -> None:
    """UNAUTHENTICATED; the hash in the file is of no use."""
    assert (await refusal(StaticTokens(file), metadata, method)).startswith(said)


async def test_an_expired_token_is_refused(file: Path) -> None:
    """From its moment on, with the owner's name and the date."""
    end = datetime(2030, 1, 1, tzinfo=UTC)
    edited(file, line("ci", "secret-1", end))

    before = StaticTokens(file, lambda: end.timestamp() - 1)
    after = StaticTokens(file, end.timestamp)

    assert (await ask(before, bearer("secret-1"))).name == "ci"
    assert "the token of ci expired on 2030-01-01" in await refusal(after, bearer("secret-1"))


async def test_the_file_is_read_again_when_it_changes(file: Path) -> None:
    """One that was taken out is refused with the next call, a new one is taken."""
    tokens = StaticTokens(file)
    edited(file, line("bob", "secret-4"))

    assert (await ask(tokens, bearer("secret-4"))).name == "bob"
    assert "nobody has this token" in await refusal(tokens, bearer("secret-1"))


@pytest.mark.parametrize("edit", ["", "- {name: ci", "- {name: ci, sha256: 12}", "ci: 1", None])
async def test_a_broken_edit_changes_nothing_and_is_logged_once(file: Path, edit: str | None) -> None:
    """The last good file goes on, also when there is none any more."""
    tokens = StaticTokens(file)
    edited(file, edit)

    with structlog.testing.capture_logs() as logs:
        callers = [await ask(tokens, bearer("secret-1")) for _ in range(2)]

    assert callers == [Caller("ci", "token")] * 2
    assert [(entry["log_level"], entry["event"]) for entry in logs] == [
        ("error", "the tokens stay as they were")
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "tokens.yaml: has no tokens"),
        ("ci: 1", "tokens.yaml:1: a mapping is no list"),
        ("- ci", "tokens.yaml:1: [0]: 'ci' is no mapping"),
        ("- {name: ci, sha256: 12ab}", "tokens.yaml:1: [0].sha256: '12ab' is no SHA-256"),
        (f"- {{name: a b, sha256: {'0' * 64}a}}", "tokens.yaml:1: [0].name: 'a b' is no name"),
        ("- {name: ci}", "tokens.yaml:1: [0].sha256: is missing"),
        ("- {name: ci, token: t}", "tokens.yaml:1: [0].token: unknown key"),
        ("- {name: ci, expires: soon}", "tokens.yaml:1: [0].expires: 'soon' is no date"),
        ("[]\n---\n[]", "tokens.yaml:3: a second document"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_lines(file: Path, text: str, fault: str) -> None:
    """At the start."""
    file.write_text(text)

    with pytest.raises(InvalidInput) as refused:
        StaticTokens(file)
    assert fault in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """With the command that makes it."""
    with pytest.raises(SettingsError, match=r"No such file.*canary token NAME --append"):
        StaticTokens(tmp_path / "nowhere.yaml")


async def test_nobody_has_a_token_of_an_empty_list(file: Path) -> None:
    """`[]` is meant."""
    edited(file, "[]")

    assert "nobody has this token" in await refusal(StaticTokens(file), bearer("secret-1"))


@pytest.mark.parametrize(
    ("metadata", "name"), [((), "unknown"), ([("canary-author", "me")], "me"), (bearer("x"), "somebody-else")]
)
async def test_where_nobody_is_asked_the_claim_counts(metadata: Metadata, name: str) -> None:
    """The listener of one machine."""
    assert await ask(Anybody(), metadata) == Caller(name, "claim")


@pytest.mark.parametrize(
    ("common_name", "hosts", "name"),
    [("ci", ("ci.example",), "ci"), ("", ("ci.example", "other.example"), "ci.example")],
)
async def test_a_client_certificate_is_its_owner(
    tmp_path: Path, common_name: str, hosts: tuple[str, ...], name: str
) -> None:
    """By its common name, else by its first alternative name."""
    authority = Authority(tmp_path)
    async with serving(
        AccessControl(ClientCertificates()), authority.server(client_certificates=True)
    ) as port:
        certificate, key = authority.issue(common_name, *hosts)
        credentials = grpc.ssl_channel_credentials(
            authority.ca.read_bytes(), key.read_bytes(), certificate.read_bytes()
        )
        async with grpc.aio.secure_channel(f"localhost:{port}", credentials) as channel:
            caller = await who(channel, [("canary-author", "somebody-else")])

    assert caller == Caller(name, "certificate")


@pytest.mark.parametrize("known", [True, False])
async def test_a_client_certificate_must_be_there_and_of_the_client_ca(
    tmp_path: Path, *, known: bool
) -> None:
    """None at all, or one of another authority: no connection comes about."""
    authority, strange = Authority(tmp_path), Authority(tmp_path, "strange")
    async with serving(
        AccessControl(ClientCertificates()), authority.server(client_certificates=True)
    ) as port:
        certificate, key = strange.issue("ci")
        own = () if known else (key.read_bytes(), certificate.read_bytes())
        credentials = grpc.ssl_channel_credentials(authority.ca.read_bytes(), *own)
        async with grpc.aio.secure_channel(f"localhost:{port}", credentials) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await who(channel)

    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_without_tls_there_is_no_certificate() -> None:
    """Whoever is asked for one by mistake is told what to set."""
    assert "set CANARY_TLS_CERT and CANARY_TLS_KEY" in await refusal(ClientCertificates())


async def test_health_is_for_anybody(file: Path) -> None:
    """Whoever checks it has no secret."""
    async with (
        serving(AccessControl(StaticTokens(file))) as port,
        grpc.aio.insecure_channel(f"{LOOPBACK}:{port}") as channel,
    ):
        check: Any = channel.unary_unary("/grpc.health.v1.Health/Check")
        answer = await check(b"")

    assert health_pb2.HealthCheckResponse.FromString(answer).status == health_pb2.HealthCheckResponse.SERVING


async def test_an_unknown_method_is_unknown_to_anybody(file: Path) -> None:
    """The check is no trap for calls that go nowhere."""
    async with (
        serving(AccessControl(StaticTokens(file))) as port,
        grpc.aio.insecure_channel(f"{LOOPBACK}:{port}") as channel,
    ):
        ask: Any = channel.unary_unary("/test.Who/Nobody")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ask(b"")

    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_roles_can_refuse_a_method(file: Path) -> None:
    """The seam: PERMISSION_DENIED with who and what."""

    def reading_only(caller: Caller, method: str) -> bool:
        return caller.name == "alice" or not method.endswith("/Once")

    control = AccessControl(StaticTokens(file), reading_only)
    async with (
        serving(control) as port,
        grpc.aio.insecure_channel(f"{LOOPBACK}:{port}") as channel,
    ):
        allowed: list[Callable[[], Any]] = [
            lambda: who(channel, bearer("secret-2")),
            lambda: who(channel, bearer("secret-1"), STREAM),
        ]
        assert [(await call()).name for call in allowed] == ["alice", "ci"]
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await who(channel, bearer("secret-1"))

    assert (refused.value.code(), refused.value.details()) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "ci may not call /test.Who/Once",
    )
