"""The JSON Schema that editors use agrees with what is read."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given

from tests.spec.deployments import deployments
from tests.spec.file_tables import table
from xds.spec.deployment import Deployment
from xds.spec.schema import json_schema
from xds.spec.write import to_dict

jsonschema = pytest.importorskip("jsonschema")

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs" / "deployment-files.md").read_text(encoding="utf-8")
EXAMPLES = [
    document
    for block in re.findall(r"```yaml\n(.*?)```", REFERENCE, re.DOTALL)
    for document in yaml.safe_load_all(block)
    if document.keys() != {"gateways"}
]
WARNED = table("warned_files.txt")
REFUSED = [
    "bento: chat:1",
    "name: My_Chat",
    "name: chat\nhosts: a.test",
    "name: chat\ncanary: {route_type: cookie}",
    "name: chat\ncanary: {versions: [{weight: 5}]}",
    "name: chat\ncanary: {versions: {main: {weight: 5}}}",
    "name: chat\ncanary: {versions: {a: {weight: 101}}}",
    "name: chat\ncanary: {versions: {a: {weight: much}}}",
    "name: chat\ntimeout: soon",
    "name: chat\nendpoints: [10.0.0.1]",
    "name: chat\nendpoints: [{address: 10.0.0.1}]",
    "name: chat\nendpoints: [{address: 10.0.0.1, port: 70000}]",
    "endpoints: ['10.0.0.1:1']",
    "just text",
]


def validator(*, strict: bool = False) -> Any:
    """Checks documents against the schema."""
    return jsonschema.Draft202012Validator(json_schema(strict=strict))


def test_it_is_a_schema() -> None:
    """Of the draft it names, and it is plain JSON."""
    jsonschema.Draft202012Validator.check_schema(json.loads(json.dumps(json_schema())))


@pytest.mark.parametrize("document", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_references_examples_are_accepted(document: object) -> None:
    """Even by the strict one."""
    assert [error.message for error in validator(strict=True).iter_errors(document)] == []


@pytest.mark.parametrize("file", sorted((ROOT / "examples").rglob("*.yaml")), ids=lambda file: file.name)
def test_the_example_files_are_accepted(file: Path) -> None:
    """What the demo applies has no red lines."""
    for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
        if document.keys() == {"gateways"}:  # the server's configuration
            continue
        assert [error.message for error in validator(strict=True).iter_errors(document)] == []


@pytest.mark.parametrize("what", WARNED)
def test_what_is_read_with_warnings_is_accepted(what: str) -> None:
    """The schema refuses nothing that is read."""
    assert validator().is_valid(yaml.safe_load(WARNED[what][0]))


@given(deployments)
def test_whatever_is_written_is_accepted(deployment: Deployment) -> None:
    """Every deployment there can be."""
    assert validator(strict=True).is_valid(to_dict(deployment))


@pytest.mark.parametrize(
    "text",
    [
        "name: chat\ncanary: null\nbuild: chat:1\ntimeout: 1.5\nconnect_timeout: '250ms'",
        "name: chat\ncanary: {route_type: null, versions: {a: null, b: {weight: '12.5', build: x}}}",
        "name: chat\nendpoints: []\nretry: {attempts: '3'}",
        "endpoints: {'a:1': ['[fd00::1]:80', {dns: x, port: 1}, {address: x, port: '1', weight: 2}]}",
        "endpoints: {}",
    ],
)
def test_every_form_is_accepted(text: str) -> None:
    """Synonyms, nulls, numbers as text, all forms of endpoints."""
    assert [error.message for error in validator(strict=True).iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_plainly_wrong_is_refused(text: str) -> None:
    """Red lines while typing."""
    assert not validator().is_valid(yaml.safe_load(text))


def test_strict_refuses_unknown_keys() -> None:
    """As reading does."""
    document = {"name": "chat", "canary": {"versions": {"a": {"wieght": 5}}}}
    assert (validator().is_valid(document), validator(strict=True).is_valid(document)) == (True, False)
