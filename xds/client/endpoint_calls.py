"""The verbs of endpoints. A target is a build's tag, or `<deployment>@<version>`."""

from collections.abc import Iterable
from typing import Unpack

from google.protobuf.duration_pb2 import Duration

from xds.client.call import Call, Page, Pages, Stream, simple
from xds.client.errors import check
from xds.client.options import WriteArgs, patience_of, write_options
from xds.client.payloads import endpoint
from xds.stubs import canary_admin_v1_pb2 as pb

_TTL = 30.0


def list_(target: str = "", *, page_size: int = 0) -> Pages[pb.BuildEndpoints]:
    """Endpoints by build: of a target, of a deployment's versions, or of all builds."""

    def read(raw: bytes) -> Page[pb.BuildEndpoints]:
        answer = pb.ListEndpointsResponse.FromString(raw)
        return Page(answer.builds, answer.next_page_token)

    return Pages(
        lambda token: Call(
            "EndpointService/List",
            pb.ListEndpointsRequest(target=target, page_size=page_size, page_token=token),
            read,
        )
    )


def sources(target: str = "") -> Call[list[pb.EndpointSource]]:
    """Where endpoints are polled from, and what is wrong there."""
    request = pb.ListEndpointsRequest(target=target, page_size=1)
    return Call(
        "EndpointService/List", request, lambda raw: list(pb.ListEndpointsResponse.FromString(raw).sources)
    )


def set_(
    target: str, endpoints: "Iterable[str | pb.Endpoint]", **options: Unpack[WriteArgs]
) -> Call[pb.EndpointsResponse]:
    """Replace the API's list of a build; endpoints as `host:port` or messages."""
    return _edit("Set", target, endpoints, write_options(**options))


def add(
    target: str, endpoints: "Iterable[str | pb.Endpoint]", **options: Unpack[WriteArgs]
) -> Call[pb.EndpointsResponse]:
    """Add to the API's list of a build."""
    return _edit("Add", target, endpoints, write_options(**options))


def remove(
    target: str, endpoints: "Iterable[str | pb.Endpoint]", **options: Unpack[WriteArgs]
) -> Call[pb.EndpointsResponse]:
    """Remove from the API's list, and end leases. Those of other sources can be drained.

    Raises:
        TooFewEndpoints: the build would have none that can be used (`force=True` overrides).
    """
    return _edit("Remove", target, endpoints, write_options(**options))


def drain(
    target: str, endpoints: "Iterable[str | pb.Endpoint]" = (), **options: Unpack[WriteArgs]
) -> Call[pb.EndpointsResponse]:
    """No new requests for these, whatever the sources say; none named: for the whole build."""
    return _edit("Drain", target, endpoints, write_options(**options))


def undrain(
    target: str, endpoints: "Iterable[str | pb.Endpoint]" = (), **options: Unpack[WriteArgs]
) -> Call[pb.EndpointsResponse]:
    """Requests again for these; none named: for the whole build."""
    return _edit("Undrain", target, endpoints, write_options(**options))


def register(target: str, place: "str | pb.Endpoint", *, ttl: float = _TTL) -> Call[pb.RegisterResponse]:
    """Add an endpoint for as long as this is called again within `ttl` seconds (1-3,600)."""
    lives = Duration()
    lives.FromNanoseconds(round(ttl * 1e9))
    request = pb.RegisterRequest(target=target, endpoint=endpoint(place), ttl=lives)
    return simple("EndpointService/Register", request, pb.RegisterResponse)


def deregister(target: str, place: "str | pb.Endpoint") -> Call[pb.EndpointsResponse]:
    """End a lease at once."""
    request = pb.DeregisterRequest(target=target, endpoint=endpoint(place))
    return simple("EndpointService/Deregister", request, pb.EndpointsResponse)


def watch(target: str = "") -> Stream[pb.BuildEndpoints]:
    """Endpoints by build as they are, then each build when it changes."""
    request = pb.WatchEndpointsRequest(target=target)
    return Stream("EndpointService/Watch", request, pb.BuildEndpoints.FromString)


def _edit(
    method: str, target: str, endpoints: "Iterable[str | pb.Endpoint]", options: pb.WriteOptions
) -> Call[pb.EndpointsResponse]:
    def read(raw: bytes) -> pb.EndpointsResponse:
        answer = pb.EndpointsResponse.FromString(raw)
        check(answer.confirmations, answer)
        return answer

    request = pb.EndpointsRequest(target=target, endpoints=map(endpoint, endpoints), options=options)
    return Call(f"EndpointService/{method}", request, read, patience_of(options))
