"""`canary serve`: where its settings come from, and what a broken configuration file says."""

import json
from pathlib import Path

import pytest

from tests.cli.fake_admin import Run
from xds.errors import SettingsError
from xds.server.settings import Settings
from xds.spec.gateway import default_gateway


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """What the server would have been started with."""
    runs: list[Settings] = []
    monkeypatch.setattr("xds.server.run.run", runs.append)
    return runs


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Where a test's configuration file goes."""
    return tmp_path / "canary.yaml"


def test_defaults(run: Run, served: list[Settings]) -> None:
    """Without anything it is the server of one machine."""
    run("serve")

    assert served == [
        Settings(
            xds_listen="127.0.0.1:18000",
            admin_listen="127.0.0.1:18001",
            http_listen="127.0.0.1:18002",
            specs=None,
            store=Path("canary.db"),
            keep_builds=600,
            push_window=0.05,
            gateways=(default_gateway(),),
            ready_file=None,
            log_format="console",
            log_level="info",
        )
    ]


def test_a_flag_wins_over_the_environment_and_that_over_the_file(
    run: Run, served: list[Settings], config: Path
) -> None:
    """The file loses to the environment, that to the flag; each setting by itself."""
    config.write_text("xds_listen: file:1\nadmin_listen: file:2\nhttp_listen: file:3\n", encoding="utf-8")

    run(
        *("serve", "--config", str(config), "--http-listen", "flag:3"),
        CANARY_HTTP_LISTEN="environment:3",
        CANARY_ADMIN_LISTEN="environment:2",
    )

    (settings,) = served
    assert settings.xds_listen == "file:1"
    assert settings.admin_listen == "environment:2"
    assert settings.http_listen == "flag:3"


def test_every_setting_can_stand_in_the_file(
    run: Run, served: list[Settings], config: Path, tmp_path: Path
) -> None:
    """Under the flag's name with underscores; JSON is as good as YAML."""
    content = {
        "xds_listen": "0.0.0.0:0",
        "admin_listen": "[::1]:18001",
        "http_listen": "localhost:8080",
        "specs": str(tmp_path),
        "store": "/var/lib/canary.db",
        "keep_builds": "1h",
        "push_window": "100ms",
        "ready_file": "ready.json",
        "log_format": "json",
        "log_level": "debug",
        "gateways": [{"name": "edge", "listeners": [{"address": "0.0.0.0", "port": 8080}]}],
    }
    config.write_text(json.dumps(content), encoding="utf-8")

    run("serve", "--config", str(config))

    (settings,) = served
    assert settings.specs == tmp_path
    assert (settings.store, settings.ready_file) == (Path("/var/lib/canary.db"), Path("ready.json"))
    assert (settings.log_format, settings.log_level) == ("json", "debug")
    assert (settings.keep_builds, settings.push_window) == (3600, 0.1)
    assert (settings.xds_listen, settings.admin_listen) == ("0.0.0.0:0", "[::1]:18001")
    assert [gateway.name for gateway in settings.gateways] == ["edge"]


def test_every_setting_has_a_variable(run: Run, served: list[Settings], config: Path, tmp_path: Path) -> None:
    """Named CANARY_ and the flag, the configuration file among them."""
    config.write_text("log_level: error", encoding="utf-8")

    run(
        "serve",
        CANARY_CONFIG=str(config),
        CANARY_XDS_LISTEN="h:1",
        CANARY_SPECS=str(tmp_path),
        CANARY_STORE="other.db",
        CANARY_KEEP_BUILDS="90",
        CANARY_PUSH_WINDOW="0.2",
        CANARY_READY_FILE="ready.json",
        CANARY_LOG_FORMAT="json",
    )

    assert served == [
        Settings(
            xds_listen="h:1",
            specs=tmp_path,
            store=Path("other.db"),
            keep_builds=90,
            push_window=0.2,
            ready_file=Path("ready.json"),
            log_format="json",
            log_level="error",
        )
    ]


