"""What a gateway's listeners count beyond what Envoy counts for every cluster; sent with the rest.

- gRPC statuses, because a call that fails is HTTP 200 (`cluster.NAME.grpc.14`). The filter stands next
  to the router: by then no other filter changes which cluster the request goes to.
- The time to an answer's first byte. Envoy's own histogram is of whole answers, which for streamed ones
  says how long they are. It is an access log that writes nothing but a histogram, so it costs no
  message and no stream: each request, not a sample of them.
- Answers that were broken off when they had begun. Envoy counts resets, and doesn't say which.
"""

from google.protobuf.wrappers_pb2 import UInt32Value, UInt64Value

from xds.spec.gateway import Gateway
from xds.stubs import envoy_config_accesslog_v3_pb2 as accesslog
from xds.stubs import envoy_extensions_access_loggers_stats_v3_pb2 as stats_v3
from xds.stubs import envoy_extensions_filters_http_grpc_stats_v3_pb2 as grpc_stats_v3
from xds.stubs import (
    envoy_extensions_filters_network_http_connection_manager_v3_pb2 as http_v3,
)
from xds.stubs import envoy_type_v3_pb2 as type_v3
from xds.translate.bootstrap import STATISTICS
from xds.translate.raw_gateway import http_filters
from xds.translate.values import packed

_MOST = 20_000
"""Clusters that are counted for; each needs some 10 KB of the Envoy."""

_BROKEN_OFF = ("UC", "UR", "UPE")
"""The connection ended, the stream was reset, or what came was no HTTP any more."""

_CLUSTER = stats_v3.Config.Tag(name="cluster", value_format="%UPSTREAM_CLUSTER%")
_DETAILS = stats_v3.Config.Tag(name="details", value_format="%RESPONSE_CODE_DETAILS%")


def grpc_statuses(gateway: Gateway) -> list[http_v3.HttpFilter]:
    """The filter that counts the statuses of gRPC calls; none where the gateway brings its own."""
    config = packed(grpc_stats_v3.FilterConfig(stats_for_all_methods={"value": False}))
    if any(given.typed_config.type_url == config.type_url for given in http_filters(gateway)):
        return []
    return [http_v3.HttpFilter(name="envoy.filters.http.grpc_stats", typed_config=config)]


def answer_times() -> list[accesslog.AccessLog]:
    """The histogram of first bytes, and the counter of answers broken off."""
    first_byte = stats_v3.Config(
        stats_scope=_scope(),
        histograms=[
            stats_v3.Config.Histogram(
                stat=stats_v3.Config.Stat(name="first_byte", tags=[_CLUSTER]),
                unit=stats_v3.Config.Histogram.Milliseconds,
                value_format="%RESPONSE_DURATION%",
            )
        ],
    )
    cut = stats_v3.Config(
        stats_scope=_scope(),
        counters=[
            stats_v3.Config.Counter(
                stat=stats_v3.Config.Stat(name="cut", tags=[_CLUSTER, _DETAILS]),
                value_fixed=UInt64Value(value=1),
            )
        ],
    )
    broken_off = accesslog.AccessLogFilter(
        response_flag_filter=accesslog.ResponseFlagFilter(flags=_BROKEN_OFF)
    )
    return [_log(first_byte), _log(cut, broken_off)]


def _scope() -> type_v3.Scope:
    most = UInt32Value(value=_MOST)
    return type_v3.Scope(prefix=STATISTICS, max_counters=most, max_histograms=most)


def _log(config: stats_v3.Config, only: accesslog.AccessLogFilter | None = None) -> accesslog.AccessLog:
    return accesslog.AccessLog(name="envoy.access_loggers.stats", typed_config=packed(config), filter=only)
