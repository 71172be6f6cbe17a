"""Messages of Envoy's metrics service, as Envoy writes them with our bootstrap."""

from collections.abc import Mapping, Sequence

from xds.stubs import envoy_service_metrics_v3_pb2 as metrics_v3
from xds.stubs import io_prometheus_client_pb2 as prometheus
from xds.translate.bootstrap import BUCKETS

Labels = Mapping[str, str]


class Message:
    """One message; every method returns it, so that calls can be chained."""

    def __init__(self, at: int = 1_000, node: str | None = None, cluster: str = "default") -> None:
        """Begin one.

        Args:
            at: Envoy's time of it, in milliseconds.
            node: whose it is, for a stream's first.
            cluster: `node.cluster`.
        """
        self._at = at
        self._message = metrics_v3.StreamMetricsMessage()
        if node is not None:
            self._message.identifier.node.id = node
            self._message.identifier.node.cluster = cluster

    def counter(self, name: str, value: float, **labels: str) -> "Message":
        """What was counted since the last one."""
        self._metric(name, prometheus.COUNTER, labels).counter.value = value
        return self

    def gauge(self, name: str, value: float, **labels: str) -> "Message":
        """How it is."""
        self._metric(name, prometheus.GAUGE, labels).gauge.value = value
        return self

    def histogram(
        self, name: str, values: Sequence[float], labels: Labels, bounds: Sequence[float] = BUCKETS
    ) -> "Message":
        """What was measured since the last one, in milliseconds."""
        histogram = self._metric(name, prometheus.HISTOGRAM, labels).histogram
        histogram.sample_count = len(values)
        histogram.sample_sum = sum(values)
        for bound in bounds:
            below = sum(value < bound for value in values)
            histogram.bucket.add(upper_bound=bound, cumulative_count=below)
        return self

    def requests(self, cluster: str, times: Sequence[float] = (), **classes: int) -> "Message":
        """Requests by class (`ok=10, failed=1`), and how many milliseconds some took."""
        for name, digit in (("ok", "2"), ("refused", "4"), ("failed", "5")):
            if name in classes:
                labels = {"envoy.response_code_class": digit, "envoy.cluster_name": cluster}
                self.counter("cluster.upstream_rq_xx", classes[name], **labels)
        return self.histogram("cluster.upstream_rq_time", times, {"envoy.cluster_name": cluster})

    def active(self, cluster: str, count: int) -> "Message":
        """Requests in flight."""
        return self.gauge("cluster.upstream_rq_active", count, **{"envoy.cluster_name": cluster})

    def members(self, cluster: str, healthy: int, total: int) -> "Message":
        """Endpoints."""
        labels = {"envoy.cluster_name": cluster}
        self.gauge("cluster.membership_healthy", healthy, **labels)
        return self.gauge("cluster.membership_total", total, **labels)

    def raw(self) -> bytes:
        """The bytes of it."""
        return self._message.SerializeToString()

    def _metric(self, name: str, type_: prometheus.MetricType, labels: Labels) -> prometheus.Metric:
        families = self._message.envoy_metrics
        family = next((each for each in families if each.name == name), None)
        if family is None:
            family = families.add(name=name, type=type_)
        pairs = [prometheus.LabelPair(name=name, value=value) for name, value in labels.items()]
        return family.metric.add(label=pairs, timestamp_ms=self._at)
