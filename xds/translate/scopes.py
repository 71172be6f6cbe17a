"""A host as a scope: in `scoped` mode each has a RouteConfiguration of its own, which its scope carries.

Envoy looks the host up by its exact text up to the first colon: case matters, and there are no wildcards.
"""

from collections.abc import Iterator, Sequence

from xds.spec.gateway import MAX_BODY
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.stubs import (
    envoy_extensions_filters_network_http_connection_manager_v3_pb2 as http_v3,
)
from xds.translate.hosts import Section, virtual_host
from xds.translate.values import ads, awaited_ads

_ScopedRoutes = http_v3.ScopedRoutes
_Builder = _ScopedRoutes.ScopeKeyBuilder
_Extractor = _Builder.FragmentBuilder.HeaderValueExtractor


def scoped_routes(name: str) -> http_v3.ScopedRoutes:
    """How a listener finds the scope of a request: by its host, without the port.

    Args:
        name: of the listener's set of scopes; it only shows in statistics.
    """
    host = _Extractor(name=":authority", element_separator=":", index=0)
    return _ScopedRoutes(
        name=name,
        scope_key_builder=_Builder(fragments=[_Builder.FragmentBuilder(header_value_extractor=host)]),
        rds_config_source=ads(),  # for scopes that people give, which may name their routes
        scoped_rds=http_v3.ScopedRds(scoped_rds_config_source=awaited_ads()),
    )


def scope(host: str, routes: route_v3.VirtualHost) -> route_v3.ScopedRouteConfiguration:
    """The scope of a host, named for it."""
    out = route_v3.ScopedRouteConfiguration(name=host)
    out.key.fragments.add().string_key = host
    out.route_configuration.ignore_port_in_host_matching = True
    out.route_configuration.virtual_hosts.append(routes)
    return out


def encoded_scope(host: str, sections: Sequence[Section], max_body: int = MAX_BODY) -> bytes:
    """The scope of a host with these deployments' sections; of one alone it is made once for all targets."""
    known = sections[0].scopes if len(sections) == 1 else {}
    if host not in known:
        made = scope(host, virtual_host(host, sections, max_body))
        known[host] = made.SerializeToString(deterministic=True)
    return known[host]


def own_scopes(virtual_host: route_v3.VirtualHost) -> Iterator[route_v3.ScopedRouteConfiguration]:
    """A gateway's own virtual host as scopes: one for each of its domains."""
    for domain in virtual_host.domains:
        alone = route_v3.VirtualHost()
        alone.CopyFrom(virtual_host)
        alone.domains[:] = [domain]
        yield scope(domain, alone)


def keys_of(scope: route_v3.ScopedRouteConfiguration) -> tuple[str, ...]:
    """What a scope is found by; no two of a gateway may have the same."""
    return tuple(fragment.string_key for fragment in scope.key.fragments)
