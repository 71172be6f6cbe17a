"""Reads the gateways of a server's configuration, as carefully as deployment files are read."""

from collections.abc import Callable, Iterable

from pydantic import JsonValue

from xds.spec.complaint import show
from xds.spec.faults import Fault
from xds.spec.findings import Findings, Path
from xds.spec.fit import fit
from xds.spec.gateway import Gateway, Listen, NodeMatch
from xds.spec.proxyless import PROXYLESS, beyond_gateway
from xds.spec.relations import judge_defaults

_AT = "gateways"


def read_gateways(
    value: object, file: str, line_of: Callable[[Path], int] = lambda _: 0
) -> tuple[tuple[Gateway, ...], tuple[Fault, ...]]:
    """The gateways a configuration lists.

    Args:
        value: what stands at its key `gateways`: a list of mappings.
        file: the configuration's name.
        line_of: the line of a path that begins with `gateways`, where it is known.

    Returns:
        The gateways that are fine, and every fault, sorted. An unknown key is a fault: a server's
        configuration has no other reader.
    """
    findings = Findings(file, line_of)
    if not isinstance(value, list):
        findings.fault((_AT,), f"{show(value)} is no list", "write gateways: [{name: ..., listeners: [...]}]")
        return (), tuple(findings.faults)
    found = [(index, _gateway(item, (_AT, index), findings)) for index, item in enumerate(value)]
    gateways = [(index, gateway) for index, gateway in found if gateway is not None]
    _check_names_differ(gateways, findings)
    _check_nodes_differ(gateways, findings)
    for index, gateway in gateways:
        _check_listeners_differ(gateway, (_AT, index), findings)
        _check_proxyless(gateway, (_AT, index), findings)
        judge_defaults(gateway.defaults, findings, (_AT, index, "defaults"))
    sound = tuple(gateway for index, gateway in gateways if not findings.spoiled((_AT, index)))
    return sound, tuple(sorted(findings.faults))


def _gateway(item: JsonValue, at: Path, findings: Findings) -> Gateway | None:
    if not isinstance(item, dict):
        findings.fault(at, f"{show(item)} is no mapping", "write {name: ..., listeners: [...]}")
        return None
    return fit(Gateway, item, findings, at, strict=True)


def _check_names_differ(gateways: Iterable[tuple[int, Gateway]], findings: Findings) -> None:
    first: dict[str, int] = {}
    for index, gateway in gateways:
        earlier = first.setdefault(gateway.name, index)
        if earlier != index:
            message = f"{gateway.name} is also the name of {_AT}[{earlier}]"
            findings.fault((_AT, index, "name"), message, "rename one of them")


def _check_nodes_differ(gateways: Iterable[tuple[int, Gateway]], findings: Findings) -> None:
    """An Envoy belongs to one gateway, so the same condition can't choose it for two."""
    first: dict[str, tuple[int, str]] = {}
    for index, gateway in gateways:
        for position, match in enumerate(gateway.nodes or (NodeMatch(cluster=gateway.name),)):
            at = (_AT, index, "nodes", position) if gateway.nodes else (_AT, index, "name")
            if match == NodeMatch():
                findings.fault(at, "says nothing about the Envoys it means", 'write id: "*" for all of them')
                continue
            earlier, name = first.setdefault(match.model_dump_json(), (index, gateway.name))
            if earlier != index and name != gateway.name:
                message = f"chooses the same Envoys as gateway {name}"
                findings.fault(
                    at, message, "an Envoy belongs to one gateway: change the nodes of one of them"
                )


def _check_proxyless(gateway: Gateway, at: Path, findings: Findings) -> None:
    """A gateway for gRPC's clients has no Envoys that could listen, or do what the clients can't."""
    if gateway.mode == PROXYLESS:
        for path, message, mend in beyond_gateway(gateway):
            findings.fault((*at, *path.split(".")), message, mend)


def _check_listeners_differ(gateway: Gateway, at: Path, findings: Findings) -> None:
    seen: set[Listen] = set()
    for position, listener in enumerate(gateway.listeners):
        if listener in seen:
            message = f"{listener.address}:{listener.port} is listed twice"
            findings.fault((*at, "listeners", position), message, "keep one of them")
        seen.add(listener)
