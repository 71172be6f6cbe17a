"""What requests say about a write besides what is to change, as the control layer wants it."""

import dataclasses

from xds.admin.access import Context, caller_of
from xds.admin.rules import seconds
from xds.control.terms import Terms
from xds.stubs import canary_admin_v1_pb2 as admin


@dataclasses.dataclass(frozen=True)
class Patience:
    """Until when to wait for the Envoys.

    Attributes:
        share: of the connected Envoys that is enough; 0.0: all.
        timeout: seconds; None: the usual.
    """

    share: float
    timeout: float | None
    rollback_on_reject: bool


def terms_of(options: admin.WriteOptions, context: Context) -> Terms:
    """Who writes, why, and under which conditions."""
    return Terms(
        author=caller_of(context).name,
        comment=options.comment,
        request=options.request_id,
        dry_run=options.dry_run,
        expected=options.expected_revision if options.HasField("expected_revision") else None,
        force=options.force,
    )


def patience_of(options: admin.WriteOptions) -> Patience | None:
    """How long a write waits; None: not at all."""
    if options.dry_run or not options.HasField("wait"):
        return None
    return waiting(options.wait)


def waiting(wait: admin.WaitOptions) -> Patience:
    """The same, for who waits in any case."""
    timeout = seconds(wait.timeout) if wait.HasField("timeout") else None
    return Patience(wait.share, timeout, wait.rollback_on_reject)
