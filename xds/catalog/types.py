"""The types of resources that xDS carries: their URLs, and the order in which they are answered."""

import enum

_PREFIX = "type.googleapis.com/"


class Type(enum.StrEnum):
    """The type URLs this server knows, in the order of answering: what is named before what names it.

    Elsewhere a type is just its URL, a `str`: a peer may ask for types that nobody knows, and is
    then told that there is nothing.
    """

    CLUSTER = _PREFIX + "envoy.config.cluster.v3.Cluster"
    ENDPOINT = _PREFIX + "envoy.config.endpoint.v3.ClusterLoadAssignment"
    SECRET = _PREFIX + "envoy.extensions.transport_sockets.tls.v3.Secret"
    RUNTIME = _PREFIX + "envoy.service.runtime.v3.Runtime"
    EXTENSION = _PREFIX + "envoy.config.core.v3.TypedExtensionConfig"
    LISTENER = _PREFIX + "envoy.config.listener.v3.Listener"
    SCOPED_ROUTE = _PREFIX + "envoy.config.route.v3.ScopedRouteConfiguration"
    ROUTE = _PREFIX + "envoy.config.route.v3.RouteConfiguration"
    VIRTUAL_HOST = _PREFIX + "envoy.config.route.v3.VirtualHost"


ROUTING = frozenset({Type.LISTENER, Type.SCOPED_ROUTE, Type.ROUTE, Type.VIRTUAL_HOST})
"""Types whose resources may name clusters, and therefore wait for them."""

WILDCARD_BY_DEFAULT = frozenset({Type.CLUSTER, Type.LISTENER, Type.SCOPED_ROUTE, Type.VIRTUAL_HOST})
"""Types for which a first request without names asks for everything.

The specification says so of the first two. Envoy begins with such a request for the other two as well,
and is not ready for 15 s if nobody answers it."""


WHOLE_AT_FIRST = frozenset({Type.SCOPED_ROUTE})
"""Types whose first answer is not split: with its first part an Envoy thinks it has everything, and begins
to serve."""


def short_name(url: str) -> str:
    """`Cluster`, `RouteConfiguration`: the message's own name, as people say it."""
    return url.rpartition(".")[2]
