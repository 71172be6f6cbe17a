"""What each request has to be, before anybody acts on it: rules by message, and every breach at once.

What depends on what there is (a name nobody knows, a weight too much) is the control layer's to say.
"""

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message

from xds.admin.places import places_of
from xds.errors import InvalidInput
from xds.spec.faults import Fault
from xds.stubs import canary_admin_v1_pb2 as admin

LARGEST_PAGE = 1000
LONGEST_WAIT = 24 * 3600.0
"""Seconds."""
LONGEST_COMMENT, LONGEST_ID = 10_000, 200
"""Characters."""
MOST_NAMES = 10_000
LONGEST_SPAN = 24 * 3600.0
"""Seconds for which metrics are kept."""
MOST_STEPS = 1000
HIGHEST = 2**53
"""Nothing here will ever be numbered beyond."""

Rule = Callable[[Any], Iterator[Fault]]
"""Says what is wrong with a message."""


@dataclasses.dataclass(frozen=True)
class Garbled:
    """A request that can't be read."""

    why: str


def read(kind: type[Message], raw: bytes) -> Message | Garbled:
    """The request that bytes are."""
    try:
        return kind.FromString(raw)
    except DecodeError as error:
        return Garbled(str(error))


def check(request: Message | Garbled) -> None:
    """Make sure that a request may be acted on.

    Raises:
        InvalidInput: with every fault.
    """
    if isinstance(request, Garbled):
        raise InvalidInput([fault("", request.why, "is it a message of canary.admin.v1?")])
    faults = [found for rule in RULES[type(request)] for found in rule(request)]
    if faults:
        raise InvalidInput(faults)


def fault(path: str, message: str, mend: str = "") -> Fault:
    """Something that is wrong with a request."""
    return Fault("request", 0, path, message, mend)


def seconds(said: Duration) -> float:
    """A duration, whatever its parts are."""
    return said.seconds + said.nanos / 1e9


def _text(field: str) -> Rule:
    """It is there."""

    def rule(request: Any) -> Iterator[Fault]:
        if not getattr(request, field):
            yield fault(field, "is missing")

    return rule


def _number(field: str, low: int = 0) -> Rule:
    """It is between that and what there can be; where it is one of several, only if it was chosen."""

    def rule(request: Any) -> Iterator[Fault]:
        value = getattr(request, field)
        presence = request.DESCRIPTOR.fields_by_name[field].has_presence
        if not low <= value <= HIGHEST and (not presence or request.HasField(field)):
            yield fault(field, f"{value} is out of range", f"give {low} or more")

    return rule


def _texts(field: str) -> Rule:
    """None of them is empty, and there aren't too many."""

    def rule(request: Any) -> Iterator[Fault]:
        values = getattr(request, field)
        if len(values) > MOST_NAMES:
            yield fault(field, f"{len(values)} are too many", f"give {MOST_NAMES} at most")
            return
        for index, value in enumerate(values):
            if not value:
                yield fault(f"{field}[{index}]", "is empty")

    return rule


def _page(request: Any) -> Iterator[Fault]:
    if not 0 <= request.page_size <= LARGEST_PAGE:
        yield fault(
            "page_size", f"{request.page_size} is out of range", f"give 1-{LARGEST_PAGE}, or 0 for 100"
        )


def _files(request: Any) -> Iterator[Fault]:
    if not request.files:
        yield fault("files", "names none", "give at least one")
    yield from _named(request)


def _named(request: Any) -> Iterator[Fault]:
    for index, file in enumerate(request.files):
        if not file.name:
            yield fault(f"files[{index}].name", "is missing", "messages about the file need one")


def _mode(request: admin.ApplyRequest) -> Iterator[Fault]:
    if request.mode not in admin.ApplyRequest.Mode.values():
        names = ", ".join(admin.ApplyRequest.Mode.keys())
        yield fault("mode", f"there is no mode {request.mode}", f"give one of {names}")


