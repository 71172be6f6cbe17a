"""From the text of a file to its documents: YAML, or JSON on a faster road.

What is no YAML is a fault with a line; whatever the text, nothing is raised.
"""

import dataclasses
import json
import math
import re

import yaml
from pydantic import JsonValue

from xds.spec.faults import Fault
from xds.spec.findings import Findings
from xds.spec.lines import Lines
from xds.spec.tree import MAX_DEPTH, BrokenError, Tree


@dataclasses.dataclass(frozen=True)
class Part:
    """One document of a source.

    Attributes:
        value: what it says.
        line: where it begins.
        findings: what is wrong with it so far, and where to note the rest.
    """

    value: JsonValue
    line: int
    findings: Findings


def parts_of(file: str, text: str) -> tuple[list[Part], list[Fault]]:
    """The documents of a text, and what keeps the text from being read to its end (at most one fault)."""
    if text.lstrip()[:1] == "{":
        value = _json(text)
        if value is not None:
            line = text[: len(text) - len(text.lstrip())].count("\n") + 1
            # YAML has no surrogate pairs; for counting lines any character does.
            harmless = re.sub(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}", "?", text)
            return [Part(value, line, Findings(file, Lines(harmless).of(0, line)))], []
    return _yaml(file, text)


def _yaml(file: str, text: str) -> tuple[list[Part], list[Fault]]:
    parts: list[Part] = []
    lines = Lines(text)
    tree = Tree(text)
    try:
        for node in tree.documents():
            findings = Findings(file, lines.of(len(parts), node.line))
            for line, path, message, mend in tree.blemishes:
                findings.fault_at(line, path, message, mend)
            parts.append(Part(node.value, node.line, findings))
    except BrokenError as broken:
        return parts, [Fault(file, broken.line, "", broken.message)]
    except yaml.MarkedYAMLError as error:
        return parts, [_broken_yaml(file, text, error)]
    except yaml.reader.ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + 1
        return parts, [Fault(file, line, "", f"has a character that text has not: {error.reason}")]
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        return parts, [Fault(file, line, "", "has half of a surrogate pair, which is no character")]
    return parts, []


_MENDS = {
    "mapping values are not allowed in this context": "put values with a colon in them in quotes",
    "found character that cannot start any token": "indent with spaces, not tabs; quote a leading @ or %",
    "did not find expected key": "check the indentation, and put odd values in quotes",
    "did not find expected '-' indicator": "check the indentation of the list",
    "could not find expected ':'": "a key is followed by a colon and a space",
    "did not find expected ',' or '}'": "a comma or the closing } is missing",
    "did not find expected ',' or ']'": "a comma or the closing ] is missing",
    "found unexpected end of stream": "a closing quote is missing",
}


def _broken_yaml(file: str, text: str, error: yaml.MarkedYAMLError) -> Fault:
    mark = error.problem_mark or error.context_mark
    last = text.rstrip().count("\n")  # what is never closed is only missed after the end
    line = min(mark.line, last) + 1 if mark else 0
    problem = error.problem or "it can't be parsed"
    language = "JSON" if file.endswith(".json") else "YAML"
    return Fault(file, line, "", f"the {language} is broken: {problem}", _MENDS.get(problem, ""))


class _NotPlainError(ValueError):
    """JSON that is better read as YAML, which says what is wrong with it."""


def _json(text: str) -> JsonValue:
    """The value, or None where the text is no flawless JSON."""
    try:
        value: JsonValue = json.loads(
            text, object_pairs_hook=_each_key_once, parse_constant=str, parse_float=_finite
        )
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return None if _deeper_than(value, MAX_DEPTH) else value


def _each_key_once(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _NotPlainError
    return value


def _finite(text: str) -> JsonValue:
    value = float(text)
    return value if math.isfinite(value) else text


def _deeper_than(value: JsonValue, levels: int) -> bool:
    if isinstance(value, dict):
        return levels == 0 or any(_deeper_than(each, levels - 1) for each in value.values())
    if isinstance(value, list):
        return levels == 0 or any(_deeper_than(each, levels - 1) for each in value)
    return False
