"""What the Setup commands print, word for word; of the JSON Schema its beginning."""

import secrets
from pathlib import Path

import pytest

from tests.cli import transcripts
from tests.cli.fake_admin import AdminApi, Run
from xds import __version__
from xds.cli.main import SECTIONS
from xds.revisions import decide
from xds.revisions.record import Note
from xds.spec.deployment import Deployment
from xds.store.records import Write
from xds.store.sqlite import SqliteStore
from xds.stubs import canary_admin_v1_pb2 as pb

FINE = """\
name: summarization
bento: summarization:v1
endpoints: [10.0.0.10:3000]
canary:
  route_type: header
  route_by: X-User-ID
  versions:
    a: {bento: "summarization:v2", weight: 20, endpoints: [10.0.0.11:3000]}
"""
FAULTY = "name: x\ntimeout: soon\nhost: [a]\ncanary: {versions: {a: {weight: 120}}}\n"
_BEGINNING = 40
"""Lines."""

CASES = {
    "lint": (("lint", "-f", "-"), FINE),
    "lint-faults": (("lint", "-f", "-", "--strict"), FAULTY),
    "translate": (("translate", "-f", "-"), FINE),
    "bootstrap": (("bootstrap", "--node-id", "edge-1"), ""),
    "bootstrap-tls": (
        (
            *("bootstrap", "--gateway", "edge", "--node-id", "edge-1", "--xds", "canary.internal:18000"),
            *("--tls-ca", "/etc/ca.crt", "--tls-cert", "/etc/edge.crt", "--tls-key", "/etc/edge.key"),
        ),
        "",
    ),
    "token": (("token", "ci", "--expires", "2030-01-31"), ""),
    "backup": (("backup", "--store", "canary.db", "-o", "copy.db"), ""),
    "backup-again": (("backup", "--store", "canary.db", "-o", "canary.db"), ""),
    "restore": (("restore", "canary.db", "--store", "other.db"), ""),
    "completion-bash": (("completion", "bash"), ""),
    "completion-zsh": (("completion", "zsh"), ""),
    "completion-fish": (("completion", "fish"), ""),
    "version": (("version",), ""),
    "version-json": (("version", "-o", "json"), ""),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the commands run: it has a store with a deployment."""
    monkeypatch.chdir(tmp_path)
    revision = decide.apply(Deployment(name="summarization"), None, {}, Note("ada", 1.0))
    assert revision is not None
    store = SqliteStore(tmp_path / "canary.db")
    store.commit(Write((revision,)))
    store.close()
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("case", CASES)
def test_what_a_setup_command_prints(
    api: AdminApi, ask: Run, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """With chance and releases left out."""
    monkeypatch.setattr(secrets, "token_urlsafe", lambda _size: "as-it-happens")
    api.answers["ServerService/Get"] = pb.Server(version=__version__)
    args, stdin = CASES[case]

    said = transcripts.transcript(args, ask(*args, stdin=stdin))

    transcripts.check(f"setup-{case}", said.replace(__version__, "VERSION"))


def test_how_the_schema_begins(run: Run) -> None:
    """What it is, and the first of what is in it."""
    args = ("schema",)

    said = transcripts.transcript(args, run(*args)).splitlines(keepends=True)

    transcripts.check("setup-schema", "".join(said[:_BEGINNING]))


def test_every_setup_command_has_golden_output() -> None:
    """Except what runs until it is stopped."""
    shown = {case.partition("-")[0] for case in CASES}

    assert shown | {"schema", "serve"} == set(SECTIONS["Setup"])
