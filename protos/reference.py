"""`python -m protos.reference`: writes docs/api.md from the comments of the admin API's .proto file.

protoc keeps comments beside what they are about, by the path that leads there (a message's index, its
field's index). A comment like `--- fleet ---` begins a section.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    SourceCodeInfo,
)
from grpc_tools import protoc  # type: ignore[import-untyped]  # it ships no types

from protos.schema.compiler import ProtocFailed

ROOT = Path(__file__).parents[1]
SOURCE = "protos/canary/admin/v1/admin.proto"
TARGET = ROOT / "docs" / "api.md"

_SYNTAX, _MESSAGES, _SERVICES = 12, 4, 6
_FIELDS, _NESTED_ENUMS, _VALUES, _METHODS = 2, 4, 2, 2
"""Numbers of fields in descriptor.proto, which paths consist of."""

Place = tuple[int, ...]
Comments = Mapping[Place, SourceCodeInfo.Location]

_HEAD = f"""# The admin API

<!-- Written by `python -m protos.reference` from {SOURCE}: change that. -->

"""
_USE = """
With health (`grpc.health.v1.Health`) and reflection beside it, so that `grpcurl` and its like need no
`.proto` file. From Python, `xds.client` has all of it with types; from a shell, the `canary` command.

"""


def main() -> None:
    """Writes it."""
    TARGET.write_text(reference(), encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: written")  # noqa: T201 - its answer


def reference() -> str:
    """The whole page.

    Raises:
        ProtocFailed: the file is wrong; protoc has said why on stderr.
    """
    file = _described()
    comments = {tuple(place.path): place for place in file.source_code_info.location}
    lines = [*_services(file, comments), *_messages(file, comments)]
    return _HEAD + _introduction(comments) + "\n" + _USE + "\n".join(lines) + "\n"


def _described() -> FileDescriptorProto:
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "described.binpb"
        options = [f"--proto_path={ROOT}", "--include_source_info", f"--descriptor_set_out={made}"]
        well_known = f"--proto_path={Path(protoc.__file__).parent / '_proto'}"
        if protoc.main(["protoc", *options, well_known, str(ROOT / SOURCE)]) != 0:
            raise ProtocFailed(SOURCE)
        return FileDescriptorSet.FromString(made.read_bytes()).file[0]


def _introduction(comments: Comments) -> str:
    place = comments[(_SYNTAX,)]
    return "\n\n".join(map(_text, [*place.leading_detached_comments, place.leading_comments])).strip()


def _services(file: FileDescriptorProto, comments: Comments) -> Iterator[str]:
    for number, service in enumerate(file.service):
        at = (_SERVICES, number)
        yield from (f"## {service.name}", "", _said(comments, at), "")
        rows = [
            (
                f"`{method.name}`",
                _linked(method.input_type),
                ("stream of " if method.server_streaming else "") + _linked(method.output_type),
                _row(_said(comments, (*at, _METHODS, position))),
            )
            for position, method in enumerate(service.method)
        ]
        yield from _table(("method", "takes", "answers", ""), rows)


def _messages(file: FileDescriptorProto, comments: Comments) -> Iterator[str]:
    for number, message in enumerate(file.message_type):
        at = (_MESSAGES, number)
        for comment in comments[at].leading_detached_comments:
            if comment.strip().startswith("---"):
                yield from (f"## Messages: {comment.strip().strip('- ')}", "")
        yield from (f"### {message.name}", "")
        if _said(comments, at):
            yield from (_said(comments, at), "")
        rows = [
            (f"`{field.name}`", _type(message, field), _row(_said(comments, (*at, _FIELDS, position))))
            for position, field in enumerate(message.field)
        ]
        yield from _table(("field", "type", ""), rows) if rows else ("Empty.", "")
        for position, enum in enumerate(message.enum_type):
            yield from _enum(message, enum, comments, (*at, _NESTED_ENUMS, position))


def _enum(
    message: DescriptorProto, enum: EnumDescriptorProto, comments: Comments, at: Place
) -> Iterator[str]:
    yield from (f"#### {message.name}.{enum.name}", "")
    rows = [
        (f"`{value.name}`", str(value.number), _row(_said(comments, (*at, _VALUES, position))))
        for position, value in enumerate(enum.value)
    ]
    yield from _table(("value", "number", ""), rows)


def _type(message: DescriptorProto, field: FieldDescriptorProto) -> str:
    entry = next((each for each in message.nested_type if field.type_name.endswith(f".{each.name}")), None)
    if entry is not None and entry.options.map_entry:
        key, value = (_plain_type(each) for each in entry.field)
        return f"map of {key} to {value}"
    plain = _plain_type(field)
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        return f"list of {plain}"
    if field.proto3_optional:
        return f"{plain}, optional"
    if field.HasField("oneof_index"):
        return f"{plain}, one of `{message.oneof_decl[field.oneof_index].name}`"
    return plain


def _plain_type(field: FieldDescriptorProto) -> str:
    if field.type_name:
        return _linked(field.type_name)
    return FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()


def _linked(type_name: str) -> str:
    name = type_name.removeprefix(".canary.admin.v1.")
    if name == type_name:
        return f"`{type_name.removeprefix('.')}`"
    return f"[{name}](#{name.lower().replace('.', '')})"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield from (_line(head), _line(["---"] * len(head)), *map(_line, rows), "")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


def _said(comments: Comments, at: Place) -> str:
    return _text(comments[at].leading_comments) if at in comments else ""


def _text(comment: str) -> str:
    return "\n".join(line.removeprefix(" ").rstrip() for line in comment.splitlines()).strip()


def _row(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    main()
