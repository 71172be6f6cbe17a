"""The Envoys, the audit, and the server itself."""

import datetime as dt

from google.protobuf.timestamp_pb2 import Timestamp

from xds.client.call import Call, Page, Pages, Stream, simple
from xds.stubs import canary_admin_v1_pb2 as pb


def list_(gateway: str = "", *, page_size: int = 0) -> Pages[pb.Envoy]:
    """The connected Envoys, of one gateway or of all, without their resources."""

    def read(raw: bytes) -> Page[pb.Envoy]:
        answer = pb.ListEnvoysResponse.FromString(raw)
        return Page(answer.envoys, answer.next_page_token)

    return Pages(
        lambda token: Call(
            "FleetService/List",
            pb.ListEnvoysRequest(gateway=gateway, page_size=page_size, page_token=token),
            read,
        )
    )


def envoy(node: str) -> Call[pb.Envoy]:
    """One Envoy by its node id, with every resource it has or is to have."""
    return simple("FleetService/Get", pb.GetEnvoyRequest(id=node), pb.Envoy)


def watch(gateway: str = "") -> Stream[pb.WatchEnvoysResponse]:
    """The Envoys as they are, then each when it comes, changes or goes."""
    request = pb.WatchEnvoysRequest(gateway=gateway)
    return Stream("FleetService/Watch", request, pb.WatchEnvoysResponse.FromString)


def audit(
    subject: str = "", *, author: str = "", since: dt.datetime | None = None, page_size: int = 0
) -> Pages[pb.AuditEntry]:
    """Who changed what, newest first: of a deployment, build or gateway; of an author; since a time."""
    begin = None
    if since is not None:
        begin = Timestamp()
        begin.FromDatetime(since.astimezone(dt.UTC))

    def read(raw: bytes) -> Page[pb.AuditEntry]:
        answer = pb.ListAuditResponse.FromString(raw)
        return Page(answer.entries, answer.next_page_token)

    def page(token: str) -> Call[Page[pb.AuditEntry]]:
        request = pb.ListAuditRequest(
            subject=subject, author=author, since=begin, page_size=page_size, page_token=token
        )
        return Call("AuditService/List", request, read)

    return Pages(page)


def server() -> Call[pb.Server]:
    """What the server is and who it takes the caller for."""
    return simple("ServerService/Get", pb.GetServerRequest(), pb.Server)
