"""Sizes: what people write, and what is written back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xds.spec.sizes import parse_size, write_size


@pytest.mark.parametrize(
    ("said", "size"),
    [(65536, 65536), ("65536", 65536), ("64KiB", 65536), ("16 MiB", 16 << 20), (" 1GiB ", 1 << 30)],
)
def test_sizes_are_bytes(said: object, size: int) -> None:
    """Alone, or with a unit."""
    assert parse_size(said) == size


@given(st.integers(1024, 1024**3))
def test_a_written_size_reads_back_the_same(size: int) -> None:
    """In whatever unit."""
    assert parse_size(write_size(size)) == size


@pytest.mark.parametrize("said", ["16MB", "1.5MiB", "-1", -1, 0, 1023, "2GiB", True, None, 1e6, [1]])
def test_other_things_are_refused(said: object) -> None:
    """With the value in the message."""
    with pytest.raises(ValueError, match=r"is no size|is not between"):
        parse_size(said)
