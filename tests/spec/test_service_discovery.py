"""Target groups of Prometheus's service discovery, and where a server polls them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xds.spec.endpoints import Endpoint
from xds.spec.service_discovery import EndpointSource, read_endpoint_sources, read_groups

SOURCE = EndpointSource(file_sd="x.json")


def read(value: object, source: EndpointSource = SOURCE) -> dict[str, list[str]]:
    """The places by target of groups that are fine."""
    found, faults = read_groups(json.dumps(value), "x.json", source)
    assert not faults
    return {target: [str(endpoint) for endpoint in listed] for target, listed in found.items()}


def faults_of(text: str) -> list[str]:
    """What is wrong with an answer."""
    return [str(fault) for fault in read_groups(text, "x.json", SOURCE)[1]]


def test_a_label_says_the_build() -> None:
    """Groups of the same build are one list, sorted, whatever their order."""
    groups = [
        {"targets": ["10.0.0.2:80"], "labels": {"build": "s:1"}},
        {"targets": ["10.0.0.3:80"], "labels": {"build": "s@a"}},
        {"targets": ["10.0.0.1:80"], "labels": {"build": "s:1", "job": "x"}},
    ]
    assert read(groups) == {"s:1": ["10.0.0.1:80", "10.0.0.2:80"], "s@a": ["10.0.0.3:80"]}
    assert read(groups[::-1]) == read(groups)


def test_another_label_can_say_it() -> None:
    """As adapters write them."""
    source = EndpointSource(file_sd="x", build_label="__meta_consul_tag")
    groups = [{"targets": ["10.0.0.2:80"], "labels": {"__meta_consul_tag": "s:1", "build": "t:1"}}]
    assert read(groups, source) == {"s:1": ["10.0.0.2:80"]}


def test_a_source_can_be_of_one_build() -> None:
    """Whatever the labels say."""
    source = EndpointSource(file_sd="x", build="s:1")
    assert read([{"targets": ["10.0.0.2:80"]}], source) == {"s:1": ["10.0.0.2:80"]}


def test_groups_without_the_label_are_somebody_elses() -> None:
    """A registry has more than models."""
    assert read([{"targets": ["postgres:5432"], "labels": {"job": "db"}}]) == {}


def test_labels_give_weight_and_zone() -> None:
    """As text, which is all that Prometheus has."""
    labels = {"build": "s:1", "weight": "3", "zone": "eu-1a"}
    found, _ = read_groups(json.dumps([{"targets": ["10.0.0.1:80"], "labels": labels}]), "x", SOURCE)
    assert found == {"s:1": (Endpoint(address="10.0.0.1", port=80, weight=3, zone="eu-1a"),)}


def test_yaml_is_fine_too() -> None:
    """Prometheus reads both."""
    found, faults = read_groups("- targets: ['10.0.0.1:80']\n  labels: {build: 's:1'}\n", "x.yml", SOURCE)
    assert (list(found), faults) == (["s:1"], ())


def test_every_fault_is_listed() -> None:
    """Each with its path."""
    groups = [
        {"targets": ["10.0.0.1", "10.0.0.2:99999"], "labels": {"build": "s:1"}},
        {"targets": "10.0.0.1:80", "labels": {"build": "s:1"}},
        {"targets": ["10.0.0.4:80"], "labels": {"build": "s:1", "weight": "many"}},
        {"targets": ["10.0.0.5:80"], "labels": {"build": "s 1"}},
        "10.0.0.6:80",
        {"targets": [], "labels": ["build"]},
    ]
    paths = [fault.path for fault in read_groups(json.dumps(groups), "x.json", SOURCE)[1]]
    assert paths == [
        "[0].targets[0]",
        "[0].targets[1]",
        "[1].targets",
        "[2].labels.weight",
        "[3].labels.build",
        "[4]",
        "[5].labels",
    ]


def test_the_same_place_twice_but_not_alike_is_a_fault() -> None:
    """Twice the same is none: registries repeat themselves."""
    one = {"targets": ["10.0.0.1:80", "10.0.0.1:80"], "labels": {"build": "s:1"}}
    heavy = {"targets": ["10.0.0.1:80"], "labels": {"build": "s:1", "weight": "2"}}
    assert read([one]) == {"s:1": ["10.0.0.1:80"]}
    assert "not alike" in faults_of(json.dumps([one, heavy]))[0]


@pytest.mark.parametrize("text", ["", "{}", "null", "<html>", "[", "[1]\n---\n[2]", "[" * 100_000])
def test_what_is_no_list_of_groups_is_refused(text: str) -> None:
    """A login page, say."""
    assert faults_of(text)


@given(st.text() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps))
def test_reading_never_raises(text: str) -> None:
    """Whatever a URL answers."""
    read_groups(text, "x", SOURCE)


def test_sources_are_configured() -> None:
    """Files and URLs."""
    sources, faults = read_endpoint_sources(
        [
            {"file_sd": "targets/*.json"},
            {"http_sd": "http://me:secret@sd:1/x", "interval": "5s", "build": "s:1"},
        ],
        "c",
    )
    assert faults == ()
    assert [source.name for source in sources] == ["file_sd: targets/*.json", "http_sd: http://sd:1/x"]
    assert sources[1].interval == 5


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ({}, "endpoint_sources[0]"),
        ({"file_sd": "x", "http_sd": "http://x"}, "endpoint_sources[0]"),
        ({"http_sd": "sd:80"}, "endpoint_sources[0].http_sd"),
        ({"file_sd": "x", "interval": "5s"}, "endpoint_sources[0].interval"),
        ({"file_sd": "x", "build": "s 1"}, "endpoint_sources[0].build"),
        ({"file_sd": "x", "build": "s:1", "build_label": "b"}, "endpoint_sources[0].build_label"),
        ({"file_sd": "x", "bulid": "s:1"}, "endpoint_sources[0].bulid"),
        ("x", "endpoint_sources[0]"),
    ],
)
def test_a_source_that_is_configured_wrong_is_named(source: object, path: str) -> None:
    """With its path."""
    assert [fault.path for fault in read_endpoint_sources([source], "c")[1]] == [path]


def test_two_sources_of_the_same_place_are_refused() -> None:
    """Each owns its list, by its name."""
    _, faults = read_endpoint_sources([{"file_sd": "x"}, {"file_sd": "x", "build": "s:1"}], "c")
    assert [fault.path for fault in faults] == ["endpoint_sources[1]"]
