"""What is measured, as messages."""

from xds.admin.messages import timestamp
from xds.control.draining import Drain
from xds.control.metrics import Report, Row
from xds.stubs import canary_admin_v1_pb2 as admin
from xds.telemetry.records import Latency, Point


def metrics(report: Report) -> admin.Metrics:
    """How a deployment's versions do."""
    return admin.Metrics(
        name=report.revision.deployment,
        revision=report.revision.number,
        at=timestamp(report.at),
        versions=map(_version, report.rows),
        envoys=report.envoys,
        silent=report.silent,
        problems=report.problems,
    )


def drain(said: Drain) -> admin.Drain:
    """How far a version is from being stopped."""
    return admin.Drain(
        state=said.state.name,
        build=said.build,
        envoys=said.envoys,
        reported=said.reported,
        in_flight=said.in_flight,
        reasons=said.reasons,
    )


def _version(row: Row) -> admin.VersionMetrics:
    summary, counts = row.summary, row.summary.counts
    return admin.VersionMetrics(
        version=row.label,
        build=row.build,
        gateway=row.gateway,
        weight=row.weight,
        effective_weight=row.effective,
        seconds=summary.seconds,
        requests=counts.requests,
        rate=summary.rate,
        error_rate=summary.error_rate,
        success_rate=summary.success_rate,
        statuses=counts.statuses,
        grpc=counts.grpc,
        failures=counts.failures,
        timeouts=counts.timeouts,
        retries=counts.retries,
        resets=counts.resets,
        resets_after_first_byte=counts.resets_after_first_byte,
        connect_failures=counts.connect_failures,
        overflows=counts.overflows,
        mirrored=counts.mirrored,
        latency=_percentiles(summary.latency),
        first_byte=_percentiles(summary.first_byte),
        in_flight=summary.in_flight,
        revisions=summary.revisions,
        envoys=summary.envoys,
        source=summary.source,
        measures=summary.measures,
        points=map(_point, row.points),
    )


def _percentiles(said: Latency) -> admin.Percentiles | None:
    if not said.count:
        return None
    return admin.Percentiles(
        count=said.count,
        mean=said.mean,
        p50=said.p50,
        p90=said.p90,
        p95=said.p95,
        p99=said.p99,
        error=said.error,
    )


def _point(said: Point) -> admin.MetricsPoint:
    return admin.MetricsPoint(
        at=timestamp(said.at),
        seconds=said.seconds,
        requests=said.counts.requests,
        failures=said.counts.failures,
        rate=said.rate,
        error_rate=said.error_rate,
        success_rate=said.success_rate,
        p50=said.latency.p50,
        p99=said.latency.p99,
        in_flight=said.in_flight,
    )
