"""What every write takes: why, under which conditions, and whether to wait for the Envoys."""

import dataclasses
import uuid
from typing import TypedDict, Unpack

from google.protobuf.duration_pb2 import Duration

from xds.stubs import canary_admin_v1_pb2 as pb


@dataclasses.dataclass(frozen=True)
class Wait:
    """Until when a write waits for the Envoys.

    Attributes:
        share: of the connected Envoys, 0-1, that is enough.
        timeout: seconds.
        rollback_on_reject: undo the change at the first rejection.
    """

    share: float = 1.0
    timeout: float = 30.0
    rollback_on_reject: bool = False

    def message(self) -> pb.WaitOptions:
        """As the API has it."""
        timeout = Duration()
        timeout.FromNanoseconds(round(self.timeout * 1e9))
        return pb.WaitOptions(share=self.share, timeout=timeout, rollback_on_reject=self.rollback_on_reject)


class WriteArgs(TypedDict, total=False):
    """The keywords of every write.

    comment: why; kept in the history and the audit.
    request_id: makes a repetition safe; a random one if not given, for the client's own retries.
    dry_run: answer what would happen, and do nothing.
    expected_revision: the revision that is to be in force still (0: none is); Conflict otherwise.
    force: although a version has too few usable endpoints.
    wait: return when the Envoys have confirmed it: True (30 s), seconds, or `Wait(...)`. Raises
        Rejected or NotConfirmed where they don't.
    """

    comment: str
    request_id: str
    dry_run: bool
    expected_revision: int | None
    force: bool
    wait: "bool | float | Wait"


def write_options(**args: Unpack[WriteArgs]) -> pb.WriteOptions:
    """The keywords of a write as the API has them."""
    wait = wait_of(args.get("wait", False))
    return pb.WriteOptions(
        comment=args.get("comment", ""),
        request_id=args.get("request_id") or uuid.uuid4().hex,
        dry_run=args.get("dry_run", False),
        expected_revision=args.get("expected_revision"),
        force=args.get("force", False),
        wait=None if wait is None else wait.message(),
    )


def wait_of(given: "bool | float | Wait") -> Wait | None:
    """What `wait=` means; None: don't."""
    match given:
        case Wait():
            return given
        case bool():
            return Wait() if given else None
        case seconds:
            return Wait(timeout=seconds)


def patience_of(options: pb.WriteOptions) -> float:
    """Seconds the server may take for waiting."""
    if options.dry_run or not options.HasField("wait"):
        return 0.0
    return options.wait.timeout.ToNanoseconds() / 1e9
