"""What gRPC's own client can't do, refused where a `proxyless` gateway would have to promise it.

Refused is what decides who gets which version, where calls go, what they carry and who may read
them. What only tunes Envoy (health checks, outlier detection, retries, slow start and the like) is
left out for these clients and stays in force for the Envoys of other gateways.
"""

from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter

from xds.spec.deployment import Deployment, Version
from xds.spec.endpoints import Endpoint
from xds.spec.envoy import GatewayPatches
from xds.spec.faults import Fault
from xds.spec.gateway import Gateway
from xds.spec.upstream import ClusterSettings, HeaderEdits, Headers

PROXYLESS = "proxyless"

Beyond = tuple[str, str, str]
"""Path, message, mend."""

_CHOICES = {
    "canary.version_selector": "choose no version themselves",
    "canary.session_affinity": "keep no cookies",
    "canary.mirror": "send no copies",
    "match": "don't look into what they send",
    "rules": "are all split alike",
}
"""What decides where requests go and they can't do, beside `route_type`."""
_LONGEST_PATH = 2
"""Parts of a gRPC call's path: service and method."""


def unsupported(
    deployment: Deployment, gateways: Iterable[Gateway], file: str = "", line: int = 0
) -> list[Fault]:
    """A fault for each thing that a deployment asks of gRPC's clients and that they can't do."""
    gateways = list(gateways)
    serving = _serving(deployment, gateways)
    if not serving:
        return []
    instead = _instead(deployment, gateways)
    return [
        Fault(file, line, path, f"{message}, and gateway {serving[0].name} is for these", instead or mend)
        for path, message, mend in _beyond(deployment)
    ]


def unresolved(
    deployment: Deployment,
    gateways: Iterable[Gateway],
    endpoints: Mapping[str, tuple[Endpoint, ...]],
    file: str = "",
    line: int = 0,
) -> list[Fault]:
    """A fault for each build whose endpoints are names: gRPC's clients are given addresses.

    Args:
        endpoints: by build ref, as they would be.
        deployment: whose builds.
        gateways: all there are.
        file: where it is said.
        line: 0 where there is no line.
    """
    gateways = list(gateways)
    serving = _serving(deployment, gateways)
    refs = dict.fromkeys(deployment.build_ref(label) for label in deployment.weights())
    return [
        Fault(
            file,
            line,
            "endpoints",
            f"{ref} is reached by name ({named[0]}), gRPC's clients resolve no names,"
            f" and gateway {serving[0].name} is for these",
            _instead(deployment, gateways) or "give IP addresses",
        )
        for ref in refs
        if serving and (named := [each for each in endpoints.get(ref, ()) if each.is_name])
    ]


def beyond_gateway(gateway: Gateway) -> Iterator[Beyond]:
    """What a proxyless gateway says that only means something to Envoys."""
    for key in ("listeners", "http_filters", "virtual_hosts", "static_clusters"):
        if getattr(gateway, key):
            yield key, "a proxyless gateway has no Envoys", f"leave {key} out"
    if gateway.patches != GatewayPatches():
        yield "patches", "a proxyless gateway has no Envoys", "leave patches out"
    for path, message, mend in beyond_settings(gateway.defaults):
        yield f"defaults.{path}", message, mend


def beyond_settings(settings: ClusterSettings) -> Iterator[Beyond]:
    """The settings that gRPC's clients don't have."""
    if settings.protocol == "http1":
        yield "protocol", "gRPC's clients don't speak HTTP/1.1", "write protocol: grpc"
    if settings.tls is not None:
        yield "tls", "gRPC's clients take their credentials from the program they are in", "leave tls out"
    if _edits(settings.headers):
        yield "headers", "gRPC's clients don't edit headers", "leave headers out"


def _beyond(deployment: Deployment) -> Iterator[Beyond]:
    if deployment.canary.route_type != "random":
        yield "canary.route_type", "gRPC's clients only split at random", "write route_type: random"
    for path, what in _CHOICES.items():
        if attrgetter(path)(deployment):
            yield path, f"gRPC's clients {what}", f"leave {path.removeprefix('canary.')} out"
    for index, host in enumerate(deployment.hosts or ()):
        if "*" in host:
            path, message = f"hosts[{index}]", f"gRPC's clients ask for hosts by name, never for {host!r}"
            yield path, message, "list the names"
    if len(deployment.path_prefix.split("/")) > _LONGEST_PATH + 1:
        message = f"no gRPC call goes below {deployment.path_prefix}"
        yield "path_prefix", message, "write /package.Service or /package.Service/Method"
    yield from _beyond_level(deployment)
    for label, version in deployment.canary.versions.items():
        for path, message, mend in _beyond_level(version):
            yield f"canary.versions.{label}.{path}", message, mend


def _beyond_level(level: Deployment | Version) -> Iterator[Beyond]:
    yield from beyond_settings(level)
    if level.envoy is not None:
        yield "envoy", "it patches what Envoys are sent, not gRPC's clients", "leave envoy out"


def _serving(deployment: Deployment, gateways: Iterable[Gateway]) -> list[Gateway]:
    """The proxyless gateways that serve a deployment."""
    return [
        gateway
        for gateway in gateways
        if gateway.mode == PROXYLESS and (deployment.gateways is None or gateway.name in deployment.gateways)
    ]


def _instead(deployment: Deployment, gateways: Iterable[Gateway]) -> str:
    """The gateways to list, where a deployment is on all of them only because it says nothing."""
    able = [gateway.name for gateway in gateways if gateway.mode != PROXYLESS]
    return f"write gateways: [{', '.join(able)}]" if able and deployment.gateways is None else ""


def _edits(headers: Headers | None) -> bool:
    return headers is not None and any(
        edits != HeaderEdits() for edits in (headers.request, headers.response)
    )
