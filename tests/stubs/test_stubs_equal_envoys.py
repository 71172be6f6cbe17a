"""Our modules against the descriptors inside the Envoy binary: the same schema, or less of it.

envoy-data-plane is a little older or newer than any Envoy, so Envoy may know more; what we know,
Envoy has to know in the same way. What differs is listed here by name.
"""

import pytest
from google.protobuf.descriptor import FieldDescriptor, FileDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pool import DescriptorPool

from tests.stubs.embedded_descriptors import embedded_descriptors, envoy_binary
from tests.stubs.generated import enums, messages, schema_files

NOT_IN_THE_BINARY = {
    # Control planes and gRPC's clients serve it, Envoy does not.
    "envoy.service.status.v3",
    # Extensions for gRPC's own clients.
    "envoy.extensions.grpc_service.call_credentials.access_token.v3",
    "envoy.extensions.grpc_service.call_credentials.file_based_metadata.v3",
    "envoy.extensions.grpc_service.call_credentials.google_compute_engine.v3",
    "envoy.extensions.grpc_service.call_credentials.google_iam.v3",
    "envoy.extensions.grpc_service.call_credentials.google_refresh_token.v3",
    "envoy.extensions.grpc_service.call_credentials.service_account_jwt_access.v3",
    "envoy.extensions.grpc_service.call_credentials.sts_service.v3",
    "envoy.extensions.grpc_service.channel_credentials.google_default.v3",
    "envoy.extensions.grpc_service.channel_credentials.insecure.v3",
    "envoy.extensions.grpc_service.channel_credentials.local.v3",
    "envoy.extensions.grpc_service.channel_credentials.tls.v3",
    "envoy.extensions.grpc_service.channel_credentials.xds.v3",
    "envoy.extensions.load_balancing_policies.pick_first.v3",
    "envoy.extensions.load_balancing_policies.random_subsetting.v3",
    "envoy.extensions.rbac.audit_loggers.stream.v3",
    "envoy.extensions.transport_sockets.s2a.v3",
    # Left out of this build, or never implemented.
    "envoy.extensions.filters.http.gzip.v3",
    "envoy.extensions.filters.http.kill_request.v3",
    "envoy.extensions.outlier_detection_monitors.common.v3",
    "envoy.extensions.outlier_detection_monitors.consecutive_errors.v3",
    "envoy.service.event_reporting.v3",
    "envoy.service.tap.v3",
}
CHANGED_SINCE = {
    # An extension in progress: Envoy 1.40 has another field at this number.
    "envoy.extensions.filters.http.mcp_json_rest_bridge.v3.ServerInfo.supported_protocol_versions"
}


@pytest.fixture(scope="module")
def envoy() -> DescriptorPool:
    """What the Envoy binary was built with."""
    return embedded_descriptors(envoy_binary())


@pytest.fixture(scope="module")
def ours() -> list[FileDescriptor]:
    """What we generated, as far as Envoy could know it."""
    return [file for file in schema_files() if file.package not in NOT_IN_THE_BINARY]


def test_every_field_is_envoys(ours: list[FileDescriptor], envoy: DescriptorPool) -> None:
    """Each field has the number, type, presence, packing, oneof and JSON name it has in Envoy."""
    fields = [field for message in messages(ours) for field in message.fields]
    different = {
        field.full_name
        for field in fields
        if _shape(field) != _shape(_fields_by_number(envoy, field).get(field.number))
    }
    assert different == CHANGED_SINCE
    assert len(fields) > 4600, "too few to mean anything: were all packages generated?"


def test_every_enum_is_envoys(ours: list[FileDescriptor], envoy: DescriptorPool) -> None:
    """Each enum has Envoy's name, and each of its values Envoy's name and number."""
    unknown = {
        f"{enum.full_name}.{value.name} = {value.number}"
        for enum in enums(ours)
        for value in enum.values
        if not _has_value(envoy, enum.full_name, value.name, value.number)
    }
    assert unknown == set()


def test_every_service_is_envoys(ours: list[FileDescriptor], envoy: DescriptorPool) -> None:
    """Each service has the methods it has in Envoy, with their types and streaming."""
    services = [service for file in ours for service in file.services_by_name.values()]
    different = [
        s.full_name for s in services if _methods(s) != _methods(envoy.FindServiceByName(s.full_name))
    ]
    assert different == []
    assert len(services) > 15, "too few to mean anything: were the services generated?"


@pytest.mark.parametrize("package", sorted(NOT_IN_THE_BINARY))
def test_what_is_left_out_is_really_unknown_to_envoy(package: str, envoy: DescriptorPool) -> None:
    """The list above leaves out nothing that could be compared."""
    known = [
        m.full_name
        for m in messages(schema_files())
        if m.file.package == package and _knows(envoy, m.full_name)
    ]
    assert known == []


def _shape(field: FieldDescriptor | None) -> tuple[object, ...] | None:
    if field is None:
        return None
    return (
        field.name,
        field.json_name,
        field.type,
        field.is_repeated,
        field.is_repeated and field.is_packed,
        field.has_presence,
        field.containing_oneof and field.containing_oneof.name,
        field.message_type and field.message_type.full_name,
        field.enum_type and field.enum_type.full_name,
    )


def _fields_by_number(envoy: DescriptorPool, field: FieldDescriptor) -> dict[int, FieldDescriptor]:
    message = field.full_name.rpartition(".")[0]
    return dict(envoy.FindMessageTypeByName(message).fields_by_number)


def _has_value(envoy: DescriptorPool, enum: str, name: str, number: int) -> bool:
    value = envoy.FindEnumTypeByName(enum).values_by_name.get(name)
    return value is not None and value.number == number


def _methods(service: ServiceDescriptor) -> dict[str, tuple[str, str, bool, bool]]:
    return {
        method.name: (
            method.input_type.full_name,
            method.output_type.full_name,
            method.client_streaming,
            method.server_streaming,
        )
        for method in service.methods
    }


def _knows(envoy: DescriptorPool, message: str) -> bool:
    try:
        envoy.FindMessageTypeByName(message)
    except KeyError:
        return False
    return True
