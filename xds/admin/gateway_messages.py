"""Gateways as messages: what they have, had, and were given besides."""

import json

from xds.admin.messages import convergence, timestamp
from xds.control.gateways import GatewayStanding
from xds.fleet.convergence import Convergence
from xds.revisions.resources import ResourceSet
from xds.store.records import Snapshot
from xds.stubs import canary_admin_v1_pb2 as admin


def gateway(standing: GatewayStanding) -> admin.Gateway:
    """A gateway as it stands."""
    said = standing.gateway
    return admin.Gateway(
        name=said.name,
        mode=said.mode,
        listeners=[_address(listen.address, listen.port) for listen in said.listeners],
        deployments=standing.deployments,
        envoys=standing.envoys,
        in_sync=standing.in_sync,
        resources=standing.resources,
        snapshot=standing.snapshot,
    )


def snapshot(said: Snapshot) -> admin.Snapshot:
    """What changed at one entry of the audit."""
    entry = said.entry
    return admin.Snapshot(
        number=said.number,
        created_at=timestamp(entry.note.at),
        author=entry.note.author,
        comment=entry.note.comment,
        change=" ".join([entry.verb, *entry.subjects]),
        revisions=said.revisions,
    )


def resources(
    name: str, given: ResourceSet | None, said: Convergence | None = None, *, contents: bool = True
) -> admin.Resources:
    """The resources that people gave a gateway.

    Args:
        name: of the gateway.
        given: None where nobody ever gave it any.
        said: how far they have got, if they are in force.
        contents: whether to tell them, too.
    """
    far = convergence(said) if said is not None else None
    if given is None:
        return admin.Resources(gateway=name, convergence=far)
    return admin.Resources(
        gateway=name,
        number=given.number,
        kind=given.kind,
        source=given.source or 0,
        author=given.note.author,
        comment=given.note.comment,
        created_at=timestamp(given.note.at),
        contents_json=[json.dumps(each) for each in given.contents] if contents else (),
        convergence=far,
    )


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
