"""What must hold between the resources of a gateway: each once, and what they name is there."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

from xds.catalog.types import ROUTING, Type, short_name
from xds.control.ledger import Key
from xds.control.resources import Given, endpoints_name
from xds.spec.faults import Fault
from xds.spec.findings import Path
from xds.spec.keys import nearest
from xds.stubs import envoy_config_cluster_v3_pb2 as cluster_v3
from xds.stubs import envoy_config_core_v3_pb2 as core
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.stubs import (
    envoy_extensions_filters_network_http_connection_manager_v3_pb2 as http_v3,
)
from xds.translate.raw_names import clusters_in, messages_in
from xds.translate.raw_silent import refused_in_silence
from xds.translate.scopes import keys_of


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """What a gateway has besides the resources that are given.

    Attributes:
        generated: what is made of its deployments and its configuration.
        reserved: clusters of builds that are retired, and may come back.
        static: clusters that its Envoys bring themselves.
    """

    generated: frozenset[Key]
    reserved: frozenset[str] = frozenset()
    static: frozenset[str] = frozenset()


def faults_between(given: Sequence[Given], around: Surroundings) -> Iterator[Fault]:
    """Everything that is wrong between resources, and between them and what is there already."""
    yield from _duplicates(given, around)
    yield from _same_keys(given, around)
    known = around.generated | {(each.type, each.name) for each in given}
    clusters = around.static | {name for type_, name in known if type_ == Type.CLUSTER}
    for each in given:
        if each.type in ROUTING:
            for name in sorted(clusters_in(each.message) - clusters):
                yield each.fault((), f"names the cluster {name}, which is not there", _near(name, clusters))
            yield from _missing_tables(each, known)
        elif isinstance(each.message, cluster_v3.Cluster):
            yield from (each.fault(("name",), *said) for said in refused_in_silence(each.message))
            yield from _missing_endpoints(each, each.message, known)


def _duplicates(given: Iterable[Given], around: Surroundings) -> Iterator[Fault]:
    first: dict[Key, Given] = {}
    for each in given:
        key = (each.type, each.name)
        at: Path = (each.name_field,)
        what = f"{short_name(each.type)} {each.name}"
        earlier = first.setdefault(key, each)
        if earlier is not each:
            place = f"{earlier.file}:{earlier.line_of(at)}"
            yield each.fault(at, f"{what} is also given in {place}", "keep one of them")
        elif key in around.generated or (each.type == Type.CLUSTER and each.name in around.reserved):
            yield each.fault(at, f"{what} is made by Canary", "give it another name")


def _same_keys(given: Iterable[Given], around: Surroundings) -> Iterator[Fault]:
    """Scopes with the key of another: Envoys refuse them, whatever they are called. Ours are their hosts'."""
    first: dict[tuple[str, ...], str] = {
        (name,): "made by Canary" for type_, name in around.generated if type_ == Type.SCOPED_ROUTE
    }
    for each in given:
        if isinstance(each.message, route_v3.ScopedRouteConfiguration):
            key = keys_of(each.message)
            holder = first.setdefault(key, f"called {each.name}")
            if holder != f"called {each.name}":
                message = f"has the key of the scope that is {holder}: {', '.join(key)}"
                yield each.fault(("key",), message, "give it another one")


def _missing_tables(given: Given, known: frozenset[Key]) -> Iterator[Fault]:
    tables = {name for type_, name in known if type_ == Type.ROUTE}
    for part in messages_in(given.message):
        if isinstance(part, http_v3.HttpConnectionManager) and _is_ours(part.rds.config_source):
            wanted = part.rds.route_config_name
        elif isinstance(part, route_v3.ScopedRouteConfiguration):
            wanted = part.route_configuration_name
        else:
            continue
        if wanted and wanted not in tables:
            message = f"names the RouteConfiguration {wanted}, which is not there"
            yield given.fault((), message, _near(wanted, tables))


def _missing_endpoints(given: Given, cluster: cluster_v3.Cluster, known: frozenset[Key]) -> Iterator[Fault]:
    name = endpoints_name(cluster)
    by_eds = cluster.WhichOneof("cluster_discovery_type") == "type" and cluster.type == cluster.EDS
    if by_eds and _is_ours(cluster.eds_cluster_config.eds_config) and (Type.ENDPOINT, name) not in known:
        message = f"asks for the endpoints {name}, which are not there: Envoys would wait for them"
        yield given.fault(("name",), message, f"add a ClusterLoadAssignment with cluster_name: {name}")


def _is_ours(source: core.ConfigSource) -> bool:
    """Whether it is this server that is asked."""
    return source.WhichOneof("config_source_specifier") in {"ads", "self"}


def _near(name: str, known: Iterable[str]) -> str:
    return nearest(name, sorted(known)) or "add it, or list it in the gateway's static_clusters"
