"""Settings that are fine one by one and that no Envoy takes together, once everything is inherited."""

from collections.abc import Iterable, Iterator

from xds.spec.deployment import MAIN, Deployment
from xds.spec.faults import Fault
from xds.spec.findings import Path, dotted
from xds.spec.gateway import Gateway
from xds.spec.proxyless import PROXYLESS
from xds.spec.read import Document
from xds.translate.settings import cluster_settings


def faults_of_settings(document: Document, gateways: Iterable[Gateway]) -> Iterator[Fault]:
    """What is wrong with the settings of a document's deployment, on those of the gateways that serve it."""
    spec = document.deployment
    if spec is None:
        return
    said: set[Path] = set()
    for gateway in gateways:
        if gateway.mode == PROXYLESS or (spec.gateways is not None and gateway.name not in spec.gateways):
            continue
        for label in spec.weights():
            path = _protocol_of(spec, label)
            if path not in said and _is_checked_in_vain(spec, label, gateway):
                said.add(path)
                message = (
                    f"{label} gets grpc health checks on gateway {gateway.name}, and http1 can't carry them"
                )
                yield Fault(
                    document.file, document.line_of(path), dotted(path), message, "write protocol: grpc"
                )


def _is_checked_in_vain(spec: Deployment, label: str, gateway: Gateway) -> bool:
    said = cluster_settings(spec.settings_of(label), spec, gateway.defaults)
    return said.health_check is not None and said.health_check.type == "grpc" and said.protocol == "http1"


def _protocol_of(spec: Deployment, label: str) -> Path:
    """Where to say what a label speaks: with the version, if it has anything of its own to do with it."""
    own = spec.settings_of(label)
    if label != MAIN and (own.protocol is not None or own.health_check is not None):
        return ("canary", "versions", label, "protocol")
    return ("protocol",)
