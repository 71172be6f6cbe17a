"""What the server says of a field is said of the flag that was typed."""

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status

from tests.cli.fake_admin import AdminApi, Refusal, Run
from xds.cli.flags import as_typed
from xds.spec.faults import Fault


@pytest.mark.parametrize(
    ("path", "flag"),
    [
        ("options.request_id", "--request-id"),
        ("options.wait.timeout", "--timeout"),
        ("wait.share", "--share"),
        ("ttl", "--ttl"),
        ("weights.a", "VERSION=PERCENT a"),
        ("endpoints[2].port", "HOST:PORT"),
        ("endpoint.weight", "--weight"),
        ("snapshot", "--to"),
        ("name", "NAME"),
        ("query.span", "--span"),
    ],
)
def test_a_field_is_a_flag(path: str, flag: str) -> None:
    """Or an argument."""
    assert as_typed(Fault("request", 0, path, "is wrong", "mend it")) == f"{flag}: is wrong (mend it)"


def test_a_fault_of_a_file_is_left_alone() -> None:
    """Its path is what was typed."""
    assert as_typed(Fault("f.yaml", 2, "name", "is wrong")) == "f.yaml:2: name: is wrong"


def test_an_id_that_was_used_before(api: AdminApi, ask: Run) -> None:
    """As the server answers."""
    said = "options: request_id: was used for another request"
    packed = AnyMessage()
    packed.Pack(BadRequest(field_violations=[{"field": "options:0: request_id", "description": said}]))
    details = Status(code=3, details=[packed]).SerializeToString()
    api.answers["Abort"] = Refusal(grpc.StatusCode.INVALID_ARGUMENT, details=details)

    result = ask("abort", "x", "--request-id", "1")

    assert result.stderr == "--request-id: was used for another request\n"
