"""A parsed value that remembers which line everything in it stands in."""

from typing import NamedTuple

from pydantic import JsonValue

from xds.spec.findings import Path


class Node(NamedTuple):
    """A value and where it came from.

    Attributes:
        value: what it says, as JSON would have it.
        line: where it begins; 1 for the first line.
        entries: of a mapping: each key's line, and its value's node.
        items: of a list: the nodes.
        size: how many values it holds, itself included, aliases expanded.
        height: how many levels it has below itself, aliases expanded.
    """

    value: JsonValue
    line: int
    entries: "dict[str, tuple[int, Node]] | None" = None
    items: "list[Node] | None" = None
    size: int = 1
    height: int = 0

    def line_of(self, path: Path) -> int:
        """The line of a key's or an item's beginning; as much of the path is followed as there is."""
        node, line = self, self.line
        for step in path:
            if node.entries is not None and isinstance(step, str) and step in node.entries:
                line, node = node.entries[step]
            elif node.items is not None and isinstance(step, int) and step < len(node.items):
                node = node.items[step]
                line = node.line
            else:
                break
        return line
