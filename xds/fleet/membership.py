"""Which gateway an Envoy belongs to."""

import fnmatch
from collections.abc import Iterable

from xds.discovery.request import Locality, Node
from xds.spec.gateway import DEFAULT_GATEWAY, Gateway, LocalityMatch, NodeMatch


def gateway_of(node: Node, gateways: Iterable[Gateway]) -> Gateway | None:
    """The first gateway whose conditions a node meets; `default` takes whom nobody else does."""
    gateways = list(gateways)
    for gateway in gateways:
        if any(_matches(match, node) for match in gateway.nodes or (NodeMatch(cluster=gateway.name),)):
            return gateway
    return next((gateway for gateway in gateways if gateway.name == DEFAULT_GATEWAY), None)


def _matches(match: NodeMatch, node: Node) -> bool:
    return (
        (match.cluster is None or match.cluster == node.cluster)
        and (match.id is None or fnmatch.fnmatchcase(node.id, match.id))
        and all(node.metadata.get(key) == value for key, value in match.metadata.items())
        and _stands_in(match.locality, node.locality)
    )


def _stands_in(match: LocalityMatch, place: Locality) -> bool:
    return (
        match.region in (None, place.region)
        and match.zone in (None, place.zone)
        and match.sub_zone in (None, place.sub_zone)
    )
