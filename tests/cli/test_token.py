"""`canary token`: shown once, kept as a hash."""

from pathlib import Path

import pytest

from tests.cli.fake_admin import Run
from xds.spec.tokens import read_tokens, sha256_of


def test_the_token_goes_to_stdout_and_its_line_to_stderr(run: Run) -> None:
    """The line has the hash, and not the token."""
    result = run("token", "ci", "--expires", "2030-01-31")

    token = result.stdout.strip()
    ((entry,), faults) = read_tokens("f", result.stderr)
    assert faults == ()
    assert (entry.name, entry.sha256, str(entry.expires)) == (
        "ci",
        sha256_of(token),
        "2030-01-31 00:00:00+00:00",
    )
    assert token not in result.stderr


def test_each_is_another(run: Run) -> None:
    """256 bits of chance."""
    tokens = {run("token", "ci").stdout.strip() for _ in range(20)}

    assert len(tokens) == 20
    assert min(map(len, tokens)) == len("canary_") + 43


def test_its_line_can_be_appended(run: Run, tmp_path: Path) -> None:
    """Also to a file whose last line has no end; only its owner may read a new one."""
    file = tmp_path / "tokens.yaml"

    made = [run("token", "ci", "--append", str(file)).stdout.strip()]
    file.write_text(file.read_text().rstrip())
    result = run("token", "alice", "--append", str(file))
    made.append(result.stdout.strip())

    tokens, faults = read_tokens("f", file.read_text())
    assert (faults, result.stderr, file.stat().st_mode & 0o777) == ((), "", 0o600)
    assert [(token.name, token.sha256) for token in tokens] == [
        ("ci", sha256_of(made[0])),
        ("alice", sha256_of(made[1])),
    ]


@pytest.mark.parametrize("before", ["[]", "[]\n", ""])
def test_a_file_without_tokens_gets_its_first(run: Run, tmp_path: Path, before: str) -> None:
    """An empty list as well as an empty file."""
    file = tmp_path / "tokens.yaml"
    file.write_text(before)

    assert run("token", "ci", "--append", str(file)).exit_code == 0

    ((entry,), faults) = read_tokens("f", file.read_text())
    assert (entry.name, faults) == ("ci", ())


@pytest.mark.parametrize("before", ["name: ci", "- {name: ci}", "\xff"])
def test_a_file_that_would_be_wrong_with_it_stays(run: Run, tmp_path: Path, before: str) -> None:
    """The server would not take it; no token is made."""
    file = tmp_path / "tokens.yaml"
    file.write_bytes(before.encode("latin-1"))

    result = run("token", "ci", "--append", str(file))

    assert (result.exit_code, result.stdout) == (1, "")
    assert str(file) in result.stderr
    assert file.read_bytes() == before.encode("latin-1")


@pytest.mark.parametrize("arguments", [("a b",), ('a"b',), ("ci", "--expires", "soon"), ()])
def test_wrong_usage(run: Run, arguments: tuple[str, ...]) -> None:
    """Exit 2."""
    assert run("token", *arguments).exit_code == 2
