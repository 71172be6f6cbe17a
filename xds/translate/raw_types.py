"""The message a type URL names. Modules are imported when first asked for: there are hundreds."""

import difflib
import importlib
import pkgutil
from collections.abc import Iterable
from functools import lru_cache
from itertools import takewhile
from typing import cast

from google.protobuf import symbol_database
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

import xds.stubs
from xds.spec.keys import nearest

_PREFIX = "type.googleapis.com/"
_NEAR = 3
"""How many packages are searched for the type that was meant."""
_GOOGLE = ("any", "duration", "empty", "struct", "timestamp", "wrappers")


class UnknownTypeError(LookupError):
    """There is no such type.

    Attributes:
        message: what was asked for.
        mend: what was probably meant.
    """

    def __init__(self, name: str, mend: str) -> None:
        self.message, self.mend = f"there is no type {name}", mend
        super().__init__(self.message)


def type_url(message: Message) -> str:
    """The type URL of a message, as Envoy writes it."""
    return _PREFIX + message.DESCRIPTOR.full_name


def descriptor(kind: type[Message]) -> Descriptor:
    """The descriptor of a message class."""
    return cast("Descriptor", kind.DESCRIPTOR)


@lru_cache(maxsize=4096)
def message_class(url: str) -> type[Message]:
    """The class of a type URL; a bare name will do.

    Raises:
        UnknownTypeError: there is none, with the nearest there is.
    """
    name = url.rpartition("/")[2]
    package = ".".join(takewhile(lambda part: not part[:1].isupper(), name.split(".")))
    if not package.startswith(("envoy.", "xds.", "google.protobuf")) or _module_of(package) is None:
        raise UnknownTypeError(name, _meant(name, package))
    try:
        return symbol_database.Default().GetSymbol(name)
    except KeyError:
        raise UnknownTypeError(name, _meant(name, package)) from None


def _module_of(package: str) -> str | None:
    """Import the modules of a package; None where there are none."""
    if package == "google.protobuf":
        for name in _GOOGLE:
            importlib.import_module(f"google.protobuf.{name}_pb2")
        return package
    module = f"xds.stubs.{package.replace('.', '_')}_pb2"
    try:
        return importlib.import_module(module).__name__
    except ModuleNotFoundError:
        return None


def _meant(name: str, package: str) -> str:
    """The nearest type there is. Right message, wrong package is the usual mistake, and its reverse."""
    packages = {
        module.name.removesuffix("_pb2"): module.name
        for module in pkgutil.iter_modules(xds.stubs.__path__)
        if module.name.startswith("envoy_") and module.name.endswith("_pb2")
    }
    near = difflib.get_close_matches(package.replace(".", "_"), packages, n=_NEAR, cutoff=0.5)
    types = [found for each in near for found in _types_in(packages[each])]
    return nearest(name, types)


def _types_in(module: str) -> Iterable[str]:
    kinds: Iterable[Descriptor] = importlib.import_module(
        f"xds.stubs.{module}"
    ).DESCRIPTOR.message_types_by_name.values()
    return [kind.full_name for kind in kinds]
