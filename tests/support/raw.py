"""Envoy resources by hand, in protobuf's JSON form: for what no deployment file leads to.

A source of configuration is the aggregated stream (`ads`), or a stream of its own for each type, in
either dialect (`DELTA_GRPC`, `GRPC`).
"""

from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message

from tests.support.ports import LOOPBACK
from xds.catalog.resource import Resource, encode
from xds.catalog.types import Type
from xds.stubs import envoy_config_cluster_v3_pb2 as cluster_v3
from xds.stubs import envoy_config_core_v3_pb2 as core
from xds.stubs import envoy_config_endpoint_v3_pb2 as endpoint_v3
from xds.stubs import envoy_config_listener_v3_pb2 as listener_v3
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.stubs import envoy_extensions_filters_http_header_mutation_v3_pb2 as header_mutation_v3
from xds.stubs import envoy_extensions_filters_http_on_demand_v3_pb2 as on_demand_v3
from xds.stubs import envoy_extensions_filters_http_router_v3_pb2 as router_v3
from xds.stubs import envoy_extensions_filters_network_http_connection_manager_v3_pb2 as http_v3
from xds.stubs import envoy_extensions_transport_sockets_tls_v3_pb2 as tls_v3
from xds.stubs import envoy_service_runtime_v3_pb2 as runtime_v3
from xds.translate.bootstrap import CONTROL_PLANE_CLUSTER, Json

_MESSAGES: dict[Type, type[Message]] = {
    Type.CLUSTER: cluster_v3.Cluster,
    Type.ENDPOINT: endpoint_v3.ClusterLoadAssignment,
    Type.LISTENER: listener_v3.Listener,
    Type.ROUTE: route_v3.RouteConfiguration,
    Type.SCOPED_ROUTE: route_v3.ScopedRouteConfiguration,
    Type.VIRTUAL_HOST: route_v3.VirtualHost,
    Type.SECRET: tls_v3.Secret,
    Type.RUNTIME: runtime_v3.Runtime,
    Type.EXTENSION: core.TypedExtensionConfig,
}
CONNECTION_MANAGER, ROUTER, ON_DEMAND, HEADER_MUTATION, TLS = (
    f"type.googleapis.com/{message.DESCRIPTOR.full_name}"
    for message in (
        http_v3.HttpConnectionManager,
        router_v3.Router,
        on_demand_v3.OnDemand,
        header_mutation_v3.HeaderMutation,
        tls_v3.DownstreamTlsContext,
    )
)
ADS = "ads"


def resource(type_: Type, name: str, content: Json, *clusters: str) -> Resource:
    """A resource with this content, which names these clusters."""
    message = ParseDict(content, _MESSAGES[type_]())
    return encode(type_, name, message, clusters=frozenset(clusters))


def source(api: str) -> Json:
    """A `ConfigSource`: `ads`, or a stream of this type's own."""
    if api == ADS:
        return {"ads": {}, "resource_api_version": "V3"}
    stream: Json = {
        "api_type": api,
        "transport_api_version": "V3",
        "set_node_on_first_message_only": True,
        "grpc_services": [{"envoy_grpc": {"cluster_name": CONTROL_PLANE_CLUSTER}}],
    }
    return {"api_config_source": stream, "resource_api_version": "V3"}


def connection_manager(*filters: Json, **routes: Json) -> Json:
    """An HttpConnectionManager with these HTTP filters before the router."""
    router: Json = {"name": "router", "typed_config": {"@type": ROUTER}}
    return {
        "@type": CONNECTION_MANAGER,
        "stat_prefix": "in",
        "http_filters": [*filters, router],
        **routes,
    }


def listener(name: str, port: int, manager: Json, **chain: Json) -> Json:
    """A listener with one filter chain."""
    return {
        "name": name,
        "address": {"socket_address": {"address": LOOPBACK, "port_value": port}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}], **chain}],
    }


def eds_cluster(name: str, api: str) -> Json:
    """A cluster whose endpoints come from a source."""
    return {"name": name, "type": "EDS", "eds_cluster_config": {"eds_config": source(api)}}


def static_cluster(name: str, where: str) -> Json:
    """A cluster with one endpoint, `host:port`."""
    return {"name": name, "type": "STATIC", "load_assignment": assignment(name, where)}


def assignment(cluster: str, where: str) -> Json:
    """The one endpoint of a cluster, `host:port`."""
    host, port = where.split(":")
    address: Json = {"socket_address": {"address": host, "port_value": int(port)}}
    return {"cluster_name": cluster, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]}


def virtual_host(name: str, cluster: str, *domains: str) -> Json:
    """Everything of these domains to one cluster."""
    route: Json = {"match": {"prefix": "/"}, "route": {"cluster": cluster}}
    return {"name": name, "domains": list(domains) or ["*"], "routes": [route]}


def route_table(name: str, cluster: str) -> Json:
    """Everything to one cluster."""
    return {"name": name, "virtual_hosts": [virtual_host("all", cluster)]}
