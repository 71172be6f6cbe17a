"""How few users move: what is necessary, what our layout moves, what Envoy alone would.

    python -m bench.slot_moves [--histories N] [--changes N]

Random histories of a deployment's shares; users moved are percent of all, per change. "Envoy alone" lists
every version once, in a fixed order.
"""

import argparse
import dataclasses
import random
from collections.abc import Iterable

from tests.support.slot_histories import (
    KINDS,
    MAIN,
    Kind,
    Shares,
    cumulative,
    necessary,
    random_steps,
    shares_after,
)
from xds.slots.layout import lay_out, moved
from xds.slots.table import SLOTS, SlotTable

HISTORIES: dict[str, tuple[tuple[Kind, ...], int]] = {
    "one canary raised or lowered, 0.01 %": (("raise", "swap"), 1),
    "versions raised, lowered, swapped, 5 %": (("raise", "swap"), 500),
    "anything, versions come and go": (KINDS, 5),
}
"""What happens, and in which steps (slots)."""


@dataclasses.dataclass
class Tally:
    """What came of many changes; slots."""

    changes: int = 0
    necessary: int = 0
    ours: int = 0
    alone: int = 0
    segments: int = 0
    most_segments: int = 0

    def add(self, history: Iterable[Shares]) -> None:
        """Lay one history out, both ways."""
        before, table = {MAIN: SLOTS}, SlotTable.whole(MAIN)
        for shares in history:
            after = lay_out(shares, table)
            self.changes += before != shares
            self.necessary += necessary(before, shares)
            self.ours += moved(table, after)
            self.alone += moved(cumulative(before), cumulative(shares))
            self.segments += len(after.segments)
            self.most_segments = max(self.most_segments, len(after.segments))
            before, table = shares, after

    def per_change(self, slots: int) -> str:
        """Percent of the users."""
        return f"{slots * 100 / SLOTS / max(1, self.changes):.4g}"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=200)
    parser.add_argument("--changes", type=int, default=100, help="in each history")
    asked = parser.parse_args()
    print(f"{asked.histories} histories of {asked.changes} changes; users moved per change, percent of all")
    print(f"{'history':42}{'canaries':>9}{'necessary':>11}{'ours':>8}{'Envoy alone':>13}", end="")
    print(f"{'segments mean':>15}{'most':>6}")
    for title, (kinds, finest) in HISTORIES.items():
        for canaries in (1, 2, 3, 6):
            tally = Tally()
            for seed in range(asked.histories):
                steps = random_steps(random.Random(seed), asked.changes, ("add", *kinds), finest)
                tally.add(shares_after(steps, canaries + 1))
            moves = (tally.necessary, tally.ours, tally.alone)
            needed, ours, alone = map(tally.per_change, moves)
            mean = tally.segments / (asked.histories * asked.changes)
            print(f"{title:42}{canaries:>9}{needed:>11}{ours:>8}{alone:>13}", end="")
            print(f"{mean:>15.1f}{tally.most_segments:>6}")


if __name__ == "__main__":
    main()
