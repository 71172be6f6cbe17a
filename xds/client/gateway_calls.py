"""The verbs of gateways, and of the Envoy resources that people give them."""

from collections.abc import Iterable
from typing import Unpack

from google.protobuf.message import Message

from xds.client.call import Call, Page, Pages, simple
from xds.client.errors import check
from xds.client.options import WriteArgs, patience_of, write_options
from xds.client.payloads import Resource, resource_files
from xds.stubs import canary_admin_v1_pb2 as pb


def list_() -> Pages[pb.Gateway]:
    """All gateways."""

    def read(raw: bytes) -> Page[pb.Gateway]:
        return Page(pb.ListGatewaysResponse.FromString(raw).gateways, "")

    return Pages(lambda _token: Call("GatewayService/List", pb.ListGatewaysRequest(), read))


def snapshots(gateway: str, *, page_size: int = 0) -> Pages[pb.Snapshot]:
    """What a gateway had after each change, newest first."""

    def read(raw: bytes) -> Page[pb.Snapshot]:
        answer = pb.ListSnapshotsResponse.FromString(raw)
        return Page(answer.snapshots, answer.next_page_token)

    return Pages(
        lambda token: Call(
            "GatewayService/ListSnapshots",
            pb.ListSnapshotsRequest(gateway=gateway, page_size=page_size, page_token=token),
            read,
        )
    )


def rollback(gateway: str, snapshot: int, **options: Unpack[WriteArgs]) -> Call[pb.RollbackGatewayResponse]:
    """Return every deployment of a gateway to what it was at a snapshot; all or nothing.

    `expected_revision` is the newest snapshot's number.
    """
    said = write_options(**options)

    def read(raw: bytes) -> pb.RollbackGatewayResponse:
        answer = pb.RollbackGatewayResponse.FromString(raw)
        check((change.confirmation for change in answer.changes), answer)
        return answer

    request = pb.RollbackGatewayRequest(gateway=gateway, snapshot=snapshot, options=said)
    return Call("GatewayService/Rollback", request, read, patience_of(said))


def resources(gateway: str, number: int = 0) -> Call[pb.Resources]:
    """The Envoy resources a gateway was given; 0: those in force."""
    return simple("ResourceService/Get", pb.GetResourcesRequest(gateway=gateway, number=number), pb.Resources)


def set_resources(
    gateway: str, given: "Resource | Iterable[Resource]", **options: Unpack[WriteArgs]
) -> Call[pb.ResourcesResponse]:
    """Give a gateway these Envoy resources, and none of those it was given before.

    Args:
        gateway: its name.
        given: messages of envoy-data-plane or protobuf, mappings with `@type`, paths, or YAML texts.
        options: see WriteArgs.
    """
    said = write_options(**options)
    request = pb.SetResourcesRequest(gateway=gateway, files=resource_files(given), options=said)
    return _resources("Set", request, said)


def rollback_resources(gateway: str, **options: Unpack[WriteArgs]) -> Call[pb.ResourcesResponse]:
    """Return to the resources a gateway was given before."""
    said = write_options(**options)
    return _resources("Rollback", pb.RollbackResourcesRequest(gateway=gateway, options=said), said)


def resource_history(gateway: str, *, page_size: int = 0) -> Pages[pb.Resources]:
    """All that a gateway was given, newest first, without contents."""

    def read(raw: bytes) -> Page[pb.Resources]:
        answer = pb.ListResourceRevisionsResponse.FromString(raw)
        return Page(answer.revisions, answer.next_page_token)

    return Pages(
        lambda token: Call(
            "ResourceService/ListRevisions",
            pb.ListResourceRevisionsRequest(gateway=gateway, page_size=page_size, page_token=token),
            read,
        )
    )


def _resources(method: str, request: Message, options: pb.WriteOptions) -> Call[pb.ResourcesResponse]:
    def read(raw: bytes) -> pb.ResourcesResponse:
        answer = pb.ResourcesResponse.FromString(raw)
        check([answer.confirmation], answer)
        return answer

    return Call(f"ResourceService/{method}", request, read, patience_of(options))
