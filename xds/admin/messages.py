"""What several of the admin API's messages are made of: times, notes, and how far the Envoys are."""

from google.protobuf.timestamp_pb2 import Timestamp

from xds.control.confirmation import Progress
from xds.fleet.convergence import Convergence
from xds.stubs import canary_admin_v1_pb2 as admin


def timestamp(seconds: float | None) -> Timestamp | None:
    """A time (seconds since the epoch), to the millisecond; None for none, and for 0.0: nobody knows."""
    if not seconds:
        return None
    made = Timestamp()
    made.FromMilliseconds(round(seconds * 1000))
    return made


def convergence(said: Convergence) -> admin.Convergence:
    """How far the connected Envoys have got."""
    return admin.Convergence(
        envoys=said.envoys, in_sync=said.in_sync, rejections=said.rejections, limited=said.limited
    )


def confirmation(said: Progress) -> admin.Confirmation:
    """How far a change has got."""
    return admin.Confirmation(
        state=said.state.name,
        envoys=said.envoys,
        confirmed=said.confirmed,
        rejections=said.rejections,
        waiting_for=said.waiting_for,
        undone_by=said.undone_by or 0,
    )
