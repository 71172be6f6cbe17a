"""What deployment files would become, without a server: the same translation, every message at once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from google.protobuf.message import Message

from xds.revisions import decide
from xds.revisions.record import Note
from xds.spec.gateway import Gateway
from xds.spec.proxyless import PROXYLESS
from xds.spec.read import Document
from xds.spec.scoped import SCOPED
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.translate import proxyless
from xds.translate.clusters import cluster
from xds.translate.endpoints import assignment
from xds.translate.hosts import Section, section, virtual_host
from xds.translate.listeners import listener
from xds.translate.raw_gateway import virtual_hosts
from xds.translate.scopes import own_scopes, scope
from xds.translate.view import Endpoints, View

_NOTE = Note(author="offline", at=0.0)


def translate(documents: Iterable[Document], gateways: Iterable[Gateway]) -> list[Message]:
    """Each gateway's listeners, routes, clusters and endpoints, as its peers would be sent them."""
    documents = list(documents)
    endpoints = {ref: given for document in documents for ref, given in document.endpoints.items()}
    return [message for gateway in gateways for message in _gateway(gateway, documents, endpoints)]


def _gateway(gateway: Gateway, documents: Iterable[Document], endpoints: Endpoints) -> Iterator[Message]:
    given = list(views(gateway, documents, endpoints))
    if gateway.mode == PROXYLESS:
        yield from _for_grpc(given)
        return
    yield from (listener(gateway, listen) for listen in gateway.listeners)
    sections: defaultdict[str, list[Section]] = defaultdict(list)
    for view in given:
        hosts, brought = section(view)
        for host in hosts:
            sections[host].append(brought)
    made = [virtual_host(host, sections[host], gateway.max_body) for host in sorted(sections)]
    if gateway.mode == SCOPED:
        yield from (scope(host.name, host) for host in made)
        yield from (own for host in virtual_hosts(gateway) for own in own_scopes(host))
    else:
        yield route_v3.RouteConfiguration(
            name=gateway.name,
            virtual_hosts=[*made, *virtual_hosts(gateway)],
            ignore_port_in_host_matching=True,
        )
    for view in given:
        for build in view.builds():
            yield cluster(view, build)
            if not build.is_dns:
                yield assignment(build.cluster, build.endpoints)


def _for_grpc(views: Iterable[View]) -> Iterator[Message]:
    sections: defaultdict[str, list[Section]] = defaultdict(list)
    for view in views:
        hosts, brought = proxyless.section(view)
        for host in hosts:
            sections[host].append(brought)
    for host in sorted(sections):
        yield proxyless.listener(host)
        yield proxyless.routes(host, sections[host])
    for view in views:
        for build in view.builds():
            yield proxyless.cluster(view, build)
            yield proxyless.endpoints(build)


def views(gateway: Gateway, documents: Iterable[Document], endpoints: Endpoints) -> Iterator[View]:
    """The deployments of documents as a gateway would serve them, each at its first revision."""
    for document in documents:
        spec = document.deployment
        if spec is not None and (spec.gateways is None or gateway.name in spec.gateways):
            revision = decide.apply(spec, None, {}, _NOTE)
            if revision is not None:
                yield View(gateway, revision, endpoints, lends=False)
