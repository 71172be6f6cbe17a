"""The Envoys of one gateway, by id, and those of their streams that are not at rest.

At rest is who acknowledged everything and refuses nothing: nearly everybody, nearly always. Whoever asks
how a gateway is doing is told of the others only. A stream says when it stirs, which costs no more than
a note, and is looked at when somebody asks: once, however often it stirred.
"""

import bisect
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from xds.discovery.stream import Stream


class Members:
    """Who is connected.

    Args:
        objects: whether a stream's peer refuses something besides what the stream itself knows of.
    """

    def __init__(self, objects: Callable[[Stream], bool]) -> None:
        self._objects = objects
        self._streams: dict[str, tuple[Stream, ...]] = {}
        self._ids: list[str] | None = []
        self._stirred: set[Stream] = set()
        self._behind: set[Stream] = set()
        self._behind_ids: Counter[str] = Counter()
        self._refusing: set[Stream] = set()
        self._open = 0

    def __len__(self) -> int:
        """How many Envoys."""
        return len(self._streams)

    @property
    def open(self) -> int:
        """How many streams."""
        return self._open

    @property
    def streams(self) -> Mapping[str, tuple[Stream, ...]]:
        """The streams of each Envoy, by its id: one, or several where each type has its own."""
        return self._streams

    def ids_after(self, id_: str | None) -> Sequence[str]:
        """The ids of the Envoys in order, from the one after this id on; None: all."""
        if self._ids is None:
            self._ids = sorted(self._streams)
        return self._ids[0 if id_ is None else bisect.bisect_right(self._ids, id_) :]

    def join(self, stream: Stream) -> None:
        """A stream was opened."""
        id_ = stream.node.id
        if id_ not in self._streams:
            self._ids = None
        self._streams[id_] = (*self._streams.get(id_, ()), stream)
        self._open += 1
        stream.stirs = self._stirred.add
        self._stirred.add(stream)

    def leave(self, stream: Stream) -> None:
        """It has ended."""
        id_ = stream.node.id
        rest = tuple(each for each in self._streams.pop(id_) if each is not stream)
        if rest:
            self._streams[id_] = rest
        else:
            self._ids = None
        self._open -= 1
        self._stirred.discard(stream)
        self._refusing.discard(stream)
        self._note_behind(stream, is_behind=False)

    def behind(self) -> Collection[str]:
        """The ids of the Envoys that did not acknowledge all that they are to have."""
        self._look()
        return self._behind_ids.keys()

    def refusing(self) -> Collection[Stream]:
        """The streams whose peers refuse something."""
        self._look()
        return self._refusing

    def outstanding(self) -> Iterator[Stream]:
        """The streams that are behind, or refuse something."""
        self._look()
        yield from self._behind
        yield from self._refusing - self._behind

    def _look(self) -> None:
        while self._stirred:
            stream = self._stirred.pop()
            self._note_behind(stream, is_behind=not stream.in_sync)
            refuses = next(stream.rejections(), None) is not None or self._objects(stream)
            (self._refusing.add if refuses else self._refusing.discard)(stream)

    def _note_behind(self, stream: Stream, *, is_behind: bool) -> None:
        if is_behind == (stream in self._behind):
            return
        (self._behind.add if is_behind else self._behind.discard)(stream)
        self._behind_ids[stream.node.id] += 1 if is_behind else -1
        if not self._behind_ids[stream.node.id]:
            del self._behind_ids[stream.node.id]
