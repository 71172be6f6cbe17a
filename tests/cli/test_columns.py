"""Tables on a narrow terminal: names stay whole, lists and texts are wrapped, and nothing is lost."""

from hypothesis import given
from hypothesis import strategies as st

from xds.cli.columns import Column, fitted

SPLIT = Column("SPLIT", ["main 79.5 %, a 20 %, b 0.5 %", "main 100 %"])


def test_what_fits_is_left_alone() -> None:
    """Each column as wide as its widest cell."""
    assert fitted([SPLIT, Column("NAME", ["x"])], 80) == [28, 4]


def test_a_list_is_wrapped_between_its_items() -> None:
    """As many on a line as fit."""
    assert SPLIT.least == len("main 79.5 %,")
    assert SPLIT.wrapped(0, 20).splitlines() == ["main 79.5 %, a 20 %,", "b 0.5 %"]


def test_what_is_short_is_not_wrapped() -> None:
    """Moments, numbers with a unit."""
    moment = Column("WHEN", ["2026-11-22 10:03:05Z"])
    assert moment.least == moment.most


def test_a_name_is_never_broken() -> None:
    """However long."""
    name = Column("BUILD", ["a-model-with-a-very-long-name:t226"])
    assert fitted([name, SPLIT], 10)[0] == name.most


@given(
    st.lists(st.lists(st.text("ab ,", max_size=40), min_size=1, max_size=5), min_size=1), st.integers(0, 99)
)
def test_there_is_room_or_every_column_is_as_narrow_as_it_can_be(cells: list[list[str]], room: int) -> None:
    """Never wider than it takes, never narrower than its longest part."""
    columns = [Column("C", given) for given in cells]

    widths = fitted(columns, room)

    assert all(each.least <= width <= each.most for each, width in zip(columns, widths, strict=True))
    assert sum(widths) <= max(room, sum(each.least for each in columns))
