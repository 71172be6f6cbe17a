"""What goes on until somebody interrupts it ends well then."""

from collections.abc import Iterator

import pytest

from tests.cli.fake_admin import Run
from xds.client import Client

WATCHING = [
    ("watch", ("watch",)),
    ("watch", ("status", "summarization", "--watch")),
    ("watch_fleet", ("fleet", "--watch")),
]


@pytest.mark.parametrize(("stream", "args"), WATCHING)
def test_an_interruption_is_a_good_end(
    run: Run, monkeypatch: pytest.MonkeyPatch, stream: str, args: tuple[str, ...]
) -> None:
    """Exit 0, and not a word."""

    def interrupted(*_: object) -> Iterator[object]:
        raise KeyboardInterrupt

    monkeypatch.setattr(Client, stream, interrupted)

    result = run(*args)

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
