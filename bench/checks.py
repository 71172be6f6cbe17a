"""Whether the servers did the same work: what each peer sends beside what ours sends."""

from collections.abc import Iterator

from bench.figures import Results
from bench.plan import Cell
from bench.servers import CANNED, FLOOR, GO, OURS

TOLERANCE = 0.02
FRAMES = 80
"""Bytes of HTTP/2's own frames that come or don't: pings, windows."""
LONGER_VERSIONS = 48
"""go-control-plane gives each resource a version of 64 characters; ours have 16."""
SENT = {"a": "to a stream bytes", "b": "to a stream bytes", "g": "to a stream bytes"}


def wrong(results: Results, cell: Cell) -> Iterator[str]:
    """A note for every peer that sends more or less than it should."""
    for work, what in SENT.items():
        at = cell.only(work)
        mine = results.find(at, what, OURS)
        if not at.works or mine is None:
            continue
        for peer in (FLOOR, CANNED, GO):
            theirs = results.find(at, what, peer)
            expected = mine.median
            if peer == GO and cell.dialect == "delta":
                resources = results.find(at, "resources count", OURS)
                expected += LONGER_VERSIONS * (resources.median if resources else 1)
            if theirs and abs(theirs.median - expected) > max(FRAMES, TOLERANCE * expected):
                yield (
                    f"({work}) {cell.title}: {peer} sends a stream {theirs.median:,.0f} bytes,"
                    f" {expected:,.0f} were expected"
                )
