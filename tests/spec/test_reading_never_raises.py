"""No text whatsoever makes reading raise; at worst it comes to faults, in people's words."""

import re

import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from tests.spec.file_tables import table
from xds.spec.deployment import Canary, Deployment, Version
from xds.spec.endpoints import Endpoint
from xds.spec.gateways import read_gateways
from xds.spec.keys import known_keys
from xds.spec.read import read
from xds.spec.upstream import HealthCheck, LoadBalancing, Tls

FILES = [text for name in ("bad_files.txt", "warned_files.txt") for text, _ in table(name).values()]
KEYS = sorted(
    {
        key
        for model in (Deployment, Canary, Version, Endpoint, HealthCheck, LoadBalancing, Tls)
        for key in known_keys(model)
    }
    | {
        "a",
        "main",
        "request",
        "set",
        "remove",
        "config_overrides",
        "traffic",
        "listeners",
        "nodes",
        "defaults",
        "x",
    }
)
VALUES = [
    "random",
    "header",
    "X-User",
    "ring_hash",
    "10.0.0.1:3000",
    "chat",
    "/v1",
    "30s",
    20,
    70,
    0.5,
    -1,
    None,
    True,
    "",
    10**400,
]
LINE_BREAK = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")  # YAML's
QUOTED = re.compile(r"'.*'|\".*\"", re.DOTALL)
JARGON = re.compile(r"Input should|validation error|type=|pydantic|Traceback|<class")

trees: st.SearchStrategy[JsonValue] = st.recursive(
    st.sampled_from(VALUES),
    lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(st.sampled_from(KEYS), deeper, max_size=5),
    max_leaves=25,
)
documents = st.dictionaries(st.sampled_from(KEYS), trees, min_size=1, max_size=6)


def read_with_care(text: str, file: str = "a.yaml") -> None:
    """Whatever is said about a text has a line of it, and is said in people's words."""
    reading = read([(file, text)])
    lines = len(LINE_BREAK.split(text))
    for fault in (*reading.faults, *reading.warnings):
        assert 0 <= fault.line <= lines
        assert not JARGON.search(QUOTED.sub("", fault.message))


@given(st.text(st.characters()))
def test_any_text(text: str) -> None:
    """Random characters, unpaired surrogates and control characters among them."""
    read_with_care(text)


@given(st.text("{}[]:,-&*!|>'\"%@` \n\ta1<~#?.\\u", max_size=40))
def test_text_of_what_yaml_cares_about(text: str) -> None:
    """Anything that looks like YAML or JSON but mostly is neither."""
    read_with_care(text)


@given(st.sampled_from(FILES), st.data())
def test_files_that_were_cut_and_stitched(text: str, data: st.DataObject) -> None:
    """A file half written, or with a piece of it missing or replaced."""
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    read_with_care(text[:start] + data.draw(st.text(max_size=4)) + text[end:])


@given(documents)
def test_known_keys_in_wrong_places(document: JsonValue) -> None:
    """Well-formed files with the right words and any structure."""
    read_with_care(yaml.safe_dump(document))


@given(st.lists(documents, max_size=3))
def test_any_gateways(value: list[JsonValue]) -> None:
    """A server's configuration is read with the same care."""
    _, faults = read_gateways(value, "canary.yaml")
    assert not any(JARGON.search(QUOTED.sub("", fault.message)) for fault in faults)
