"""One betterproto2 class -> one protobuf descriptor, without what is nested in it.

Two forms that protobuf spells out are short in betterproto2: a map is a repeated message of its
own, `<Field>Entry`, and a scalar that knows whether it was set (`optional`) is a oneof of one
member, `_<field>`, which has to stand behind the real oneofs.
"""

from betterproto2 import TYPE_MESSAGE, Enum, FieldMetadata, Message
from betterproto2.grpclib.grpclib_server import ServiceBase
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    ServiceDescriptorProto,
)

from protos.schema.catalogue import SchemaClass, full_name, methods_of
from protos.schema.fields import Field, fields_of


def enum_descriptor(cls: type[Enum]) -> EnumDescriptorProto:
    """Describes an enum: its values, aliases among them, under their protobuf names."""
    descriptor = EnumDescriptorProto(name=_short_name(cls))
    renamed = cls.betterproto_value_to_renamed_proto_names()
    for name, member in cls.__members__.items():
        is_alias = name != member.name
        protobuf_name = name if is_alias else renamed.get(member.value, name)
        descriptor.value.add(name=protobuf_name, number=member.value)
        if is_alias:
            descriptor.options.allow_alias = True
    return descriptor


def message_descriptor(cls: type[Message]) -> DescriptorProto:
    """Describes a message: its fields, its oneofs and the entries of its maps."""
    descriptor = DescriptorProto(name=_short_name(cls))
    for field in fields_of(cls):
        if field.metadata.map_meta:
            _add_map(descriptor, cls, field, *field.metadata.map_meta)
        else:
            _add_field(descriptor, field)
    for written in descriptor.field:
        if written.proto3_optional:
            written.oneof_index = _oneof_index(descriptor, f"_{written.name}")
    return descriptor


def service_descriptor(cls: type[ServiceBase]) -> ServiceDescriptorProto:
    """Describes a service: its methods, what they take and give, and which way they stream."""
    descriptor = ServiceDescriptorProto(name=cls.__name__.removesuffix("Base"))
    for method in methods_of(cls):
        descriptor.method.add(
            name=method.name,
            input_type=_reference(method.request),
            output_type=_reference(method.response),
            client_streaming=method.client_streaming,
            server_streaming=method.server_streaming,
        )
    return descriptor


def _add_field(message: DescriptorProto, field: Field) -> None:
    metadata = field.metadata
    written = message.field.add()
    _write(written, field.name, metadata, field.type)
    if metadata.repeated:
        written.label = FieldDescriptorProto.LABEL_REPEATED
    elif metadata.group:
        written.oneof_index = _oneof_index(message, metadata.group)
    elif metadata.optional and metadata.proto_type != TYPE_MESSAGE:
        written.proto3_optional = True


def _add_map(
    message: DescriptorProto, cls: type[Message], field: Field, key: FieldMetadata, value: FieldMetadata
) -> None:
    entry = message.nested_type.add(name=f"{_camel_case(field.name)}Entry")
    entry.options.map_entry = True
    _write(entry.field.add(), "key", key, None)
    _write(entry.field.add(), "value", value, field.type)
    message.field.add(
        name=field.name,
        number=field.metadata.number,
        label=FieldDescriptorProto.LABEL_REPEATED,
        type=FieldDescriptorProto.TYPE_MESSAGE,
        type_name=f"{_reference(cls)}.{entry.name}",
    )


def _write(
    written: FieldDescriptorProto, name: str, metadata: FieldMetadata, refers_to: SchemaClass | None
) -> None:
    written.name = name
    written.number = metadata.number
    written.label = FieldDescriptorProto.LABEL_OPTIONAL
    written.type = FieldDescriptorProto.Type.Value(f"TYPE_{metadata.proto_type.upper()}")
    if refers_to:
        written.type_name = _reference(refers_to)


def _oneof_index(message: DescriptorProto, name: str) -> int:
    names = [oneof.name for oneof in message.oneof_decl]
    if name not in names:
        message.oneof_decl.add(name=name)
        names.append(name)
    return names.index(name)


def _short_name(cls: SchemaClass) -> str:
    return full_name(cls).rpartition(".")[2]


def _reference(cls: SchemaClass) -> str:
    return f".{full_name(cls)}"


def _camel_case(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))