def test_every_fault_of_a_configuration_file_is_a_line(
    run: Run, served: list[Settings], config: Path
) -> None:
    """With file, line and mend, all at once; the server is not started."""
    config.write_text(
        "xds_listen: 18000\nlog_format: xml\ngateways:\n  - name: edge\n    listeners: [{port: 99999}]\n",
        encoding="utf-8",
    )

    result = run("serve", "--config", str(config))

    assert (result.exit_code, served) == (1, [])
    assert [line.removeprefix(f"{config}:").split(": ")[:2] for line in result.stderr.splitlines()] == [
        ["1", "xds_listen"],
        ["2", "log_format"],
        ["5", "gateways[0].listeners[0].port"],
    ]


def test_an_unknown_key_is_a_fault(run: Run, served: list[Settings], config: Path) -> None:
    """Nobody else reads the file, so it is a slip; the nearest known key is named."""
    config.write_text("stor: x.db\n", encoding="utf-8")

    result = run("serve", "--config", str(config))

    assert (result.exit_code, served) == (1, [])
    assert result.stderr == f"{config}:1: stor: unknown key (did you mean store?)\n"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("[1]", "1: a list is no mapping"),
        ("store: a\n---\nstore: b\n", "3: a second document (keep one"),
        ("store: [", "1: the YAML is broken"),
    ],
)
def test_a_configuration_file_is_one_mapping(
    run: Run, served: list[Settings], config: Path, content: str, fault: str
) -> None:
    """Anything else is refused."""
    config.write_text(content, encoding="utf-8")

    result = run("serve", "--config", str(config))

    assert (result.exit_code, served) == (1, [])
    assert result.stderr.startswith(f"{config}:{fault}")


def test_an_empty_configuration_file_says_nothing(run: Run, served: list[Settings], config: Path) -> None:
    """It is as good as none."""
    config.write_text("# nothing yet\n", encoding="utf-8")

    run("serve", "--config", str(config))

    assert served == [Settings()]


def test_a_wrong_address_is_wrong_usage(run: Run, served: list[Settings]) -> None:
    """In a flag or a variable it exits with 2."""
    assert run("serve", "--xds-listen", "18000").exit_code == 2
    assert run("serve", CANARY_XDS_LISTEN="18000").exit_code == 2
    assert served == []


def test_a_wrong_duration_is_wrong_usage(run: Run, served: list[Settings]) -> None:
    """With what to write instead."""
    result = run("serve", "--keep-builds", "soon")

    assert (result.exit_code, served) == (2, [])
    assert "write seconds, or a number with ms, s, m or h" in result.stderr


def test_a_server_that_cannot_start_says_why(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line and exit 1, no traceback."""

    def fail(_settings: Settings) -> None:
        raise SettingsError("port 18000 is taken; free it, or use --xds-listen")

    monkeypatch.setattr("xds.server.run.run", fail)

    result = run("serve")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: port 18000 is taken; free it, or use --xds-listen\n"


def test_tls_and_access_come_from_flags_or_the_file(run: Run, served: list[Settings], config: Path) -> None:
    """Paths as they are; whether they are of use is the server's business."""
    config.write_text(
        "tls_cert: s.crt\ntls_key: s.key\nclient_ca: ca.crt\ninsecure: true\n", encoding="utf-8"
    )

    run("serve", "--config", str(config), "--client-ca", "other.crt", "--admin-tokens", "tokens.yaml")

    assert served == [
        Settings(
            tls_cert=Path("s.crt"),
            tls_key=Path("s.key"),
            client_ca=Path("other.crt"),
            admin_tokens=Path("tokens.yaml"),
            insecure=True,
        )
    ]


def test_a_callers_certificate_is_not_the_servers(run: Run, served: list[Settings]) -> None:
    """CANARY_TLS_CERT and CANARY_TLS_KEY are what commands show; the server has variables of its own."""
    run("serve", CANARY_TLS_CERT="me.crt", CANARY_TLS_KEY="me.key")
    run("serve", CANARY_SERVE_TLS_CERT="s.crt", CANARY_SERVE_TLS_KEY="s.key", CANARY_INSECURE="1")

    assert served == [Settings(), Settings(tls_cert=Path("s.crt"), tls_key=Path("s.key"), insecure=True)]
