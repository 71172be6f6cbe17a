"""Everything that can be wrong with deployment files, and the exact sentences that say so."""

import pytest

from tests.spec.file_tables import table
from xds.spec.read import read

BAD = table("bad_files.txt")


def faults_of(*sources: tuple[str, str]) -> list[str]:
    """What `read` finds wrong, as people see it."""
    return [str(fault) for fault in read(sources).faults]


@pytest.mark.parametrize("kind", BAD)
def test_every_fault_is_said_exactly(kind: str) -> None:
    """All faults of a file at once, each with line, path, what is wrong, and the mend."""
    text, expected = BAD[kind]
    assert faults_of(("a.yaml", text)) == expected


@pytest.mark.parametrize("kind", BAD)
def test_a_document_with_a_fault_is_not_given_out(kind: str) -> None:
    """Nobody can apply half a document: these files come to nothing, but for what is fine in them."""
    documents = read([("a.yaml", BAD[kind][0])]).documents
    assert [document.line for document in documents] == ([1] if kind == "second document" else [])


def test_a_character_that_is_none() -> None:
    """Control characters are refused, with their line."""
    assert faults_of(("a.yaml", "name: chat\nbento: \x07\n")) == [
        "a.yaml:2: has a character that text has not: control characters are not allowed"
    ]


def test_half_a_surrogate_pair() -> None:
    """Text that no file can hold is refused, with its line."""
    assert faults_of(("a.yaml", "name: chat\nbento: \ud800\n")) == [
        "a.yaml:2: has half of a surrogate pair, which is no character"
    ]


def test_a_name_that_is_too_long() -> None:
    """A name has to fit into a host name, and a message fits into a line."""
    assert faults_of(("a.yaml", f"name: {'a' * 64}\n")) == [
        f"a.yaml:1: name: '{'a' * 57}...' is longer than 63 characters"
    ]


@pytest.mark.parametrize("file", ["a.yaml", "a.json"])
def test_a_file_that_is_nested_too_deeply(file: str) -> None:
    """Depth is bounded, in YAML and in JSON."""
    text = '{"name": "chat",\n"services": ' + "[" * 200 + "]" * 200 + "}"
    assert faults_of((file, text)) == [f"{file}:2: is nested more than 60 levels deep"]


def test_broken_json_is_called_json() -> None:
    """A .json file's author is not told about YAML."""
    assert faults_of(("a.json", '{"name": "chat",\n "hosts": [}\n')) == [
        "a.json:2: the JSON is broken: did not find expected node content"
    ]


def test_faults_in_json_have_lines() -> None:
    """A JSON file is read on another road than YAML, and its faults have lines too."""
    text = '{\n"name": "chat \\ud83d\\ude00",\n"canary": {\n "versions": {\n  "a": {"weight": 101}}}\n}\n'
    assert faults_of(("a.json", text)) == [
        "a.json:2: name: 'chat 😀' may only have lower-case letters, digits and inner dashes (write chat)",
        "a.json:5: canary.versions.a.weight: 101 is not between 0 and 100",
    ]


def test_a_key_twice_in_json() -> None:
    """JSON's silent last-one-wins is refused as well."""
    assert faults_of(("a.json", '{"name": "chat",\n"name": "talk"}')) == [
        "a.json:2: name: stands here a second time, after line 1 (keep one of them)"
    ]


def test_one_name_in_two_files() -> None:
    """The fault stands at the later one and names the earlier."""
    assert faults_of(("a.yaml", "bento: chat:1\nname: chat\n"), ("b.yaml", "\n\nname: chat\n")) == [
        "b.yaml:3: name: chat is also the deployment of a.yaml:1 (rename one of them)"
    ]


def test_one_tag_in_two_files_with_other_endpoints() -> None:
    """A build runs in one set of places; the fault names both files."""
    by_tag = "endpoints:\n  'chat:1': ['10.0.0.1:3000', '10.0.0.2:3000']\n"
    deployment = "name: chat\nbento: chat:1\nendpoints: ['10.0.0.1:3000']\n"
    (fault,) = faults_of(("a.yaml", by_tag), ("b.yaml", deployment))
    assert fault == (
        "b.yaml:3: endpoints: the endpoints of chat:1 are also given in a.yaml:2, and differ"
        " (give them in one place)"
    )


def test_all_files_are_judged_at_once() -> None:
    """A broken file does not hide what is wrong with the next; faults are sorted by file and line."""
    sources = [("c.yaml", "name: C\n"), ("a.yaml", "name: [\n"), ("b.yaml", "name: b\npath_prefix: x\n")]
    assert [(fault.file, fault.line) for fault in read(sources).faults] == [
        ("a.yaml", 1),
        ("b.yaml", 2),
        ("c.yaml", 1),
    ]


def test_broken_files_are_known() -> None:
    """Whoever applies files can leave a broken one alone as a whole."""
    reading = read([("a.yaml", "name: a\n---\nname: A\n"), ("b.yaml", "name: b\n")])
    assert reading.broken_files == {"a.yaml"}
