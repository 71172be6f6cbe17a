"""What a stream was sent, as the load client writes it down: time (ns), size, message; little-endian."""

import struct
from collections.abc import Iterator
from pathlib import Path

_HEAD = struct.Struct("<qI")


def read(path: Path) -> Iterator[tuple[int, bytes]]:
    """The messages with their times."""
    raw = path.read_bytes()
    at = 0
    while at < len(raw):
        when, size = _HEAD.unpack_from(raw, at)
        at += _HEAD.size
        yield when, raw[at : at + size]
        at += size
