"""Lines, looked up when one is asked for.

Most files have nothing wrong with them, and thousands of them would keep every line of every key in
memory for nothing. So a text is parsed once more when the first of its lines is needed.
"""

import contextlib
import functools
from collections.abc import Callable

import yaml

from xds.spec.findings import Path
from xds.spec.nodes import Node
from xds.spec.tree import BrokenError, Tree


class Lines:
    """The lines of the documents of one text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def of(self, index: int, begins_at: int) -> Callable[[Path], int]:
        """How to find the line of a path.

        Args:
            index: which document of the text it is about.
            begins_at: the line the document begins in.
        """

        def line_of(path: Path) -> int:
            nodes = _nodes_of(self._text) if path else ()
            return nodes[index].line_of(path) if index < len(nodes) else begins_at

        return line_of


@functools.lru_cache(maxsize=16)
def _nodes_of(text: str) -> tuple[Node, ...]:
    """Kept while a text is read: what is wrong with it asks for many lines, or for none."""
    nodes: list[Node] = []
    with contextlib.suppress(BrokenError, yaml.YAMLError, UnicodeError):
        nodes.extend(Tree(text).documents())
    return tuple(nodes)
