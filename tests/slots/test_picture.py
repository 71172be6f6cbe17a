"""The picture in docs/splits.md is what the layout does."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.support.slot_histories import cumulative
from xds.slots.layout import lay_out, moved
from xds.slots.table import SLOTS, SlotTable

PAGE = Path(__file__).parents[2] / "docs" / "splits.md"
COLUMNS = 50
LETTERS = {"main": ".", "a": "a", "b": "b"}
STEPS: list[Mapping[str, int]] = [
    {"main": 8000, "a": 1000, "b": 1000},
    {"main": 7000, "a": 2000, "b": 1000},
    {"main": 6000, "a": 2000, "b": 2000},
]


def bar(table: SlotTable) -> str:
    """A letter for each 200 slots."""
    return "".join(LETTERS[table.owner(slot)] for slot in range(0, SLOTS, SLOTS // COLUMNS))


def picture() -> Iterator[str]:
    """The same changes, by us and by Envoy alone."""
    ours = cumulative(STEPS[0])
    alone = ours
    for number, step in enumerate(STEPS):
        after, anew = lay_out(step, ours), cumulative(step)
        change = ["", "a to 20 %", "b to 20 %"][number]
        yield f"{change:10} Canary       {bar(after)}  {_moved(ours, after)}".rstrip()
        yield f"{'':10} Envoy alone  {bar(anew)}  {_moved(alone, anew)}".rstrip()
        ours, alone = after, anew


def _moved(before: SlotTable, after: SlotTable) -> str:
    slots = moved(before, after)
    return f"{slots / 100:g} % move" if slots else ""


def test_the_picture_is_true() -> None:
    """Line by line."""
    assert "\n".join(picture()) in PAGE.read_text(encoding="utf-8")
