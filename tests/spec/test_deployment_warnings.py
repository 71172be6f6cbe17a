"""What is worth a look and does no harm is a warning, and the document is given out all the same."""

import pytest

from tests.spec.file_tables import table
from xds.spec.read import read

WARNED = table("warned_files.txt")


@pytest.mark.parametrize("what", WARNED)
def test_it_is_a_warning(what: str) -> None:
    """The warning is exact, there is no fault, and the document is there."""
    text, expected = WARNED[what]
    reading = read([("a.yaml", text)])
    assert [str(warning) for warning in reading.warnings] == expected
    assert not reading.faults
    assert len(reading.documents) == 1


def test_an_empty_file_is_mentioned() -> None:
    """A file cut short to nothing does not go unnoticed."""
    assert list(map(str, read([("a.yaml", "# nothing yet\n")]).warnings)) == ["a.yaml: is empty"]


def test_strict_makes_unknown_keys_faults() -> None:
    """With `strict` a typing error stops the file."""
    reading = read([("a.yaml", "name: chat\nhots: [x]\n")], strict=True)
    assert list(map(str, reading.faults)) == ["a.yaml:2: hots: unknown key (did you mean hosts?)"]
    assert not reading.documents


def test_strict_leaves_other_warnings_alone() -> None:
    """What BentoML's files have is no typing error."""
    reading = read([("a.yaml", "name: chat\nenvs: []\n")], strict=True)
    assert not reading.faults
