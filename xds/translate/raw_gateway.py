"""What a gateway's configuration brings of Envoy's own: HTTP filters and virtual hosts."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator

from xds.spec.claims import Claim
from xds.spec.envoy import Raw
from xds.spec.faults import Fault
from xds.spec.findings import Path
from xds.spec.gateway import Gateway
from xds.spec.scoped import SCOPED, is_exact
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.stubs import envoy_extensions_filters_http_router_v3_pb2 as router_v3
from xds.stubs import (
    envoy_extensions_filters_network_http_connection_manager_v3_pb2 as http_v3,
)
from xds.translate.models import BODY_FILTER, MODEL_FILTER
from xds.translate.raw import parse
from xds.translate.raw_check import Wrong, faults
from xds.translate.raw_patches import faults_of_listener_patches
from xds.translate.raw_types import descriptor


def http_filters(gateway: Gateway) -> list[http_v3.HttpFilter]:
    """The gateway's own filters, in the order in which it lists them."""
    return [parse(http_v3.HttpFilter, value) for value in gateway.http_filters]


def virtual_hosts(gateway: Gateway) -> list[route_v3.VirtualHost]:
    """The gateway's own virtual hosts."""
    return [parse(route_v3.VirtualHost, value) for value in gateway.virtual_hosts]


def faults_of_gateways(
    gateways: Iterable[Gateway], file: str, line_of: Callable[[Path], int]
) -> Iterator[Fault]:
    """Everything that is wrong with what a configuration's gateways bring.

    Args:
        gateways: all that the configuration lists, in its order.
        file: the configuration's name.
        line_of: the line of a path that begins with `gateways`.
    """
    for index, gateway in enumerate(gateways):
        for wrong in faults_of_gateway(gateway):
            yield wrong.below("gateways", index).fault(file, line_of)


def clashes(claims: Iterable[Claim], gateways: Iterable[Gateway]) -> Iterator[Fault]:
    """A fault for each claim to a host that a gateway's own virtual host has."""
    holders = {
        (gateway.name, domain.lower()): host.name
        for gateway in gateways
        for host in virtual_hosts(gateway)
        for domain in host.domains
    }
    if not holders:
        return
    clashing = (claim for claim in claims if (claim.gateway, claim.host) in holders)
    for claim in dict.fromkeys(dataclasses.replace(claim, model="") for claim in clashing):
        message = f"{claim.deployment} claims {claim.host} on gateway {claim.gateway}, whose own"
        message += f" virtual host {holders[claim.gateway, claim.host]} has it"
        yield Fault(claim.file, claim.line, "hosts", message, "take it out of one of them")


def faults_of_gateway(gateway: Gateway) -> Iterator[Wrong]:
    """Everything that is wrong with what a gateway brings; paths begin at the gateway."""
    yield from faults_of_listener_patches(gateway)
    wrong_filters = list(_faults_of_each(http_v3.HttpFilter, gateway.http_filters, ("http_filters",)))
    yield from wrong_filters
    if not wrong_filters:
        yield from _filters(gateway)
    wrong_hosts = list(_faults_of_each(route_v3.VirtualHost, gateway.virtual_hosts, ("virtual_hosts",)))
    yield from wrong_hosts
    if not wrong_hosts:
        yield from _hosts(gateway)
        yield from _not_found(gateway)


def _faults_of_each(
    kind: type[http_v3.HttpFilter | route_v3.VirtualHost], values: Iterable[Raw], at: Path
) -> Iterator[Wrong]:
    for index, value in enumerate(values):
        yield from (wrong.below(*at, index) for wrong in faults(kind, value))


def _filters(gateway: Gateway) -> Iterator[Wrong]:
    seen: set[str] = set()
    for index, given in enumerate(http_filters(gateway)):
        at: Path = ("http_filters", index)
        if not given.name:
            yield Wrong((*at, "name"), "is missing")
        elif given.name in seen:
            yield Wrong((*at, "name"), f"{given.name} is listed twice", "keep one of them")
        elif given.name in {BODY_FILTER, MODEL_FILTER}:
            yield Wrong((*at, "name"), f"{given.name} is there already, and is ours", "give it another name")
        seen.add(given.name)
        if given.typed_config.Is(descriptor(router_v3.Router)):
            yield Wrong(at, "is the router, which is there already, at the end", "leave it out")


def _not_found(gateway: Gateway) -> Iterator[Wrong]:
    """The domains that a scoped gateway would never find."""
    if gateway.mode != SCOPED:
        return
    for index, host in enumerate(virtual_hosts(gateway)):
        for position, domain in enumerate(host.domains):
            if not is_exact(domain) or domain != domain.lower() or ":" in domain:
                message = f"{domain} is never found: a scoped gateway looks hosts up by their exact name"
                mend = "write it in lower case, without wildcard and port"
                yield Wrong(("virtual_hosts", index, "domains", position), message, mend)


def _hosts(gateway: Gateway) -> Iterator[Wrong]:
    names: set[str] = set()
    holders: dict[str, str] = {}
    for index, host in enumerate(virtual_hosts(gateway)):
        at: Path = ("virtual_hosts", index)
        if not host.name:
            yield Wrong((*at, "name"), "is missing")
        elif host.name in names:
            yield Wrong((*at, "name"), f"{host.name} is also the name of another", "rename one of them")
        names.add(host.name)
        if not host.domains:
            yield Wrong((*at, "domains"), "is missing", "write the hosts it answers to")
        for position, domain in enumerate(host.domains):
            holder = holders.setdefault(domain.lower(), host.name)
            if holder != host.name:
                message = f"{domain} belongs to {holder} already"
                yield Wrong((*at, "domains", position), message, "keep one of them")
