"""Random messages, written by our modules, read and written again by envoy-data-plane's."""

import importlib

import pytest

from tests.stubs.generated import messages, schema_files
from tests.stubs.random_messages import RandomMessages


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # betterproto2 warns of Envoy's deprecated fields
@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 12))])
def test_every_message_survives_envoy_data_plane(seed: int) -> None:
    """A random instance of every `envoy.*.v3` message comes back with nothing lost or changed."""
    pool = importlib.import_module("envoy_data_plane.message_pool").default_message_pool
    files = [file for file in schema_files() if file.package.startswith("envoy.")]
    for file in files:
        importlib.import_module(f"envoy_data_plane.{file.package}")
    source = RandomMessages(seed)
    changed = []
    for descriptor in messages(files):
        if descriptor.GetOptions().map_entry:
            continue
        message = source.message(descriptor)
        theirs = pool.url_to_type[f"type.googleapis.com/{descriptor.full_name}"]
        if type(message).FromString(bytes(theirs.parse(message.SerializeToString()))) != message:
            changed.append(message)
    assert changed == []
