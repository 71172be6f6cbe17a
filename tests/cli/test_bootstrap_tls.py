"""`canary bootstrap --tls-*`: how an Envoy reaches its control plane safely."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import json_format

from tests.cli.fake_admin import Run
from xds.stubs import envoy_extensions_transport_sockets_tls_v3_pb2 as tls_v3

CA = ("--tls-ca", "/ca.crt")
OWN = ("--tls-cert", "/own.crt", "--tls-key", "/own.key")


def context(text: str) -> tls_v3.UpstreamTlsContext:
    """The TLS context of the control plane's cluster."""
    clusters: list[dict[str, Any]] = yaml.safe_load(text)["static_resources"]["clusters"]
    (cluster,) = (cluster for cluster in clusters if cluster["name"] == "xds")
    config = cluster["transport_socket"]["typed_config"]
    del config["@type"]
    return json_format.ParseDict(config, tls_v3.UpstreamTlsContext())


@pytest.mark.parametrize("merging", [False, True], ids=["new", "merged"])
@pytest.mark.parametrize("dialect", ["delta", "sotw"])
def test_both_sides_show_a_certificate(run: Run, tmp_path: Path, dialect: str, *, merging: bool) -> None:
    """HTTP/2, whom to trust, and what to show; paths are not looked at."""
    existing = tmp_path / "envoy.yaml"
    existing.write_text("node: {id: e}\n")
    how = ("--merge", str(existing)) if merging else ("--node-id", "e")

    told = context(run("bootstrap", "--dialect", dialect, *how, *CA, *OWN).stdout).common_tls_context

    assert list(told.alpn_protocols) == ["h2"]
    assert told.validation_context.trusted_ca.filename == "/ca.crt"
    assert told.tls_certificates[0].certificate_chain.filename == "/own.crt"
    assert told.tls_certificates[0].private_key.filename == "/own.key"


@pytest.mark.parametrize(
    ("flags", "name", "kind", "sni"),
    [
        (("--xds", "canary.internal:1"), "canary.internal", "DNS", "canary.internal"),
        (("--xds", "10.0.0.1:1"), "10.0.0.1", "IP_ADDRESS", ""),
        (("--xds", "[fd00::1]:1"), "fd00::1", "IP_ADDRESS", ""),
        (("--xds", "10.0.0.1:1", "--tls-server-name", "c.example"), "c.example", "DNS", "c.example"),
    ],
)
def test_the_control_planes_name_is_checked(
    run: Run, flags: tuple[str, ...], name: str, kind: str, sni: str
) -> None:
    """It is the host that is called, or what is said; Envoy checks none by itself."""
    told = context(run("bootstrap", "--node-id", "e", *CA, *flags).stdout)

    (san,) = told.common_tls_context.validation_context.match_typed_subject_alt_names
    assert (san.matcher.exact, san.SanType.Name(san.san_type), told.sni) == (name, kind, sni)
    assert len(told.common_tls_context.tls_certificates) == 0


@pytest.mark.parametrize(
    ("flags", "mend"),
    [
        ((*CA, "--tls-cert", "/c"), "--tls-cert and --tls-key go together"),
        ((*CA, "--tls-key", "/k"), "--tls-cert and --tls-key go together"),
        (OWN, "TLS needs --tls-ca"),
        (("--tls-server-name", "n"), "TLS needs --tls-ca"),
    ],
)
def test_half_of_it_is_wrong_usage(run: Run, flags: tuple[str, ...], mend: str) -> None:
    """Nobody ends up in plain text, or with a certificate nobody is asked for."""
    result = run("bootstrap", "--node-id", "e", *flags)

    assert (result.exit_code, result.stdout) == (2, "")
    assert mend in result.stderr
