"""Files -> protoc -> modules (`_pb2.py`) and their types (`_pb2.pyi`).

protoc (of grpcio-tools) finds our own proto under a made-up path inside `xds/stubs`, because the
path decides what the modules import each other as. Only our own services get a `_pb2_grpc.py`:
Envoy's are answered by path, bytes in and bytes out. Of that file protoc writes no types; the plugin
of mypy-protobuf does. All is written to a temporary folder first, so that a run that fails leaves
the last stubs as they were.
"""

import os
import shutil
import sysconfig
import tempfile
from collections.abc import Iterable
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc_tools import protoc  # type: ignore[import-untyped]  # it ships no types

from protos.schema.elsewhere import FILES
from protos.schema.files import STUBS, file_name

_SERVICE_TYPES = "protoc-gen-mypy_grpc"


class ProtocFailed(Exception):
    """protoc refused what it was given, and has said why on stderr; or a plugin of it is missing."""


def compile_stubs(root: Path, schema: list[FileDescriptorProto], own: dict[str, Path]) -> list[str]:
    """Replaces all modules in `xds/stubs`.

    Args:
        root: the repository.
        schema: the files to compile besides our own.
        own: our own .proto files, by package.

    Returns:
        The names of the files written.

    Raises:
        ProtocFailed: nothing was changed.
    """
    own_files = [file_name(package) for package in own]
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)
        described = made / "schema.binpb"
        described.write_bytes(_descriptor_set(schema).SerializeToString(deterministic=True))
        sources = [f"--proto_path={file_name(package)}={path}" for package, path in own.items()]
        sources.append(f"--descriptor_set_in={described}")
        modules = [f"--python_out={made}", f"--pyi_out={made}"]
        _run(sources, modules, [*(file.name for file in schema), *own_files])
        services = [f"--grpc_python_out={made}", f"--mypy_grpc_out=quiet:{made}"]
        _run(sources, [f"--plugin={_SERVICE_TYPES}={_service_types_plugin()}", *services], own_files)
        return _replace(root / STUBS, made / STUBS)


def _descriptor_set(schema: Iterable[FileDescriptorProto]) -> FileDescriptorSet:
    described = FileDescriptorSet(file=schema)
    for file in FILES:
        file.CopyToProto(described.file.add())
    return described


def _run(sources: list[str], outputs: list[str], files: list[str]) -> None:
    if protoc.main(["protoc", *sources, *outputs, *files]):
        raise ProtocFailed(f"protoc {' '.join(outputs)} failed on {len(files)} files")


def _service_types_plugin() -> str:
    """The plugin's program: beside this Python, or on the PATH where a build is isolated."""
    places = (sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath))
    found = shutil.which(_SERVICE_TYPES, path=os.pathsep.join(places))
    if found is None:
        raise ProtocFailed(f"{_SERVICE_TYPES} is missing: install mypy-protobuf")
    return found


def _replace(stubs: Path, made: Path) -> list[str]:
    names = sorted(path.name for path in made.iterdir())
    for old in stubs.glob("*_pb2*"):
        if old.name not in names:
            old.unlink()
    for name in names:
        shutil.copyfile(made / name, stubs / name)
    return names
