"""How versions do, and whether one may be stopped."""

from typing import TypedDict, Unpack

from google.protobuf.duration_pb2 import Duration

from xds.client.call import Call, Stream, simple
from xds.stubs import canary_admin_v1_pb2 as pb


class Asked(TypedDict, total=False):
    """What is asked for, besides whose metrics.

    gateway: only what its Envoys saw.
    by_gateway: each gateway for itself.
    revision: only what was measured while it was in force.
    span: seconds back from now, 5 to a day; 300 if not given.
    step: besides in steps of so many seconds (5 or a multiple of it).
    source: who is asked, by name; without: the Envoys, and what others measure besides.
    """

    gateway: str
    by_gateway: bool
    revision: int
    span: float
    step: float
    source: str


def metrics(name: str, version: str = "", **asked: Unpack[Asked]) -> Call[pb.Metrics]:
    """How a deployment's versions did in the last minutes, as the Envoys tell it.

    Args:
        name: of the deployment.
        version: only this one.
        asked: see Asked.
    """
    return simple("MetricsService/Get", _query(name, version, asked), pb.Metrics)


def watch(
    name: str, version: str = "", *, interval: float = 5.0, **asked: Unpack[Asked]
) -> Stream[pb.Metrics]:
    """The same now, and every `interval` seconds (1 or more)."""
    query = _query(name, version, asked)
    request = pb.WatchMetricsRequest(query=query, interval=_duration(interval))
    return Stream("MetricsService/Watch", request, pb.Metrics.FromString)


def draining(name: str, version: str, timeout: float = 30.0) -> Stream[pb.Drain]:
    """A version until nothing is in flight on it and nothing new can come; the last says how it ended."""
    request = pb.WaitDrainedRequest(name=name, version=version, timeout=_duration(timeout))
    return Stream("MetricsService/WaitDrained", request, pb.Drain.FromString, timeout)


def _query(name: str, version: str, asked: Asked) -> pb.GetMetricsRequest:
    return pb.GetMetricsRequest(
        name=name,
        version=version,
        gateway=asked.get("gateway", ""),
        by_gateway=asked.get("by_gateway", False),
        revision=asked.get("revision", 0),
        span=_duration(asked["span"]) if "span" in asked else None,
        step=_duration(asked["step"]) if asked.get("step") else None,
        source=asked.get("source", ""),
    )


def _duration(seconds: float) -> Duration:
    said = Duration()
    said.FromNanoseconds(round(seconds * 1e9))
    return said
