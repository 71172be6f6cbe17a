"""What is asked about versions, and what is answered. Times are epoch seconds, durations seconds."""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """Of what a summary is wanted; None: of all of them together.

    Attributes:
        build: the build's key (`v2` of the cluster `summarization_v2`), whatever its label is or was.
        revision: the revision in force when the numbers came in.
    """

    deployment: str
    build: str | None = None
    gateway: str | None = None
    revision: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Latency:
    """How long something took, of merged histograms.

    Attributes:
        count: how many were measured.
        mean: 0.0 where none was.
        p50: interpolated inside Envoy's buckets, as the others; 0.0 where nothing was measured.
        error: by how much a percentile may be off, relative to the true one (0.25: 25 %). A millisecond
            may come on top: Envoy measures in whole ones.
    """

    count: int = 0
    mean: float = 0.0
    p50: float = 0.0
    p90: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    error: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True)
class Counts:
    """What was counted in some time. Copies of requests (mirroring) are in `mirrored` and nowhere else.

    Attributes:
        requests: answers that began, by whomever: `statuses` summed up.
        statuses: by class (`2xx`); only classes that occurred.
        grpc: by status number (`14`) of calls that were gRPC; their HTTP status counts above as well.
        failures: 5xx, and gRPC calls that ended with a status the server is to blame for.
        timeouts: requests given up because the version took too long (also each try's).
        retries: tries beyond the first.
        resets: tries that the version, or its connection, broke off.
        resets_after_first_byte: answers broken off when a part of them was already on its way.
        connect_failures: connections that could not be made (or not in time).
        overflows: requests turned down by a circuit breaker.
        mirrored: copies of requests that were answered; their answers were thrown away.
    """

    requests: int = 0
    statuses: Mapping[str, int] = dataclasses.field(default_factory=dict)
    grpc: Mapping[str, int] = dataclasses.field(default_factory=dict)
    failures: int = 0
    timeouts: int = 0
    retries: int = 0
    resets: int = 0
    resets_after_first_byte: int = 0
    connect_failures: int = 0
    overflows: int = 0
    mirrored: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Summary:
    """A scope over a span.

    Attributes:
        begins: from when on it counts; windows are counted whole.
        ends: until when.
        seconds: the time that the Envoys' reports cover; what rates are of. 0.0: nobody reported.
        counts: see there.
        rate: requests a second.
        error_rate: failures a second.
        success_rate: 0.0 to 1.0; None where there was no request.
        latency: from the request's arrival at the version's cluster to its answer's last byte.
        first_byte: from the request's arrival to its answer's first byte, with its retries.
        in_flight: now; None where no Envoy that is alive says it.
        revisions: those the numbers are of, ascending.
        envoys: how many live Envoys report on the scope.
        source: who says so: `envoy`, `prometheus: http://...`.
        measures: what a source measures besides, by name: `time_to_first_token_p99` (seconds),
            `queue_length`.
    """

    scope: Scope
    begins: float
    ends: float
    seconds: float = 0.0
    counts: Counts = Counts()
    rate: float = 0.0
    error_rate: float = 0.0
    success_rate: float | None = None
    latency: Latency = Latency()
    first_byte: Latency = Latency()
    in_flight: int | None = None
    revisions: tuple[int, ...] = ()
    envoys: int = 0
    source: str = "envoy"
    measures: Mapping[str, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    """One step of a series.

    Attributes:
        at: when the step begins.
        in_flight: the most there were at a time.
    """

    at: float
    seconds: float
    counts: Counts
    rate: float
    error_rate: float
    success_rate: float | None
    latency: Latency
    first_byte: Latency
    in_flight: int


@dataclasses.dataclass(frozen=True, slots=True)
class Reporter:
    """An Envoy that reports, or did a short while ago.

    Attributes:
        first: when it was first heard.
        last: when it was heard last.
        interval: seconds between its last two reports.
        connected: whether its stream is open.
        reported: whether it said anything on it.
        live: whether it was heard lately: less than three intervals ago.
    """

    node: str
    gateway: str
    first: float
    last: float
    interval: float
    connected: bool
    reported: bool
    live: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Intake:
    """What came in since the start, of all Envoys. All of them only grow.

    Attributes:
        messages: reports taken in.
        bytes: their size.
        samples: numbers in them that were of our clusters.
        replayed: reports thrown away for being older than one before.
        garbage: messages that are no report, and streams that began without saying whose they are.
        foreign: clusters' reports about no build of ours.
        unbucketed: histograms left out, for bounds that are not ours (another bootstrap's).
        crowded: reports about a series beyond the most that are kept.
    """

    messages: int = 0
    bytes: int = 0
    samples: int = 0
    replayed: int = 0
    garbage: int = 0
    foreign: int = 0
    unbucketed: int = 0
    crowded: int = 0
