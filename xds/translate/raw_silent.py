"""What Envoy refuses once and then says yes to, without taking it: refused here instead.

Of most clusters that it can't take Envoy says so every time it is sent them. One whose ring or table
can't be built it keeps warming for good; sent it once more, it acknowledges (measured on 1.40). Its
word would be taken, and routes to a cluster that is not there would go out.
"""

from collections.abc import Iterator

from google.protobuf.message import Message

from xds.stubs import envoy_config_cluster_v3_pb2 as cluster_v3
from xds.stubs import envoy_extensions_load_balancing_policies_maglev_v3_pb2 as maglev_v3
from xds.stubs import envoy_extensions_load_balancing_policies_ring_hash_v3_pb2 as ring_hash_v3
from xds.translate.raw_names import messages_in

_SMALLEST_RING, _LARGEST_RING, _TABLE = 1024, 8 * 1024 * 1024, 65_537
"""Envoy's defaults."""


def refused_in_silence(cluster: Message) -> Iterator[tuple[str, str]]:
    """What can't be built of a cluster, and how to mend it."""
    for part in messages_in(cluster):
        if isinstance(part, cluster_v3.Cluster.RingHashLbConfig | ring_hash_v3.RingHash):
            low = _value(part, "minimum_ring_size", _SMALLEST_RING)
            high = _value(part, "maximum_ring_size", _LARGEST_RING)
            if low > high:
                message = f"a ring of at least {low:,} and at most {high:,} entries can't be built"
                yield message, "write a minimum_ring_size that is not over the maximum_ring_size"
        elif isinstance(part, cluster_v3.Cluster.MaglevLbConfig | maglev_v3.Maglev):
            size = _value(part, "table_size", _TABLE)
            if not _is_prime(size):
                yield f"a table of {size:,} entries can't be built", "write a table_size that is prime"


def _value(part: Message, field: str, default: int) -> int:
    return int(getattr(part, field).value) if part.HasField(field) else default


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))
