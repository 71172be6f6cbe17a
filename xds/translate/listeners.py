"""A gateway's listeners, after Envoy's own advice for edge proxies.

Routes are never inlined: open connections would keep the old ones until they are drained.
"""

from collections.abc import Iterable

from google.protobuf.wrappers_pb2 import BoolValue, UInt32Value

from xds.spec.gateway import Gateway, Listen
from xds.spec.scoped import SCOPED
from xds.stubs import envoy_config_core_v3_pb2 as core
from xds.stubs import envoy_config_listener_v3_pb2 as listener_v3
from xds.stubs import envoy_extensions_filters_http_router_v3_pb2 as router_v3
from xds.stubs import (
    envoy_extensions_filters_network_http_connection_manager_v3_pb2 as http_v3,
)
from xds.translate.log import access_log
from xds.translate.models import body_filters
from xds.translate.raw_gateway import http_filters
from xds.translate.raw_patches import patched
from xds.translate.scopes import scoped_routes
from xds.translate.statistics import answer_times, grpc_statuses
from xds.translate.values import address, awaited_ads, duration, packed

_KIB = 1024
_BUFFER = 1024 * _KIB
"""Bytes a connection may buffer; bounds memory, and the bodies that can be sent a second time."""


def listener_name(listen: Listen) -> str:
    """`0.0.0.0_10000`: without the characters that statistics give a meaning."""
    return f"{listen.address.replace(':', '-')}_{listen.port}"


def listener(
    gateway: Gateway, listen: Listen, *, reads_models: bool = True, times_answers: bool = True
) -> listener_v3.Listener:
    """One listener of a gateway; its routes come by the gateway's name, or by the host in `scoped` mode.

    Args:
        gateway: whose.
        listen: where.
        reads_models: whether its Envoys can look for the model in a body.
        times_answers: whether they can take the time to an answer's first byte.
    """
    patches = gateway.patches
    ours = _connection_manager(gateway, body_filters() if reads_models else [])
    if times_answers:
        ours.access_log.extend(answer_times())
    manager = listener_v3.Filter(
        name="envoy.filters.network.http_connection_manager",
        typed_config=packed(patched(ours, patches.http_connection_manager)),
    )
    out = listener_v3.Listener(
        name=listener_name(listen),
        address=address(listen.address, listen.port),
        per_connection_buffer_limit_bytes=UInt32Value(value=_BUFFER),
        filter_chains=[patched(listener_v3.FilterChain(filters=[manager]), patches.filter_chain)],
    )
    return patched(out, patches.listener)


def _connection_manager(
    gateway: Gateway, first: Iterable[http_v3.HttpFilter]
) -> http_v3.HttpConnectionManager:
    scoped = gateway.mode == SCOPED
    return http_v3.HttpConnectionManager(
        stat_prefix=gateway.name,
        codec_type=http_v3.HttpConnectionManager.AUTO,
        rds=http_v3.Rds(config_source=awaited_ads(), route_config_name=gateway.name) if not scoped else None,
        scoped_routes=scoped_routes(gateway.name) if scoped else None,
        http_filters=[
            *first,
            *http_filters(gateway),
            *grpc_statuses(gateway),
            http_v3.HttpFilter(name="envoy.filters.http.router", typed_config=packed(router_v3.Router())),
        ],
        upgrade_configs=[http_v3.HttpConnectionManager.UpgradeConfig(upgrade_type="websocket")],
        access_log=[access_log(gateway)],
        use_remote_address=BoolValue(value=True),
        normalize_path=BoolValue(value=True),
        merge_slashes=True,
        path_with_escaped_slashes_action=http_v3.HttpConnectionManager.UNESCAPE_AND_REDIRECT,
        common_http_protocol_options=core.HttpProtocolOptions(
            idle_timeout=duration(60 * 60),
            headers_with_underscores_action=core.HttpProtocolOptions.REJECT_REQUEST,
        ),
        http2_protocol_options=core.Http2ProtocolOptions(
            max_concurrent_streams=UInt32Value(value=100),
            initial_stream_window_size=UInt32Value(value=64 * _KIB),
            initial_connection_window_size=UInt32Value(value=_BUFFER),
        ),
        request_headers_timeout=duration(10),
        max_request_headers_kb=UInt32Value(value=60),
        stream_idle_timeout=duration(5 * 60),
    )
