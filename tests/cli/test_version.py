"""`canary version`: whose versions it prints, and what it does without a server."""

import json

from tests.cli.fake_admin import AdminApi, Run
from tests.support.ports import free_port
from xds import __version__
from xds.stubs import canary_admin_v1_pb2 as pb


def test_both_versions(api: AdminApi, ask: Run) -> None:
    """The command's first."""
    api.answers["ServerService/Get"] = pb.Server(version="9.9")

    assert ask("version").stdout == f"canary {__version__}\nserver 9.9 ({api.address})\n"


def test_as_json(api: AdminApi, ask: Run) -> None:
    """With the server's beside it."""
    api.answers["ServerService/Get"] = pb.Server(version="9.9")

    data = json.loads(ask("version", "-o", "json").stdout)

    assert data == {"version": __version__, "server": {"address": api.address, "version": "9.9"}}


def test_without_a_server(run: Run) -> None:
    """Success: the command's own is known. Why the other isn't is said on stderr."""
    server = f"127.0.0.1:{free_port()}"

    result = run("version", "--server", server)

    assert (result.exit_code, result.stdout) == (0, f"canary {__version__}\n")
    assert result.stderr.startswith(f"no server's version: no answer from {server}: ")
    assert json.loads(run("version", "--server", server, "-o", "json").stdout)["server"]["version"] is None


def test_alone(api: AdminApi, ask: Run) -> None:
    """No server is asked."""
    assert ask("version", "--client").stdout == f"canary {__version__}\n"
    assert api.called == []
