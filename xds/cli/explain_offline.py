"""`canary explain -f`: without a server, as files would begin were they all there is."""

from collections.abc import Sequence

from xds.admin.explained import asked, told
from xds.cli.config import read_config
from xds.cli.failures import Failure, Faulty
from xds.cli.files import read_sources
from xds.cli.output import warn
from xds.control.explained import Told, explain_views
from xds.spec.read import read
from xds.stubs import canary_admin_v1_pb2 as pb
from xds.translate.offline import views


def answered(request: pb.ExplainRequest, sources: Sequence[str], keys: Sequence[bytes]) -> pb.ExplainResponse:
    """What a server would answer that had just been given these files.

    Raises:
        Faulty: something is wrong with them.
        Failure: the deployment isn't in them.
    """
    reading = read(read_sources(sources))
    if reading.faults:
        raise Faulty(reading.faults)
    warn(*map(str, reading.warnings))
    found: Told | None = None
    for gateway in read_config(None).gateways:
        if request.gateway in ("", gateway.name) and found is None:
            given = list(views(gateway, reading.documents, {}))
            found = explain_views(given, request.name, asked(request), keys)
    if found is None:
        raise Failure(f"there is no deployment {request.name!r} in these files")
    return told(found)