def _options(request: Any) -> Iterator[Fault]:
    options = request.options
    if len(options.comment) > LONGEST_COMMENT:
        yield fault("options.comment", "is too long", f"{LONGEST_COMMENT} characters at most")
    if len(options.request_id) > LONGEST_ID:
        yield fault("options.request_id", "is too long", f"{LONGEST_ID} characters at most")
    if not 0 <= options.expected_revision <= HIGHEST:
        yield fault(
            "options.expected_revision", f"{options.expected_revision} is no revision", "give 0 for none"
        )
    if options.HasField("wait"):
        yield from _waiting(options.wait, "options.wait")


def _wait(request: admin.WaitRequest) -> Iterator[Fault]:
    yield from _waiting(request.wait, "wait")


def _waiting(wait: admin.WaitOptions, at: str) -> Iterator[Fault]:
    if not 0 <= wait.share <= 1:  # nor is NaN
        yield fault(f"{at}.share", f"{wait.share:g} is no share", "give 0-1")
    if wait.HasField("timeout") and not 0 < seconds(wait.timeout) <= LONGEST_WAIT:
        yield fault(
            f"{at}.timeout", f"{seconds(wait.timeout):g} s is out of range", "give up to 24 h, over 0"
        )


def _measured(request: admin.GetMetricsRequest, at: str = "") -> Iterator[Fault]:
    span = seconds(request.span) if request.HasField("span") else 300.0
    step = seconds(request.step)
    if not 5 <= span <= LONGEST_SPAN:  # noqa: PLR2004 (a window of metrics)
        yield fault(f"{at}span", f"{span:g} s is out of range", "give 5 s to 24 h")
    elif request.HasField("step") and (step < 5 or step % 5 or span / step > MOST_STEPS):  # noqa: PLR2004 (likewise)
        yield fault(
            f"{at}step", f"{step:g} s is no step", f"give a multiple of 5 s, {MOST_STEPS} steps at most"
        )
    if not 0 <= request.revision <= HIGHEST:
        yield fault(f"{at}revision", f"{request.revision} is no revision", "give 0 for any")


def _watched(request: admin.WatchMetricsRequest) -> Iterator[Fault]:
    if not request.query.name:
        yield fault("query.name", "is missing")
    yield from _measured(request.query, "query.")
    interval = seconds(request.interval)
    if request.HasField("interval") and not 1 <= interval <= 3600:  # noqa: PLR2004 (an hour)
        yield fault("interval", f"{interval:g} s is out of range", "give 1 s to 1 h")


def _timeout(request: admin.WaitDrainedRequest) -> Iterator[Fault]:
    if request.HasField("timeout") and not 0 < seconds(request.timeout) <= LONGEST_WAIT:
        yield fault("timeout", f"{seconds(request.timeout):g} s is out of range", "give up to 24 h, over 0")


def _weights(request: admin.SetWeightsRequest) -> Iterator[Fault]:
    if not request.weights:
        yield fault("weights", "names no version", "give percent by version")
    for label, weight in request.weights.items():
        if not label:
            yield fault("weights", "has a version without a name")
        if not math.isfinite(weight) or not 0 <= weight <= 100:  # noqa: PLR2004 (percent)
            yield fault(f"weights.{label}", f"{weight:g} is no percentage", "give 0-100")


def _endpoints(request: admin.EndpointsRequest) -> Iterator[Fault]:
    yield from places_of(request.endpoints, "endpoints")[1]


def _not_undone(request: admin.EndpointsRequest) -> Iterator[Fault]:
    if request.options.wait.rollback_on_reject:
        yield fault(
            "options.wait.rollback_on_reject", "endpoints have no revision to return to", "leave it out"
        )


def _endpoint(request: Any) -> Iterator[Fault]:
    if request.HasField("endpoint"):
        for found in places_of([request.endpoint], "endpoint")[1]:
            yield dataclasses.replace(found, path=found.path.replace("endpoint[0]", "endpoint", 1))
    else:
        yield fault("endpoint", "is missing")


