"""Client status (CSDS): what each connected Envoy has, for whatever speaks Envoy's own API.

A request names the nodes it is about by their ids; without any it is about all. An answer has names,
versions, states and rejections; never the resources themselves.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TypeAlias

import grpc

from xds.discovery.hub import Hub
from xds.discovery.request import Node
from xds.errors import CanaryError
from xds.fleet.status import EnvoyStatus, ResourceStatus, State, statuses
from xds.stubs import envoy_admin_v3_pb2 as admin_v3
from xds.stubs import envoy_config_core_v3_pb2 as core
from xds.stubs import envoy_service_status_v3_pb2 as status_v3
from xds.stubs import envoy_type_matcher_v3_pb2 as matcher_v3

_SERVICE = "envoy.service.status.v3.ClientStatusDiscoveryService"

_MOST = 20_000
"""Resources in an answer about several Envoys: about the 4 MB that gRPC's clients take by default."""

_CONFIG_STATUS = {
    State.SYNCED: status_v3.SYNCED,
    State.SENT: status_v3.STALE,
    State.WAITING: status_v3.NOT_SENT,
    State.REFUSED: status_v3.ERROR,
    State.UNKNOWN: status_v3.UNKNOWN,
}
_CLIENT_STATUS = {
    State.SYNCED: admin_v3.ACKED,
    State.SENT: admin_v3.REQUESTED,
    State.WAITING: admin_v3.REQUESTED,
    State.REFUSED: admin_v3.NACKED,
    State.UNKNOWN: admin_v3.DOES_NOT_EXIST,
}

_Method: TypeAlias = "grpc.RpcMethodHandler[status_v3.ClientStatusRequest, status_v3.ClientStatusResponse]"
Context = grpc.aio.ServicerContext[status_v3.ClientStatusRequest, status_v3.ClientStatusResponse]


class Unsupported(CanaryError):
    """A node matcher says something that is not understood here. The call ends with INVALID_ARGUMENT."""


class ClientStatus:
    """Answers from the fleet as it is at the moment."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def handler(self) -> grpc.GenericRpcHandler:
        """The service's handler."""
        fetch: _Method = grpc.unary_unary_rpc_method_handler(
            self._fetch,
            request_deserializer=status_v3.ClientStatusRequest.FromString,
            response_serializer=status_v3.ClientStatusResponse.SerializeToString,
        )
        stream: _Method = grpc.stream_stream_rpc_method_handler(
            self._stream,
            request_deserializer=status_v3.ClientStatusRequest.FromString,
            response_serializer=status_v3.ClientStatusResponse.SerializeToString,
        )
        methods = {"FetchClientStatus": fetch, "StreamClientStatus": stream}
        return grpc.method_handlers_generic_handler(_SERVICE, methods)

    async def _fetch(
        self, request: status_v3.ClientStatusRequest, context: Context
    ) -> status_v3.ClientStatusResponse:
        answer = status_v3.ClientStatusResponse()
        resources = 0
        try:
            wanted = _wanted(request.node_matchers)
        except Unsupported as refusal:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(refusal))
        for envoy in statuses(self._hub, wanted):
            resources += len(envoy.resources)
            if answer.config and resources > _MOST:
                await context.abort(
                    grpc.StatusCode.RESOURCE_EXHAUSTED,
                    f"the answer would have over {_MOST} resources; ask for fewer nodes with node_matchers",
                )
            answer.config.append(_client_config(envoy))
            await asyncio.sleep(0)  # a large fleet's status must not hold up its pushes
        return answer

    async def _stream(
        self, requests: AsyncIterator[status_v3.ClientStatusRequest], context: Context
    ) -> AsyncIterator[status_v3.ClientStatusResponse]:
        async for request in requests:
            yield await self._fetch(request, context)


def _wanted(matchers: Iterable[matcher_v3.NodeMatcher]) -> Callable[[Node], bool]:
    """Any of these; none: everybody.

    Raises:
        Unsupported: a matcher by metadata, or one by a pattern other than the plain ones.
    """
    tests = [_test(matcher) for matcher in matchers]
    return lambda node: not tests or any(test(node.id) for test in tests)


def _test(matcher: matcher_v3.NodeMatcher) -> Callable[[str], bool]:
    how = matcher.node_id.WhichOneof("match_pattern")
    if matcher.node_metadatas or how not in ("exact", "prefix", "suffix", "contains"):
        raise Unsupported("a node matcher here has a node_id with exact, prefix, suffix or contains")

    def case(text: str) -> str:
        return text.lower() if matcher.node_id.ignore_case else text

    pattern = case(getattr(matcher.node_id, how))
    return {
        "exact": lambda id_: case(id_) == pattern,
        "prefix": lambda id_: case(id_).startswith(pattern),
        "suffix": lambda id_: case(id_).endswith(pattern),
        "contains": lambda id_: pattern in case(id_),
    }[how]


def _client_config(envoy: EnvoyStatus) -> status_v3.ClientConfig:
    place = envoy.node.locality
    return status_v3.ClientConfig(
        node=core.Node(
            id=envoy.node.id,
            cluster=envoy.node.cluster,
            locality=core.Locality(region=place.region, zone=place.zone, sub_zone=place.sub_zone),
        ),
        generic_xds_configs=map(_resource, envoy.resources),
    )


def _resource(said: ResourceStatus) -> status_v3.ClientConfig.GenericXdsConfig:
    out = status_v3.ClientConfig.GenericXdsConfig(
        type_url=said.type,
        name=said.name,
        version_info=said.applied or "",
        config_status=_CONFIG_STATUS[said.state],
        client_status=_CLIENT_STATUS[said.state],
    )
    if said.refused is not None:
        out.error_state.details = said.text
        out.error_state.version_info = said.refused
    return out
