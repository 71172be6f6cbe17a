"""Files that people have load as they stand, and say what they look like they say."""

import pytest

from xds.spec.deployment import MAIN, Deployment
from xds.spec.endpoints import Endpoint
from xds.spec.read import Document, read

BENTOML = """\
name: summarization-blel
bento: summarization:xq4dggshm25lecvj
access_authorization: false
services:
  Summarization:
    instance_type: cpu.2
    scaling:
      min_replicas: 1
      max_replicas: 1
      policy:
        scale_up_stabilization_window: 0
        scale_down_stabilization_window: 600
    config_overrides:
      traffic:
        timeout: 30
        external_queue: false
    deployment_strategy: RollingUpdate
canary:
  route_type: query
  route_by: feature
  versions:
    a:
      bento: summarization:t226bcshm2bqicvj
      weight: 20
      services:
        Summarization:
          instance_type: cpu.1
          envs:
            - name: VAR_NAME
              value: var_value
          scaling: {min_replicas: 1, max_replicas: 2}
    b:
      bento: summarization:zgk7uja3goq62usu
      weight: 30
      services:
        Summarization:
          instance_type: cpu.4
          envs:
            - name: VAR_NAME
              value: var_value
          scaling: {min_replicas: 1, max_replicas: 3}
"""


def documents_of(text: str, file: str = "a.yaml") -> tuple[Document, ...]:
    """The documents of a text without faults."""
    reading = read([(file, text)])
    assert reading.faults == ()
    return reading.documents


def deployment_of(text: str) -> Deployment:
    """The only deployment of a text without faults."""
    (document,) = documents_of(text)
    assert document.deployment is not None
    return document.deployment


def test_bentomls_own_example_splits_as_it_says() -> None:
    """Its documentation's full example: by query, 20 and 30 percent, the rest to main."""
    found = deployment_of(BENTOML)
    assert (found.canary.route_type, found.canary.route_by) == ("query", "feature")
    assert found.weights() == {MAIN: 50, "a": 20, "b": 30}
    assert [found.build_ref(label) for label in found.weights()] == [
        "summarization:xq4dggshm25lecvj",
        "summarization:t226bcshm2bqicvj",
        "summarization:zgk7uja3goq62usu",
    ]


def test_bentomls_own_example_is_kept_whole() -> None:
    """What we don't act on is there to be given back."""
    found = deployment_of(BENTOML)
    assert isinstance(found.services, dict)
    assert found.services.keys() == {"Summarization"}
    assert found.access_authorization is False
    assert found.canary.versions["a"].services == {
        "Summarization": {
            "instance_type": "cpu.1",
            "envs": [{"name": "VAR_NAME", "value": "var_value"}],
            "scaling": {"min_replicas": 1, "max_replicas": 2},
        }
    }


def test_bentomls_own_example_has_one_warning() -> None:
    """Whoever loads it does not drown."""
    assert list(map(str, read([("a.yaml", BENTOML)]).warnings)) == [
        "a.yaml:1: kept and not acted on, because they are BentoML's: access_authorization, services"
    ]


def test_bentomls_timeout_counts() -> None:
    """`config_overrides.traffic.timeout` becomes the deployment's."""
    assert deployment_of(BENTOML).timeout == 30


def test_the_longest_of_several_timeouts_counts() -> None:
    """One route serves all of a bento's services."""
    services = "".join(
        f"  {name}: {{config_overrides: {{traffic: {{timeout: {seconds}}}}}}}\n"
        for name, seconds in {"A": 30, "B": 90, "C": 60}.items()
    )
    assert deployment_of(f"name: chat\nservices:\n{services}").timeout == 90


def test_a_timeout_of_its_own_counts_more() -> None:
    """What was said to us weighs more than what was said to BentoML."""
    assert deployment_of(BENTOML + "timeout: 2m\n").timeout == 120


@pytest.mark.parametrize("canary", ["canary: null", "canary: {}", "canary: {versions: {}}", "canary:", ""])
def test_no_canary_in_any_way(canary: str) -> None:
    """Everything goes to main."""
    assert deployment_of(f"name: chat\n{canary}\n").weights() == {MAIN: 100}


@pytest.mark.parametrize(
    ("written", "weight"),
    [
        ("20", 20),
        ('"20"', 20),
        ("12.7", 12.7),
        ("0", 0),
        ("null", 0),
        ("0.01", 0.01),
        ("100", 100),
        ("20.0", 20),
    ],
)
def test_weights_in_every_form(written: str, weight: float) -> None:
    """Numbers and their texts; absent is 0."""
    assert deployment_of(f"name: chat\ncanary: {{versions: {{a: {{weight: {written}}}}}}}\n").weights() == {
        MAIN: round(100 - weight, 2),
        "a": weight,
    }


def test_labels_are_text_as_written() -> None:
    """`1` and `on` are labels like any other; upper case is fine."""
    found = deployment_of("name: chat\ncanary: {versions: {1: {weight: 1}, on: {weight: 2}, A: {}}}\n")
    assert found.weights() == {MAIN: 97, "1": 1, "A": 0, "on": 2}


