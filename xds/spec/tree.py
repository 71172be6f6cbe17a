"""From YAML's events to values with lines, in one pass.

Why not `yaml.load`: keys that stand twice would silently win, `on:` would become a boolean, lines
would be lost, and a few hundred bytes of aliases could expand to gigabytes. Values that an alias
repeats are shared, never copied, and what they expand to is counted.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import yaml
from pydantic import JsonValue

from xds.spec.findings import Path
from xds.spec.nodes import Node
from xds.spec.scalars import KNOWN_TAGS, plain, tagged

MAX_DEPTH = 60
MAX_EXPANSION = 100_000
"""How many values the aliases of one document may stand for."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "<<"


class BrokenError(Exception):
    """The text can't be read any further."""

    def __init__(self, line: int, message: str) -> None:
        self.line, self.message = line, message
        super().__init__(message)


class Blemish(NamedTuple):
    """Something wrong that does not stop the reading."""

    line: int
    path: Path
    message: str
    mend: str = ""


class Tree:
    """Reads the documents of one text.

    Attributes:
        blemishes: what is wrong with the document read last.
    """

    def __init__(self, text: str) -> None:
        self.blemishes: list[Blemish] = []
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)
        self._path: list[str | int] = []
        self._anchors: dict[str, Node | None] = {}
        self._expanded = 0

    def documents(self) -> Iterator[Node]:
        """One node a document.

        Raises:
            BrokenError: nested too deeply, or aliases that expand too far or to themselves.
            yaml.YAMLError: the text is no YAML.
            UnicodeError: it has characters that can't be encoded.
        """
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self.blemishes, self._anchors, self._expanded = [], {}, 0
                yield self._node(next(self._events))

    def _node(self, event: yaml.Event) -> Node:
        line = _line_of(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(str(event.anchor), line)
        if isinstance(event, yaml.ScalarEvent):
            node = Node(self._scalar(event, line), line)
        elif isinstance(event, yaml.CollectionStartEvent):
            node = self._collection(event, line)
        else:
            raise BrokenError(line, "has no value where one belongs")
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _collection(self, event: yaml.CollectionStartEvent, line: int) -> Node:
        if len(self._path) >= MAX_DEPTH:
            raise BrokenError(line, f"is nested more than {MAX_DEPTH} levels deep")
        if event.tag is not None:
            self._check_tag(event.tag, line)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        return self._mapping(line) if isinstance(event, yaml.MappingStartEvent) else self._list(line)

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> JsonValue:
        if event.tag is None:
            return plain(event.value) if event.implicit[0] else event.value
        self._check_tag(event.tag, line)
        return tagged(event.value, event.tag)

    def _check_tag(self, tag: str, line: int) -> None:
        if tag not in KNOWN_TAGS and tag != "!":
            short = tag.replace("tag:yaml.org,2002:", "!!")
            self._blemish(line, f"the YAML tag {short} means nothing here", "leave it out")

    def _alias(self, anchor: str, line: int) -> Node:
        node = self._anchors.get(anchor)
        if node is None:
            why = "contains itself" if anchor in self._anchors else "has no anchor before it"
            raise BrokenError(line, f"the alias *{anchor} {why}")
        self._expanded += node.size
        if self._expanded > MAX_EXPANSION:
            raise BrokenError(line, f"its aliases stand for more than {MAX_EXPANSION:,} values")
        if len(self._path) + node.height > MAX_DEPTH:
            raise BrokenError(line, f"is nested more than {MAX_DEPTH} levels deep")
        return node

    def _list(self, line: int) -> Node:
        items: list[Node] = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            self._path.append(len(items))
            items.append(self._node(event))
            self._path.pop()
        return Node(
            [item.value for item in items],
            line,
            items=items,
            size=1 + sum(item.size for item in items),
            height=1 + max((item.height for item in items), default=0),
        )

    def _mapping(self, line: int) -> Node:
        own: dict[str, tuple[int, Node]] = {}
        merged: list[Node] = []
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key, at = self._key(event)
            self._path.append(key)
            node = self._node(next(self._events))
            if isinstance(event, yaml.ScalarEvent) and key == _MERGE and event.implicit[0]:
                merged.extend(self._to_merge(node, at))
            else:
                if key in own:
                    first = own[key][0]
                    self._blemish(at, f"stands here a second time, after line {first}", "keep one of them")
                own[key] = (at, node)
            self._path.pop()
        return _as_mapping(own, merged, line)

    def _key(self, event: yaml.Event) -> tuple[str, int]:
        """A key as it is written (`1` and `on` are text), and its line."""
        line = _line_of(event)
        if isinstance(event, yaml.ScalarEvent):
            return event.value, line
        node = self._node(event)
        if isinstance(node.value, str):
            return node.value, line
        self._blemish(line, "a key has to be text")
        return "?", line

    def _to_merge(self, node: Node, line: int) -> Sequence[Node]:
        nodes = [node] if node.items is None else node.items
        if any(each.entries is None for each in nodes):
            self._blemish(line, "only mappings can be merged")
        return [each for each in nodes if each.entries is not None]

    def _blemish(self, line: int, message: str, mend: str = "") -> None:
        self.blemishes.append(Blemish(line, tuple(self._path), message, mend))


def _line_of(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _as_mapping(own: dict[str, tuple[int, Node]], merged: Sequence[Node], line: int) -> Node:
    """A mapping of its own entries and, where it has none, of those merged into it; the first wins."""
    entries = own
    for other in merged:
        entries = {**(other.entries or {}), **entries}
    return Node(
        {key: node.value for key, (_, node) in entries.items()},
        line,
        entries=entries,
        size=1 + sum(node.size for _, node in entries.values()),
        height=1 + max((node.height for _, node in entries.values()), default=0),
    )
