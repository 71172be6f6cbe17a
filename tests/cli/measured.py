"""Metrics of `summarization`, as a server would answer."""

import datetime as dt

from xds.stubs import canary_admin_v1_pb2 as pb

AT = dt.datetime(2026, 11, 22, 10, 3, 5, tzinfo=dt.UTC)


def points(*rates: float, error_rate: float = 0.0) -> list[pb.MetricsPoint]:
    """Steps of 15 s."""
    made = []
    for number, rate in enumerate(rates):
        point = pb.MetricsPoint(
            seconds=15,
            requests=round(rate * 15),
            failures=round(error_rate * number * 15),
            rate=rate,
            error_rate=error_rate * number,
            success_rate=1.0 if rate else None,
            p50=0.04,
            p99=0.2,
            in_flight=number,
        )
        point.at.FromDatetime(AT + dt.timedelta(seconds=15 * (number - len(rates))))
        made.append(point)
    return made


def measured() -> pb.Metrics:
    """`main` is busy, `a` fails now and then and streams, nobody uses `b`; an Envoy says nothing."""
    main = pb.VersionMetrics(
        version="main",
        build="summarization:xq4d",
        weight=79.5,
        effective_weight=80,
        seconds=300,
        requests=37_500,
        rate=125,
        success_rate=1.0,
        statuses={"2xx": 37_400, "4xx": 100},
        latency=pb.Percentiles(count=37_500, mean=0.05, p50=0.04, p90=0.09, p95=0.12, p99=0.2, error=0.25),
        in_flight=6,
        revisions=[2, 3],
        envoys=1,
        source="envoy",
        points=points(100, 120, 0, 125),
    )
    a = pb.VersionMetrics(
        version="a",
        build="summarization:t226",
        weight=20,
        effective_weight=20,
        seconds=300,
        requests=9000,
        rate=30,
        error_rate=0.015,
        success_rate=0.9995,
        statuses={"2xx": 8996, "5xx": 4},
        grpc={"0": 10, "14": 1},
        failures=5,
        timeouts=1,
        retries=3,
        resets=2,
        resets_after_first_byte=1,
        mirrored=12,
        latency=pb.Percentiles(count=9000, mean=3, p50=2.5, p90=6, p95=8, p99=14, error=0.25),
        first_byte=pb.Percentiles(count=9000, mean=0.3, p50=0.25, p90=0.6, p95=0.8, p99=1.4, error=0.25),
        in_flight=90,
        revisions=[3],
        envoys=1,
        source="envoy",
        measures={"queue_length": 4, "time_to_first_token_p99": 0.734},
        points=points(10, 20, 30, 30, error_rate=0.01),
    )
    b = pb.VersionMetrics(version="b", build="summarization@b", weight=0.5, source="envoy")
    found = pb.Metrics(name="summarization", revision=3, versions=[main, a, b], envoys=2, silent=["edge-2"])
    found.at.FromDatetime(AT)
    return found
