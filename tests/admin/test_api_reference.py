"""docs/api.md says what the .proto file says."""

from protos.reference import TARGET, reference


def test_the_reference_is_as_it_would_be_written() -> None:
    """Nobody changed the one without the other (`python -m protos.reference` writes it)."""
    assert TARGET.read_text(encoding="utf-8") == reference()
