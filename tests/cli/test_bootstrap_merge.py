"""`canary bootstrap --merge`, and the dialect: files in, a file out, advice on stderr."""

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.fake_admin import Run

EXISTING = """\
node: {id: old-1}
static_resources:
  listeners:
    - name: in
      filter_chains:
        - filters:
            - typed_config:
                "@type": type.googleapis.com/x.HttpConnectionManager
                route_config: {name: mine}
"""


@pytest.fixture
def existing(tmp_path: Path) -> Path:
    """An Envoy's own bootstrap."""
    file = tmp_path / "envoy.yaml"
    file.write_text(EXISTING, encoding="utf-8")
    return file


def test_the_merged_file_is_on_stdout_and_the_advice_on_stderr(run: Run, existing: Path) -> None:
    """The advice says file, line and place."""
    result = run("bootstrap", "--merge", str(existing), "--gateway", "edge")

    merged = yaml.safe_load(result.stdout)
    assert (result.exit_code, merged["node"]) == (0, {"id": "old-1", "cluster": "edge"})
    assert (
        merged["static_resources"]["listeners"] == yaml.safe_load(EXISTING)["static_resources"]["listeners"]
    )
    assert result.stderr.startswith(
        f"{existing}:9: static_resources.listeners[0].filter_chains[0].filters[0].typed_config.route_config: "
    )


def test_json_is_taken_as_well_and_from_stdin(run: Run) -> None:
    """As `envoy` itself takes it."""
    result = run("bootstrap", "--merge", "-", "--node-id", "e", stdin=json.dumps({"admin": {}}))

    assert yaml.safe_load(result.stdout)["node"] == {"id": "e", "cluster": "default"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("node: [", "stdin:1: the YAML is broken"),
        ("- node\n", "stdin: a list is no bootstrap"),
        ("", "stdin: 0 documents are no bootstrap"),
        ("node: {}\n", "stdin:1: node.id: is missing (say who this Envoy is with --node-id)"),
        (
            "node: {id: e}\ndynamic_resources:\n  ads_config: {api_type: GRPC}\n",
            "stdin:3: dynamic_resources.ads_config: this Envoy has a control plane already",
        ),
    ],
)
def test_what_cannot_be_merged_is_refused(run: Run, text: str, fault: str) -> None:
    """Exit 1, the line on stderr, nothing on stdout."""
    result = run("bootstrap", "--merge", "-", stdin=text)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.removeprefix("Error: ").startswith(fault)


@pytest.mark.parametrize(("dialect", "api_type"), [("delta", "DELTA_GRPC"), ("sotw", "GRPC")])
@pytest.mark.parametrize("merging", [False, True], ids=["new", "merged"])
def test_the_dialect_can_be_chosen(
    run: Run, existing: Path, dialect: str, api_type: str, *, merging: bool
) -> None:
    """Delta, unless asked otherwise."""
    how = ("--merge", str(existing)) if merging else ("--node-id", "e")

    result = run("bootstrap", "--dialect", dialect, *how)

    assert yaml.safe_load(result.stdout)["dynamic_resources"]["ads_config"]["api_type"] == api_type
