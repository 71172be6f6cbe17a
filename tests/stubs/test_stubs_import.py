"""What importing a generated module costs: protobuf, and nothing of the schema it came from."""

import subprocess
import sys

import pytest

from tests.stubs.generated import schema_files

IMPORT_AND_LIST = """
import sys
from xds.stubs import canary_admin_v1_pb2_grpc, envoy_config_bootstrap_v3_pb2, envoy_service_discovery_v3_pb2
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The top-level packages that are loaded once some stubs are."""
    command = [sys.executable, "-c", IMPORT_AND_LIST]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("package", ["envoy_data_plane", "betterproto2", "grpclib", "protos"])
def test_serving_never_loads_what_generated_the_stubs(package: str, loaded: set[str]) -> None:
    """envoy-data-plane costs half a second and 46 MB; it is a schema for building, no codec for serving."""
    assert package not in loaded


def test_every_stub_can_be_imported_into_one_process() -> None:
    """No two of the modules claim one name of protobuf's single pool, so raw resources may name any type."""
    assert len({file.package for file in schema_files()}) > 360
