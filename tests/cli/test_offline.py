"""`canary lint`, `schema`, `translate` and `bootstrap`: what needs no server."""

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.fake_admin import Run

FINE = """\
name: summarization
bento: summarization:v1
endpoints: [10.0.0.10:3000]
canary:
  versions:
    a: {bento: "summarization:v2", weight: 20, endpoints: [10.0.0.11:3000]}
"""


@pytest.fixture
def gateways(tmp_path: Path) -> str:
    """A configuration with two gateways."""
    file = tmp_path / "canary.yaml"
    file.write_text(
        "gateways:\n"
        "  - {name: edge, domain: example.com, listeners: [{port: 10001}]}\n"
        "  - {name: inside, listeners: [{port: 10002}]}\n",
        encoding="utf-8",
    )
    return str(file)


def test_lint_says_that_nothing_is_wrong(run: Run) -> None:
    """A good file is one line on stdout and exit 0."""
    result = run("lint", "-f", "-", stdin=FINE)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "nothing wrong (1 deployment in 1 file)\n"


def test_lint_prints_every_fault(run: Run) -> None:
    """All faults of a file, by line, on stderr; exit 1."""
    result = run("lint", "-f", "-", stdin="name: x\ntimeout: soon\ncanary: {versions: {a: {weight: 120}}}\n")

    assert (result.exit_code, result.stdout) == (1, "")
    assert [line.split(": ")[:2] for line in result.stderr.splitlines()] == [
        ["stdin:2", "timeout"],
        ["stdin:3", "canary.versions.a.weight"],
    ]


def test_lint_warns_without_failing(run: Run) -> None:
    """An unknown key is a warning."""
    result = run("lint", "-f", "-", stdin="name: x\nhost: [a]\n")

    assert result.exit_code == 0
    assert result.stderr.startswith("warning: stdin:2: host: unknown key")


def test_strict_lint_fails_on_unknown_keys(run: Run) -> None:
    """--strict makes it a fault."""
    assert run("lint", "--strict", "-f", "-", stdin="name: x\nhost: [a]\n").exit_code == 1


def test_lint_of_a_file_that_is_no_text_goes_on_with_the_others(run: Run, tmp_path: Path) -> None:
    """Also with what is only a fault when it is strict."""
    (tmp_path / "a.yaml").write_bytes(b"name: caf\xe9\n")
    (tmp_path / "b.yaml").write_text("name: b\nhost: [b]\n", encoding="utf-8")

    result = run("lint", "--strict", "-f", str(tmp_path))

    assert result.exit_code == 1
    assert [line.partition(": ")[0] for line in result.stderr.splitlines()] == [
        f"{tmp_path}/{place}" for place in ("a.yaml:1", "b.yaml:2")
    ]


def test_lint_refuses_grpc_checks_over_http1(run: Run) -> None:
    """Envoy would refuse the cluster."""
    result = run("lint", "-f", "-", stdin="name: x\nhealth_check: {type: grpc}\n")

    assert result.exit_code == 1
    assert result.stderr == (
        "stdin:1: protocol: main gets grpc health checks on gateway default, and http1 can't carry them "
        "(write protocol: grpc)\n"
    )


def test_lint_finds_two_deployments_that_claim_one_place(run: Run, tmp_path: Path) -> None:
    """Same host and path: both files are named."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\nhosts: [same.example.com]\n", encoding="utf-8")

    result = run("lint", "-f", str(tmp_path))

    assert result.exit_code == 1
    assert str(tmp_path / "one.yaml") in result.stderr
    assert str(tmp_path / "two.yaml") in result.stderr


def test_lint_knows_the_gateways_of_a_configuration(run: Run, gateways: str) -> None:
    """A deployment for a gateway that is not there is a fault, unless --config has it."""
    text = "name: x\ngateways: [edge]\n"

    assert run("lint", "-f", "-", stdin=text).exit_code == 1
    assert run("lint", "--config", gateways, "-f", "-", stdin=text).exit_code == 0


def test_schema_is_a_json_schema(run: Run) -> None:
    """Editors find the keys of a deployment file in it."""
    schema = json.loads(run("schema").stdout)

    deployment = schema["$defs"]["Deployment"]["properties"]
    assert {"name", "bento", "hosts", "canary", "endpoints"} <= set(deployment)


def test_translate_prints_a_document_for_each_resource(run: Run) -> None:
    """Each with its type, in protobuf's own names."""
    result = run("translate", "-f", "-", stdin=FINE)

    documents = list(yaml.safe_load_all(result.stdout))
    kinds = [document["@type"].rpartition(".")[2] for document in documents]
    assert result.exit_code == 0
    assert sorted(kinds) == [
        "Cluster",
        "Cluster",
        "ClusterLoadAssignment",
        "ClusterLoadAssignment",
        "Listener",
        "RouteConfiguration",
    ]
    assert all("cluster_name" in each or "name" in each for each in documents)


def test_translate_of_one_gateway(run: Run, gateways: str) -> None:
    """--gateway leaves the others' listeners out."""
    result = run("translate", "-f", "-", "--config", gateways, "--gateway", "inside", stdin=FINE)

    assert "10002" in result.stdout
    assert "10001" not in result.stdout


def test_translate_names_the_gateways_there_are(run: Run, gateways: str) -> None:
    """Another name is wrong usage."""
    result = run("translate", "-f", "-", "--config", gateways, "--gateway", "none", stdin=FINE)

    assert result.exit_code == 2
    assert "there is no gateway 'none' (there are: edge, inside)" in result.stderr


def test_translate_refuses_what_lint_refuses(run: Run) -> None:
    """Every fault on stderr, nothing on stdout."""
    result = run("translate", "-f", "-", stdin="name: x\ntimeout: soon\n")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("stdin:2: timeout: ")


BOOTSTRAP = (
    *("bootstrap", "--gateway", "edge", "--xds", "cp.example.com:18000"),
    *("--node-id", "edge-1", "--envoy-admin", "127.0.0.1:9901"),
)


def test_bootstrap_prints_the_file_an_envoy_starts_with(run: Run) -> None:
    """Who it is, and where its control plane is."""
    content = yaml.safe_load(run(*BOOTSTRAP).stdout)

    assert content["node"] == {"cluster": "edge", "id": "edge-1"}
    assert content["admin"]["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": 9901}
    assert "cp.example.com" in str(content["static_resources"])


def test_bootstrap_writes_to_a_file(run: Run, tmp_path: Path) -> None:
    """--out FILE has what stdout would have had."""
    out = tmp_path / "envoy.yaml"

    result = run(*BOOTSTRAP, "--out", str(out))

    assert (result.exit_code, result.stdout) == (0, "")
    assert out.read_text(encoding="utf-8") == run(*BOOTSTRAP, "--out", "-").stdout


def test_bootstrap_needs_a_node_id(run: Run) -> None:
    """Two Envoys of one name could not be told apart."""
    assert run("bootstrap").exit_code == 2


def test_bootstrap_that_cannot_be_written_says_so(run: Run, tmp_path: Path) -> None:
    """One line, exit 1."""
    result = run(*BOOTSTRAP, "--out", str(tmp_path / "none" / "envoy.yaml"))

    assert result.exit_code == 1
    assert result.stderr.endswith("No such file or directory (name a file that can be written)\n")