def test_an_empty_version_is_a_version() -> None:
    """`a:` alone declares a version, to be given weight later."""
    assert deployment_of("name: chat\ncanary:\n  versions:\n    a:\n").weights() == {MAIN: 100, "a": 0}


def test_a_build_without_a_tag_is_called_after_its_version() -> None:
    """So endpoints can be given without any tag."""
    (document,) = documents_of(
        "name: chat\nendpoints: ['10.0.0.1:1']\ncanary: {versions: {a: {endpoints: []}}}\n"
    )
    assert document.endpoints == {"chat@main": (Endpoint(address="10.0.0.1", port=1),), "chat@a": ()}


def test_build_is_a_synonym_of_bento() -> None:
    """At both levels; both are fine if they agree."""
    found = deployment_of(
        "name: chat\nbuild: chat:1\ncanary: {versions: {a: {build: 'c:2', bento: 'c:2'}}}\n"
    )
    assert (found.bento, found.bento_of("a")) == ("chat:1", "c:2")


def test_hosts_and_paths_are_brought_into_one_form() -> None:
    """Lower case; no slash at the end."""
    found = deployment_of(
        "name: chat\nhosts: [Chat.Example.COM, '*', '*.x.test', 'x.*']\npath_prefix: /V1/\n"
    )
    assert found.hosts == ("chat.example.com", "*", "*.x.test", "x.*")
    assert found.path_prefix == "/V1"


def test_header_names_agree_whatever_their_case() -> None:
    """ring_hash by the split's own header is fine, however it is written."""
    found = deployment_of(
        "name: chat\ncanary: {route_type: header, route_by: X-User-ID}\n"
        "load_balancing: {policy: ring_hash, header: x-user-id}\n"
    )
    assert found.load_balancing is not None


def test_endpoints_in_every_form() -> None:
    """`host:port`, IPv6 in brackets, and a mapping with weight and zone."""
    (document,) = documents_of(
        "endpoints:\n  'chat:1':\n    - 10.0.0.1:3000\n    - '[FD00:0::1]:3000'\n"
        "    - {address: 'fd00::2', port: '3000', weight: 2, zone: a}\n"
        "  'chat:2':\n    - Chat.internal:3000\n    - {dns: chat_2, port: 3000}\n"
    )
    assert document.deployment is None
    assert document.endpoints == {
        "chat:1": (
            Endpoint(address="10.0.0.1", port=3000),
            Endpoint(address="fd00::1", port=3000),
            Endpoint(address="fd00::2", port=3000, weight=2, zone="a"),
        ),
        "chat:2": (
            Endpoint(address="chat.internal", port=3000),
            Endpoint(address="chat_2", port=3000),
        ),
    }


def test_absent_endpoints_are_not_none_at_all() -> None:
    """An absent key says nothing; an empty list says: none now."""
    first, second = documents_of("name: a\nbento: a:1\n---\nname: b\nbento: b:1\nendpoints: []\n")
    assert (first.endpoints, second.endpoints) == ({}, {"b:1": ()})


def test_the_same_endpoints_may_be_given_twice() -> None:
    """Two deployments with one tag may both list its endpoints, in any order."""
    reading = read(
        [
            ("a.yaml", "name: a\nbento: m:1\nendpoints: ['10.0.0.1:1', '10.0.0.2:1']\n"),
            ("b.yaml", "name: b\nbento: m:1\nendpoints: ['10.0.0.2:1', '10.0.0.1:1']\n"),
        ]
    )
    assert reading.faults == ()


def test_several_documents_and_their_lines() -> None:
    """Each document knows where it begins; empty ones are passed over."""
    found = documents_of("---\nname: a\n---\n# nothing\n---\nname: b\n---\nendpoints: {}\n")
    assert [(document.line, document.deployment and document.deployment.name) for document in found] == [
        (2, "a"),
        (6, "b"),
        (8, None),
    ]


def test_json_reads_like_yaml() -> None:
    """The same content gives the same deployment, tabs and all."""
    text = (
        '{\n\t"name": "chat",\n\t"canary": {"versions": {"a": {"weight": 5, "envs": ["\\ud83d\\ude00"]}}}\n}'
    )
    (from_json,) = documents_of(text, "a.json")
    from_yaml = deployment_of("name: chat\ncanary: {versions: {a: {weight: 5, envs: ['😀']}}}\n")
    assert from_json.deployment == from_yaml


def test_anchors_and_merge_keys() -> None:
    """YAML's own means against repetition work, and what is written out wins."""
    found = deployment_of(
        "name: chat\ncanary:\n  versions:\n"
        "    a: &a {weight: 5, protocol: http2}\n    b: {<<: *a, weight: 7}\n"
    )
    assert found.weights() == {MAIN: 88, "a": 5, "b": 7}
    assert found.canary.versions["b"].protocol == "http2"