def _ttl(request: admin.RegisterRequest) -> Iterator[Fault]:
    if not 1 <= seconds(request.ttl) <= 3600:  # noqa: PLR2004 (an hour)
        yield fault("ttl", f"{seconds(request.ttl):g} s is no time to live", "give 1 s to 1 h")


def _since(request: admin.ListAuditRequest) -> Iterator[Fault]:
    if not 0 <= request.since.seconds < 253_402_300_800:  # noqa: PLR2004 (the year 10,000)
        yield fault("since", f"{request.since.seconds} s is no time", "give seconds since 1970")


def _what_to_compare(request: admin.DiffRequest) -> Iterator[Fault]:
    if not request.name and not request.files:
        yield fault("name", "is missing", "name a deployment, or give files")
    if request.name and request.files:
        yield fault("files", "stand beside name", "give one of the two")
    if request.files and (request.from_revision or request.to_revision):
        yield fault(
            "from_revision", "stands beside files, which are compared with what is in force", "leave it out"
        )


def _keys(request: Any) -> Iterator[Fault]:
    if len(request.keys) > MOST_NAMES:
        yield fault("keys", f"{len(request.keys)} are too many", f"give {MOST_NAMES} at most")


def _asked(request: admin.ExplainRequest) -> Iterator[Fault]:
    if request.target and request.target[:1] not in (b"/", b"?"):
        yield fault("target", "is no path", "begin with /, or with ? for the deployment's path")
    for index, header in enumerate(request.headers):
        if not header.name:
            yield fault(f"headers[{index}].name", "is missing")


_NAME = _text("name")
_TARGET = _text("target")
_GATEWAY = _text("gateway")

RULES: Mapping[type[Message], Iterable[Rule]] = {
    admin.ApplyRequest: (_files, _mode, _options),
    admin.GetRequest: (_NAME,),
    admin.ListRequest: (_page,),
    admin.SetWeightsRequest: (_NAME, _weights, _options),
    admin.PromoteRequest: (_NAME, _options),
    admin.AbortRequest: (_NAME, _options),
    admin.RollbackRequest: (_NAME, _number("to_revision", 1), _options),
    admin.DeleteRequest: (_NAME, _options),
    admin.UndeleteRequest: (_NAME, _options),
    admin.ListRevisionsRequest: (_NAME, _page),
    admin.DiffRequest: (_what_to_compare, _named, _number("from_revision"), _number("to_revision")),
    admin.ExplainRequest: (_NAME, _asked, _keys),
    admin.SimulateRequest: (_files, _keys),
    admin.WatchRequest: (_texts("names"),),
    admin.WaitRequest: (_NAME, _number("revision"), _wait),
    admin.ListEndpointsRequest: (_page,),
    admin.EndpointsRequest: (_TARGET, _endpoints, _options, _not_undone),
    admin.RegisterRequest: (_TARGET, _endpoint, _ttl),
    admin.DeregisterRequest: (_TARGET, _endpoint),
    admin.WatchEndpointsRequest: (),
    admin.ListGatewaysRequest: (),
    admin.ListSnapshotsRequest: (_GATEWAY, _page),
    admin.RollbackGatewayRequest: (_GATEWAY, _number("snapshot", 1), _options),
    admin.GetResourcesRequest: (_GATEWAY, _number("number")),
    admin.SetResourcesRequest: (_GATEWAY, _named, _options),
    admin.RollbackResourcesRequest: (_GATEWAY, _options),
    admin.ListResourceRevisionsRequest: (_GATEWAY, _page),
    admin.ListEnvoysRequest: (_page,),
    admin.GetEnvoyRequest: (_text("id"),),
    admin.WatchEnvoysRequest: (),
    admin.GetMetricsRequest: (_NAME, _measured),
    admin.WatchMetricsRequest: (_watched,),
    admin.WaitDrainedRequest: (_NAME, _text("version"), _timeout),
    admin.ListAuditRequest: (_since, _page),
    admin.GetServerRequest: (),
}
"""By request. One that isn't here can't be served."""
