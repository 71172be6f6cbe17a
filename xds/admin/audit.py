"""The AuditService: who changed what."""

from xds.admin import paging
from xds.admin.access import Context
from xds.admin.calls import Service, answer
from xds.admin.messages import timestamp
from xds.store.records import Entry
from xds.stubs import canary_admin_v1_pb2 as admin
from xds.stubs import canary_admin_v1_pb2_grpc as admin_grpc


class AuditService(Service, admin_grpc.AuditServiceServicer):
    """Entries of the audit."""

    @answer
    async def List(self, request: admin.ListAuditRequest, _context: Context) -> admin.ListAuditResponse:
        """Newest first."""
        page = paging.page_of(request, paging.number, "audit", request.subject, request.author)
        since = request.since.seconds + request.since.nanos / 1e9
        found = await self._plane.audit(request.subject, request.author, since, page.after, page.limit)
        items, token = page.cut(found, lambda numbered: numbered[0])
        return admin.ListAuditResponse(
            entries=[_entry(number, entry) for number, entry in items], next_page_token=token
        )


def _entry(number: int, said: Entry) -> admin.AuditEntry:
    return admin.AuditEntry(
        number=number,
        at=timestamp(said.note.at),
        author=said.note.author,
        verb=said.verb,
        subjects=said.subjects,
        outcome=said.outcome,
        comment=said.note.comment,
        request_id=said.request,
    )
