"""Metrics as plain data; see shapes.py. Latencies are in seconds."""

from xds.cli.shapes import Data, number
from xds.stubs import canary_admin_v1_pb2 as pb


def metrics_data(found: pb.Metrics) -> Data:
    """How a deployment's versions do; None where nobody knows."""
    return {
        "name": found.name,
        "revision": found.revision,
        "at": found.at.ToJsonString(),
        "versions": list(map(version_data, found.versions)),
        "envoys": found.envoys,
        "silent": list(found.silent),
        "problems": list(found.problems),
    }


def version_data(said: pb.VersionMetrics) -> Data:
    """One version."""
    return {
        "version": said.version,
        "build": said.build,
        "gateway": said.gateway or None,
        "weight": number(said.weight),
        "effective_weight": number(said.effective_weight),
        "seconds": _rounded(said.seconds),
        "requests": said.requests,
        "rate": _rounded(said.rate),
        "error_rate": _rounded(said.error_rate),
        "success_rate": said.success_rate if said.HasField("success_rate") else None,
        "statuses": dict(sorted(said.statuses.items())),
        "grpc": dict(sorted(said.grpc.items(), key=lambda each: int(each[0]))),
        "failures": said.failures,
        "timeouts": said.timeouts,
        "retries": said.retries,
        "resets": said.resets,
        "resets_after_first_byte": said.resets_after_first_byte,
        "connect_failures": said.connect_failures,
        "overflows": said.overflows,
        "mirrored": said.mirrored,
        "latency": _percentiles(said.latency),
        "first_byte": _percentiles(said.first_byte),
        "in_flight": said.in_flight if said.HasField("in_flight") else None,
        "revisions": list(said.revisions),
        "envoys": said.envoys,
        "source": said.source,
        "measures": dict(sorted(said.measures.items())),
        "points": list(map(_point, said.points)),
    }


def drain_data(said: pb.Drain) -> Data:
    """How far a version is from being stopped."""
    return {
        "state": pb.Confirmation.State.Name(said.state).lower().replace("_", "-"),
        "build": said.build,
        "envoys": said.envoys,
        "reported": said.reported,
        "in_flight": said.in_flight if said.HasField("in_flight") else None,
        "reasons": list(said.reasons),
    }


def _percentiles(said: pb.Percentiles) -> Data | None:
    if not said.count:
        return None
    parts = {name: _rounded(getattr(said, name)) for name in ("mean", "p50", "p90", "p95", "p99", "error")}
    return {"count": said.count, **parts}


def _point(said: pb.MetricsPoint) -> Data:
    return {
        "at": said.at.ToJsonString(),
        "requests": said.requests,
        "failures": said.failures,
        "rate": _rounded(said.rate),
        "error_rate": _rounded(said.error_rate),
        "success_rate": said.success_rate if said.HasField("success_rate") else None,
        "p50": _rounded(said.p50),
        "p99": _rounded(said.p99),
        "in_flight": said.in_flight,
    }


def _rounded(value: float) -> float:
    """To a millionth: sums of floats have tails nobody reads."""
    return round(value, 6)
