"""Tables of deployment files and of what is said about them, kept as text that reads as it is."""

from pathlib import Path


def table(name: str) -> dict[str, tuple[str, list[str]]]:
    """By case: the file's text, and what is said about it when its name is a.yaml."""
    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    cases = {}
    for case in text.split("\n=== ")[1:]:
        what, _, rest = case.partition("\n")
        file, _, said = rest.partition("\n=>\n")
        cases[what] = (f"{file}\n", [f"a.yaml:{each}" for each in said.split("\n") if each])
    return cases
