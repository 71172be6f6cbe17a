"""Metrics as people read them: `12.5/s`, `99.5 %`, `340 ms`, and a line of bars."""

from collections.abc import Iterator, Sequence

from xds.cli.shapes import number
from xds.stubs import canary_admin_v1_pb2 as pb

COLUMNS = (
    "VERSION",
    "GATEWAY",
    "RATE",
    "SUCCESS",
    "ERRORS/s",
    "P50",
    "P90",
    "P99",
    "TTFB P50",
    "TTFB P99",
    "IN FLIGHT",
    "TREND",
    "ERRORS TREND",
)
MORE = (
    "BUILD",
    "WEIGHT",
    "REQUESTS",
    "STATUSES",
    "TIMEOUTS",
    "RETRIES",
    "RESETS",
    "CUT OFF",
    "MIRRORED",
    "ENVOYS",
    "MEASURED",
)
"""What -o wide has besides."""

_BARS = "\N{LOWER ONE EIGHTH BLOCK}\N{LOWER ONE QUARTER BLOCK}\N{LOWER THREE EIGHTHS BLOCK}"
_BARS += "\N{LOWER HALF BLOCK}\N{LOWER FIVE EIGHTHS BLOCK}\N{LOWER THREE QUARTERS BLOCK}"
_BARS += "\N{LOWER SEVEN EIGHTHS BLOCK}\N{FULL BLOCK}"
_NOTHING = "\N{MIDDLE DOT}"
_UNKNOWN = "-"
_MILLISECOND = 0.001
_LONG = 10.0
_EXACT = 100


def row(said: pb.VersionMetrics) -> list[str]:
    """A version's cells, in the order of `COLUMNS` and `MORE`."""
    nobody = not said.seconds and not said.requests
    weights = [percent(said.weight), percent(said.effective_weight)]
    return [
        said.version,
        said.gateway,
        _UNKNOWN if nobody else f"{rate(said.rate)}/s",
        success(said),
        _UNKNOWN if nobody else rate(said.error_rate),
        *(_latency(said.latency, share) for share in ("p50", "p90", "p99")),
        *(_latency(said.first_byte, share, none="") for share in ("p50", "p99")),
        str(said.in_flight) if said.HasField("in_flight") else _UNKNOWN,
        "" if nobody else bars([point.rate for point in said.points]),
        bars([point.error_rate for point in said.points]) if said.failures else "",
        said.build,
        weights[0] if weights[0] == weights[1] else f"{weights[0]} (now {weights[1]})",
        str(said.requests),
        " ".join(f"{status} {count}" for status, count in _statuses(said)),
        *(str(count) for count in (said.timeouts, said.retries, said.resets, said.resets_after_first_byte)),
        str(said.mirrored),
        str(said.envoys),
        " ".join(f"{name} {value:.4g}" for name, value in sorted(said.measures.items())),
    ]


def silence(found: pb.Metrics) -> Iterator[str]:
    """Why there is nothing to show, or not all."""
    if not found.envoys:
        yield "no Envoy is connected (`canary fleet` shows who is)"
    elif len(found.silent) == found.envoys:
        yield "no Envoy reports metrics: bootstrap without metrics? (`canary bootstrap` writes one with them)"
    elif found.silent:
        yield f"no metrics from {', '.join(found.silent)}: bootstrap without metrics?"


def summary(said: pb.VersionMetrics) -> tuple[str, str]:
    """Rate and errors of a version, for a column each of `canary status`; "" where nobody knows."""
    if not said.seconds and not said.requests:
        return "", ""
    return f"{rate(said.rate)}/s", f"{rate(said.error_rate)}/s"


def success(said: pb.VersionMetrics) -> str:
    """`99.95 %`; never rounded up to 100."""
    if not said.HasField("success_rate"):
        return _UNKNOWN
    rounded = min(round(said.success_rate * 100, 2), 100.0 if said.success_rate == 1 else 99.99)
    return percent(rounded)


def percent(value: float) -> str:
    """`12.5 %`."""
    return f"{number(value)} %"


def rate(value: float) -> str:
    """`0`, `0.02`, `12.5`, `1200`."""
    return f"{value:.0f}" if value >= _EXACT else f"{value:.3g}"


def time(seconds: float) -> str:
    """`0.8 ms`, `340 ms`, `2.5 s`, `75 s`."""
    if seconds < 1:
        return f"{seconds / _MILLISECOND:.3g} ms"
    return f"{seconds:.2g} s" if seconds < _LONG else f"{seconds:.0f} s"


def bars(values: Sequence[float]) -> str:
    """A line of bars, the highest for the most there was; a dot for nothing."""
    most = max(values, default=0.0)
    return "".join(
        _NOTHING if value <= 0 else _BARS[min(int(value / most * len(_BARS)), len(_BARS) - 1)]
        for value in values
    )


def _latency(said: pb.Percentiles, share: str, none: str = _UNKNOWN) -> str:
    return time(getattr(said, share)) if said.count else none


def _statuses(said: pb.VersionMetrics) -> Iterator[tuple[str, int]]:
    yield from sorted(said.statuses.items())
    for status, count in sorted(said.grpc.items(), key=lambda each: int(each[0])):
        yield f"grpc {status}", count
