"""Envoys, endpoints, gateways, resources and the audit as plain data; see shapes.py."""

import json

from google.protobuf.timestamp_pb2 import Timestamp

from xds.cli.shapes import Data, confirmation_data
from xds.stubs import canary_admin_v1_pb2 as pb


def envoy_data(envoy: pb.Envoy) -> Data:
    """One Envoy; `resources` only where they were asked for."""
    return {
        "id": envoy.id,
        "gateway": envoy.gateway,
        "cluster": envoy.cluster,
        "version": envoy.version or None,
        "address": envoy.address,
        "dialect": envoy.dialect,
        "connected_at": _moment(envoy.connected_at),
        "in_sync": envoy.in_sync,
        "applied": envoy.applied,
        "waiting": envoy.waiting,
        "rejected": envoy.rejected,
        "rejections": list(envoy.rejections),
        **({"resources": list(map(_state_data, envoy.resources))} if envoy.resources else {}),
    }


def build_data(build: pb.BuildEndpoints) -> Data:
    """A build and where it runs."""
    return {
        "build": build.build,
        "versions": list(build.versions),
        "usable": build.usable,
        "drained": build.drained,
        "endpoints": list(map(_endpoint_data, build.endpoints)),
    }


def edit_data(answer: pb.EndpointsResponse) -> Data:
    """A build after a change of its endpoints, and what the Envoys made of it."""
    return {
        "changed": answer.changed,
        "confirmations": list(map(confirmation_data, answer.confirmations)),
        **build_data(answer.build),
    }


def source_data(source: pb.EndpointSource) -> Data:
    """Where endpoints are polled from."""
    return {
        "name": source.name,
        "endpoints": source.endpoints,
        "read_at": _moment(source.read_at),
        "problem": source.problem or None,
    }


def gateway_data(gateway: pb.Gateway) -> Data:
    """A gateway as it stands."""
    return {
        "name": gateway.name,
        "mode": gateway.mode,
        "listeners": list(gateway.listeners),
        "deployments": gateway.deployments,
        "envoys": {"connected": gateway.envoys, "in_sync": gateway.in_sync},
        "resources": gateway.resources or None,
        "snapshot": gateway.snapshot or None,
    }


def snapshot_data(snapshot: pb.Snapshot) -> Data:
    """What a gateway had after a change."""
    return {
        "snapshot": snapshot.number,
        "change": snapshot.change,
        "revisions": dict(sorted(snapshot.revisions.items())),
        "author": snapshot.author,
        "comment": snapshot.comment,
        "created_at": _moment(snapshot.created_at),
    }


def resources_data(given: pb.Resources, *, contents: bool = True) -> Data:
    """What people gave a gateway."""
    return {
        "gateway": given.gateway,
        "number": given.number,
        "kind": given.kind or None,
        "source": given.source or None,
        "author": given.author,
        "comment": given.comment,
        "created_at": _moment(given.created_at),
        **({"contents": resource_contents(given)} if contents else {}),
    }


def resource_contents(given: pb.Resources) -> list[Data]:
    """The resources themselves, each with its @type."""
    return [json.loads(content) for content in given.contents_json]


def audit_data(entry: pb.AuditEntry) -> Data:
    """One change."""
    return {
        "number": entry.number,
        "at": _moment(entry.at),
        "author": entry.author,
        "verb": entry.verb,
        "subjects": list(entry.subjects),
        "outcome": entry.outcome,
        "comment": entry.comment,
        "request_id": entry.request_id or None,
    }


def _state_data(state: pb.ResourceState) -> Data:
    return {
        "type": state.type,
        "name": state.name,
        "state": state.state,
        "applied": state.applied or None,
        "wanted": state.wanted or None,
        "text": state.text or None,
    }


def _endpoint_data(endpoint: pb.Endpoint) -> Data:
    return {
        "address": endpoint.address,
        "port": endpoint.port,
        "weight": endpoint.weight or 1,
        "zone": endpoint.zone or None,
        "drained": endpoint.drained,
        "unhealthy": endpoint.unhealthy or None,
        "sources": list(endpoint.sources),
        "expires_at": _moment(endpoint.expires_at),
    }


def _moment(moment: Timestamp) -> str | None:
    return moment.ToJsonString() if moment.ToNanoseconds() else None
