"""What may be handed over: files, endpoints and Envoy resources in the forms that people have them in."""

import importlib
import json
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration

from xds.client.payloads import Resource, endpoint, files_of, resource_files
from xds.errors import InvalidInput
from xds.stubs import canary_admin_v1_pb2 as pb
from xds.stubs import envoy_config_cluster_v3_pb2 as stubs

TYPE = "type.googleapis.com/envoy.config.cluster.v3.Cluster"


def test_texts_and_documents_are_sent_as_they_are() -> None:
    """Named for their place, so that a fault says which it is in."""
    assert files_of(["name: a\n", {"name": "b"}, "{}", "name: c"]) == [
        pb.File(name="text 1", text="name: a\n"),
        pb.File(name="document 2", text='{"name": "b"}'),
        pb.File(name="text 3", text="{}"),
        pb.File(name="text 4", text="name: c"),
    ]


def test_paths_are_read(tmp_path: Path) -> None:
    """A folder stands for its deployment files; a str that is no YAML is a path."""
    for name in ("b.yml", "a.yaml", ".hidden.yaml", "notes.txt"):
        (tmp_path / name).write_text(name, encoding="utf-8")

    names = [file.name for file in files_of([tmp_path, str(tmp_path / "b.yml"), str(tmp_path)])]

    assert names == [str(tmp_path / name) for name in ("a.yaml", "b.yml", "b.yml", "a.yaml", "b.yml")]


def test_what_can_not_be_read_is_invalid_input(tmp_path: Path) -> None:
    """A missing file, one that is no text, an empty folder."""
    (tmp_path / "latin.yaml").write_bytes(b"caf\xe9")
    (tmp_path / "empty").mkdir()

    for source in ("nothing.yaml", "nothing", tmp_path / "latin.yaml", tmp_path / "empty"):
        with pytest.raises(InvalidInput):
            files_of([source])


def test_an_endpoint_is_host_and_port() -> None:
    """IPv6 in brackets; messages go through."""
    assert endpoint("10.0.0.1:80") == pb.Endpoint(address="10.0.0.1", port=80)
    assert endpoint("[fd00::1]:80") == pb.Endpoint(address="fd00::1", port=80)
    assert endpoint(pb.Endpoint(address="a", port=1, weight=3)).weight == 3
    for wrong in ("10.0.0.1", ":80", "a:b"):
        with pytest.raises(InvalidInput):
            endpoint(wrong)


@pytest.mark.parametrize("resource", [stubs.Cluster(name="x"), {"@type": TYPE, "name": "x"}])
def test_an_envoy_resource_is_json_with_its_type(resource: Resource) -> None:
    """Whether it was a message or a mapping."""
    (file,) = resource_files(resource)

    assert json.loads(file.text) == {"@type": TYPE, "name": "x"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # its own, of pydantic
def test_a_message_of_envoy_data_plane_says_its_type() -> None:
    """Messages inside `Any` do too."""
    module = importlib.import_module("envoy_data_plane.envoy.config.cluster.v3")
    core = importlib.import_module("envoy_data_plane.envoy.config.core.v3")
    wrapped = importlib.import_module("envoy_data_plane.google.protobuf").Any.pack(module.Cluster(name="in"))
    socket = core.TransportSocket(name="s", typed_config=wrapped)

    (file,) = resource_files(module.Cluster(name="x", transport_socket=socket))

    inner = {"@type": TYPE, "name": "in"}
    assert json.loads(file.text) == {
        "@type": TYPE,
        "name": "x",
        "transportSocket": {"name": "s", "typedConfig": inner},
    }


def test_several_resources_and_texts() -> None:
    """Mixed as they come; YAML may hold several."""
    timeout = stubs.Cluster(name="x", connect_timeout=Duration(seconds=1))

    first, second = resource_files([timeout, "a: 1\n---\nb: 2\n"])

    assert json.loads(first.text)["connect_timeout"] == "1s"
    assert second.text == "a: 1\n---\nb: 2\n"
