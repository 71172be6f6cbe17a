"""What a series saw in one stretch of time; open while that goes on, and a few bytes once it is over.

Packed, a window is a version, then whole numbers of variable length: the most requests in flight, then
three times pairs of a place and its number (counts, times, times to the first byte), those that are
zero left out. A busy window takes 100 to 200 bytes; an hour of 5 s and a day of minutes 0.4 MB.
"""

import dataclasses
import operator
from collections.abc import Iterable, Iterator

from xds.telemetry.buckets import BUCKETS
from xds.telemetry.message import COUNTERS, Measured, Sample

_VERSION = 2
_FAILURES = COUNTERS.index("failures")
_SEVEN = 0x7F
_MORE = 0x80


@dataclasses.dataclass(slots=True)
class Histogram:
    """Counts by bucket, and the milliseconds they add up to."""

    counts: list[int] = dataclasses.field(default_factory=lambda: [0] * BUCKETS)
    total: float = 0.0

    def take(self, measured: Measured) -> None:
        """Count what an Envoy measured."""
        counts = self.counts
        for place, count in enumerate(measured.counts, measured.first):
            counts[place] += count
        self.total += measured.total

    def add(self, other: "Histogram") -> None:
        """Take in another."""
        self.counts = list(map(operator.add, self.counts, other.counts))
        self.total += other.total

    def rise_to(self, other: "Histogram") -> None:
        """Be nowhere less than another."""
        self.counts = list(map(max, self.counts, other.counts))
        self.total = max(self.total, other.total)


@dataclasses.dataclass(slots=True)
class Window:
    """Counts by their place in `COUNTERS`, two histograms, and the most requests there were at a time."""

    counts: list[int] = dataclasses.field(default_factory=lambda: [0] * len(COUNTERS))
    time: Histogram = dataclasses.field(default_factory=Histogram)
    first_byte: Histogram = dataclasses.field(default_factory=Histogram)
    active: int = 0

    def take(self, sample: Sample) -> None:
        """Count what an Envoy reports."""
        for place, value in sample.counts:
            self.counts[place] += value
        self.counts[_FAILURES] += sample.failures
        if sample.time is not None:
            self.time.take(sample.time)
        if sample.first_byte is not None:
            self.first_byte.take(sample.first_byte)

    def add(self, other: "Window") -> None:
        """Take in another stretch of time, or another series' at the same."""
        self.counts = list(map(operator.add, self.counts, other.counts))
        self.time.add(other.time)
        self.first_byte.add(other.first_byte)
        self.active = max(self.active, other.active)

    def rise_to(self, other: "Window") -> None:
        """Be nowhere less than another."""
        self.counts = list(map(max, self.counts, other.counts))
        self.time.rise_to(other.time)
        self.first_byte.rise_to(other.first_byte)
        self.active = max(self.active, other.active)


def pack(window: Window) -> bytes:
    """The bytes of a window."""
    out = bytearray((_VERSION,))
    _write(out, window.active)
    _write_pairs(out, window.counts)
    for measured in (window.time, window.first_byte):
        _write(out, round(measured.total))
        _write_pairs(out, measured.counts)
    return bytes(out)


def unpack(raw: bytes) -> Window:
    """The window of some bytes; an empty one where another version wrote them, or something else."""
    window = Window()
    if raw[:1] != bytes((_VERSION,)):
        return window
    numbers = _read(raw[1:])
    try:
        window.active = next(numbers)
        _read_pairs(numbers, window.counts)
        for measured in (window.time, window.first_byte):
            measured.total = next(numbers)
            _read_pairs(numbers, measured.counts)
    except (StopIteration, IndexError):
        return Window()
    return window


def _write_pairs(out: bytearray, values: Iterable[int]) -> None:
    pairs = [(place, value) for place, value in enumerate(values) if value]
    _write(out, len(pairs))
    for place, value in pairs:
        _write(out, place)
        _write(out, value)


def _read_pairs(numbers: Iterator[int], into: list[int]) -> None:
    for _ in range(next(numbers)):
        place = next(numbers)
        into[place] = next(numbers)


def _write(out: bytearray, value: int) -> None:
    """Signed: what copies of requests are taken away from may be reported a flush later."""
    rest = value << 1 if value >= 0 else (-value << 1) - 1
    while rest > _SEVEN:
        out.append(rest & _SEVEN | _MORE)
        rest >>= 7
    out.append(rest)


def _read(raw: bytes) -> Iterator[int]:
    value = shift = 0
    for byte in raw:
        value |= (byte & _SEVEN) << shift
        shift += 7
        if not byte & _MORE:
            yield value >> 1 if not value & 1 else -((value + 1) >> 1)
            value = shift = 0
