"""What people hand over, as the API takes it: files, endpoints, Envoy resources."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

from google.protobuf.message import Message

from xds.errors import InvalidInput
from xds.spec.faults import Fault
from xds.stubs import canary_admin_v1_pb2 as pb

SUFFIXES = (".yaml", ".yml", ".json")

Document: TypeAlias = Mapping[str, object]
"""A deployment, as its file has it."""

Source: TypeAlias = "Path | str | Document | pb.File"
"""A file or folder, YAML or JSON text (a str that has a line break, `: ` or a brace first), or a document."""


@runtime_checkable
class DataPlaneMessage(Protocol):
    """A message of envoy-data-plane, which need not be installed here."""

    def SerializeToString(self) -> bytes:  # noqa: N802 (its name there)
        """Encode it."""

    def to_dict(self) -> dict[str, object]:
        """Write it as JSON has it."""


Resource: TypeAlias = "Message | DataPlaneMessage | Mapping[str, object] | str | Path"
"""An Envoy resource: a message of protobuf or envoy-data-plane, or JSON with `@type`; or YAML of several
(a text, a path, or a File of the API)."""


def files_of(sources: Iterable[Source]) -> list[pb.File]:
    """The files that are sent; documents and texts are named for their place among the arguments.

    Raises:
        InvalidInput: one can't be read, or is no text.
    """
    return [file for number, source in enumerate(sources, 1) for file in _files(source, number)]


def resource_files(resources: "Resource | Iterable[Resource]") -> list[pb.File]:
    """Envoy resources as files, one each."""
    single = isinstance(resources, Message | DataPlaneMessage | Mapping | str | Path)
    each: Iterable[Resource] = [resources] if single else resources  # type: ignore[list-item,assignment]  # as checked
    return files_of(_as_document(resource) for resource in each)


def endpoint(given: "str | pb.Endpoint") -> pb.Endpoint:
    """An endpoint of its `host:port`, or as it is.

    Raises:
        InvalidInput: it is no `host:port`.
    """
    if isinstance(given, pb.Endpoint):
        return given
    host, _, port = given.rpartition(":")
    if not host or not port.isdecimal():
        raise InvalidInput([Fault("endpoints", 0, "", f"{given!r} is no HOST:PORT", "write 10.0.0.5:3000")])
    return pb.Endpoint(address=host.removeprefix("[").removesuffix("]"), port=int(port))


def _files(source: Source, number: int) -> Iterable[pb.File]:
    match source:
        case pb.File():
            yield source
        case Mapping():
            yield pb.File(name=f"document {number}", text=json.dumps(source, default=str))
        case Path():
            for path in _folder(source) if source.is_dir() else [source]:
                yield pb.File(name=str(path), text=_text(path))
        case _ if _is_text(source):
            yield pb.File(name=f"text {number}", text=source)
        case _:
            yield from _files(Path(source), number)


def _is_text(source: str) -> bool:
    """Whether it is YAML or JSON rather than the name of some: no document does without these."""
    return "\n" in source or ": " in source or source.lstrip().startswith(("{", "["))


def _folder(folder: Path) -> list[Path]:
    found = sorted(
        path for path in folder.iterdir() if path.suffix in SUFFIXES and not path.name.startswith(".")
    )
    if not found:
        mend = f"they end in {', '.join(SUFFIXES)}"
        raise InvalidInput([Fault(str(folder), 0, "", "no deployment files in this folder", mend)])
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise InvalidInput([Fault(str(path), 0, "", str(error.strerror), "name another")]) from error
    except UnicodeDecodeError as error:
        raise InvalidInput([Fault(str(path), 0, "", "is not UTF-8", "save it as UTF-8")]) from error


def _as_document(resource: Resource) -> "Source":
    match resource:
        case pb.File():
            return resource
        case Message():
            from google.protobuf.json_format import MessageToDict  # noqa: PLC0415 (commands do without)

            content = MessageToDict(resource, preserving_proto_field_name=True)
            return {"@type": f"type.googleapis.com/{resource.DESCRIPTOR.full_name}", **content}
        case Mapping() | str() | Path():
            return resource
        case _:
            # envoy_data_plane.envoy.config.cluster.v3: after the first name it is the proto package.
            kind = type(resource)
            package = kind.__module__.partition(".")[2]
            return {"@type": f"type.googleapis.com/{package}.{kind.__name__}", **resource.to_dict()}
