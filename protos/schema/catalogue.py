"""Which packages, messages, enums and services envoy-data-plane has, and their protobuf names.

Messages register their names in a pool, which fills lazily: a package has to be imported before
its messages are known. Enums are in no pool. Their classes carry a flattened name, from which the
nested one is worked out: `RouteActionClusterNotFoundResponseCode` stands next to `RouteAction`, so
it is `RouteAction.ClusterNotFoundResponseCode`. Where that guesses wrong, a table corrects it; the
comparison with Envoy's own descriptors (tests/stubs) keeps the table honest.
"""

import dataclasses
import functools
import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import TYPE_CHECKING, cast

import envoy_data_plane.envoy
from betterproto2 import Enum, Message
from betterproto2.grpclib.grpclib_server import ServiceBase
from envoy_data_plane.message_pool import default_message_pool as pool

if TYPE_CHECKING:
    from grpclib._typing import IServable

_SOURCE = "envoy_data_plane"
_TYPE_URL = "type.googleapis.com/"

SchemaClass = type[Message] | type[Enum]


@dataclasses.dataclass(frozen=True)
class Method:
    """A method of a service: what it takes and gives, and which way it streams."""

    name: str
    request: type[Message]
    response: type[Message]
    client_streaming: bool
    server_streaming: bool


# package -> the name guessed -> the name it has
_ENUM_NAMES = {
    "envoy.config.core.v3": {
        "ProxyProtocolPassThroughTLVs.PassTlVsMatchType": "ProxyProtocolPassThroughTLVs.PassTLVsMatchType"
    },
    "envoy.config.route.v3": {"RetryPolicy.ResetHeader.Format": "RetryPolicy.ResetHeaderFormat"},
    "envoy.data.accesslog.v3": {
        "HTTPAccessLogEntry.HttpVersion": "HTTPAccessLogEntry.HTTPVersion",
        "TLSProperties.TlsVersion": "TLSProperties.TLSVersion",
    },
    "envoy.data.core.v3": {"HealthCheckFailure.Type": "HealthCheckFailureType"},
    "envoy.extensions.common.ratelimit.v3": {"XRateLimitHeadersRfcVersion": "XRateLimitHeadersRFCVersion"},
    "envoy.extensions.filters.http.ratelimit.v3": {
        "RateLimit.XRateLimitHeadersRfcVersion": "RateLimit.XRateLimitHeadersRFCVersion"
    },
    "envoy.service.status.v3": {"ClientConfig.Status": "ClientConfigStatus"},
    "io.prometheus.client": {"Metric.Type": "MetricType"},
}


def envoy_packages() -> list[ModuleType]:
    """Imports and returns every `envoy.*.v3` package."""
    walk = pkgutil.walk_packages(envoy_data_plane.envoy.__path__, f"{_SOURCE}.envoy.")
    return [importlib.import_module(found.name) for found in walk if found.name.endswith(".v3")]


def classes_of(module: ModuleType) -> list[SchemaClass]:
    """The messages and enums that a package defines."""
    return [c for c in vars(module).values() if _is_defined_in(module, c) and issubclass(c, Message | Enum)]


def services_of(module: ModuleType) -> list[type[ServiceBase]]:
    """The services that a package defines."""
    return [c for c in vars(module).values() if _is_defined_in(module, c) and issubclass(c, ServiceBase)]


def methods_of(service: type[ServiceBase]) -> list[Method]:
    """The methods of a service, in the order in which they are written."""
    handlers = cast("IServable", service()).__mapping__()
    return [
        Method(
            name=path.rpartition("/")[2],
            request=handler.request_type,
            response=handler.reply_type,
            client_streaming=handler.cardinality.client_streaming,
            server_streaming=handler.cardinality.server_streaming,
        )
        for path, handler in handlers.items()
    ]


def _is_defined_in(module: ModuleType, thing: object) -> bool:
    return inspect.isclass(thing) and thing.__module__ == module.__name__


def package_of(cls: type) -> str:
    """The protobuf package of a message, enum or service, such as `envoy.config.route.v3`."""
    return cls.__module__.removeprefix(f"{_SOURCE}.")


@functools.cache
def full_name(cls: SchemaClass) -> str:
    """The protobuf name of a message or enum, with its package and the messages it is nested in."""
    if issubclass(cls, Enum):
        return _enum_name(cls)
    return pool.type_to_url[cls].removeprefix(_TYPE_URL)


def outer_message(cls: SchemaClass) -> type[Message] | None:
    """The message that a message or enum is nested in, None at the top level of its package."""
    outer = full_name(cls).rpartition(".")[0]
    return None if outer == package_of(cls) else pool.url_to_type[_TYPE_URL + outer]


def _enum_name(cls: type[Enum]) -> str:
    neighbours = _messages_by_class_name(cls.__module__)
    flat = cls.__name__
    outers = (flat[:end] for end in range(len(flat) - 1, 0, -1) if flat[end].isupper())
    outer = next((name for name in outers if name in neighbours), None)
    package = package_of(cls)
    guess = flat
    if outer is not None:
        within = full_name(neighbours[outer]).removeprefix(f"{package}.")
        guess = f"{within}.{flat.removeprefix(outer)}"
    return f"{package}.{_ENUM_NAMES.get(package, {}).get(guess, guess)}"


@functools.cache
def _messages_by_class_name(module: str) -> dict[str, type[Message]]:
    return {cls.__name__: cls for cls in pool.type_to_url if cls.__module__ == module}
