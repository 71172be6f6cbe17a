"""The reference says everything that a file can say, and its examples are right."""

import re
from pathlib import Path

import pytest
import yaml

from xds.spec.deployment import Canary, Deployment, Version
from xds.spec.endpoints import Endpoint
from xds.spec.envoy import EnvoyPatches, EnvoyVersionPatches, GatewayPatches
from xds.spec.gateway import Gateway, Listen, NodeMatch
from xds.spec.gateways import read_gateways
from xds.spec.keys import known_keys
from xds.spec.matching import BodyMatch
from xds.spec.read import read
from xds.spec.splits import (
    HeaderMatch,
    Mirror,
    PathMatch,
    QueryMatch,
    Rule,
    RuleMatch,
    Secret,
    SessionAffinity,
    VersionSelector,
)
from xds.spec.upstream import (
    CircuitBreakers,
    HeaderEdits,
    Headers,
    HealthCheck,
    LoadBalancing,
    Model,
    OutlierDetection,
    Retry,
    SlowStart,
    Tls,
)

REFERENCE = (Path(__file__).parents[2] / "docs" / "deployment-files.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", REFERENCE, re.DOTALL)
TABLES = re.findall(r"^\|.*\n\|[-| ]+\|\n(?:\|.*\n)*", REFERENCE, re.MULTILINE)
"""Headed, as Markdown wants them; a row outside is none."""
MODELS = [
    Deployment,
    Canary,
    Version,
    BodyMatch,
    Endpoint,
    Gateway,
    Listen,
    NodeMatch,
    EnvoyPatches,
    EnvoyVersionPatches,
    GatewayPatches,
    CircuitBreakers,
    HeaderEdits,
    Headers,
    HealthCheck,
    LoadBalancing,
    OutlierDetection,
    Retry,
    SlowStart,
    Tls,
    HeaderMatch,
    Mirror,
    PathMatch,
    QueryMatch,
    Rule,
    RuleMatch,
    Secret,
    SessionAffinity,
    VersionSelector,
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_is_in_a_table(model: type[Model]) -> None:
    """No key without a row that explains it."""
    rows = "\n".join(line.split("|")[1] for table in TABLES for line in table.splitlines())
    missing = [key for key in known_keys(model) if not re.search(rf"[`.]{key}[`\[]", rows)]
    assert not missing


def test_every_row_is_in_a_table() -> None:
    """An empty line between two rows ends their table: the rest would be shown as plain text."""
    rows = [line for line in REFERENCE.splitlines() if line.startswith("|")]
    assert rows == [line for table in TABLES for line in table.splitlines()]


def _is_configuration(example: str) -> bool:
    return set(next(yaml.safe_load_all(example))) == {"gateways"}


@pytest.mark.parametrize("index", [i for i, text in enumerate(EXAMPLES) if not _is_configuration(text)])
def test_an_example_of_a_file_is_right(index: int) -> None:
    """It reads without a fault and without an unknown key."""
    assert read([("example.yaml", EXAMPLES[index])], strict=True).faults == ()


@pytest.mark.parametrize("index", [i for i, text in enumerate(EXAMPLES) if _is_configuration(text)])
def test_an_example_of_gateways_is_right(index: int) -> None:
    """It reads without a fault."""
    _, faults = read_gateways(yaml.safe_load(EXAMPLES[index])["gateways"], "canary.yaml")
    assert faults == ()


def test_the_first_example_has_endpoints_by_tag() -> None:
    """The way that survives a promotion unchanged is the one people see first."""
    documents = read([("example.yaml", EXAMPLES[0])]).documents
    assert [document.deployment is None for document in documents] == [False, True]
