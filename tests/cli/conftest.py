"""The command as a person would run it, alone or against a fake admin API."""

from collections.abc import Iterator

import click.testing
import pytest

from tests.cli.fake_admin import AdminApi, Run, fake_admin, revision
from xds.cli.main import canary
from xds.stubs import canary_admin_v1_pb2 as pb


@pytest.fixture
def api() -> Iterator[AdminApi]:
    """An admin API on a port of its own."""
    with fake_admin() as fake:
        yield fake


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `canary` with arguments; nothing of this machine's environment reaches it."""
    for variable in (
        "CANARY_SERVER",
        "CANARY_TOKEN",
        "CANARY_TLS_CA",
        "CANARY_TLS_CERT",
        "CANARY_TLS_KEY",
        "CANARY_TLS_SERVER_NAME",
        "CANARY_INSECURE",
        "CANARY_CONFIG",
        "NO_COLOR",
        "FORCE_COLOR",
        "TTY_COMPATIBLE",
        "COLUMNS",
    ):
        monkeypatch.delenv(variable, raising=False)

    def invoke(*args: str, stdin: str | bytes = "", **env: str) -> click.testing.Result:
        return click.testing.CliRunner().invoke(
            canary, args, input=stdin, env=env, prog_name="canary", catch_exceptions=False
        )

    return invoke


@pytest.fixture
def ask(api: AdminApi, run: Run) -> Run:
    """Run `canary` against the fake admin API."""

    def invoke(*args: str, stdin: str | bytes = "", **env: str) -> click.testing.Result:
        return run(*args, stdin=stdin, CANARY_SERVER=api.address, **env)

    return invoke


@pytest.fixture
def summarization() -> pb.Deployment:
    """A deployment with a canary that waits for endpoints, and an Envoy that refuses something."""
    return pb.Deployment(
        name="summarization",
        revision=revision(3, "set-weights", main=79.5, a=20, b=0.5),
        versions=[
            pb.Version(
                label="main",
                build="summarization:xq4d",
                cluster="summarization_1",
                weight=79.5,
                effective_weight=80,
                endpoints=["10.0.0.10:3000", "[fd00::1]:3000"],
                known_endpoints=2,
                min_endpoints=1,
            ),
            pb.Version(
                label="a",
                build="summarization:t226",
                cluster="summarization_2",
                weight=20,
                effective_weight=20,
                endpoints=["10.0.0.11:3000"],
                known_endpoints=2,
                min_endpoints=1,
            ),
            pb.Version(
                label="b",
                build="summarization@b",
                cluster="summarization_3",
                weight=0.5,
                min_endpoints=1,
                waiting_for_endpoints=True,
            ),
        ],
        spec_json=(
            '{"name": "summarization", "bento": "summarization:xq4d", "timeout": "30s", '
            '"canary": {"route_type": "header", "route_by": "X-User-ID", "versions": '
            '{"a": {"bento": "summarization:t226", "weight": 20}, "b": {"weight": 0.5}}}}'
        ),
        convergence=pb.Convergence(
            envoys=2,
            in_sync=1,
            rejections=["edge-2: Cluster summarization_3: no such file"],
            limited=["edge-1 (Envoy 1.35.0): everyone gets main"],
        ),
    )
