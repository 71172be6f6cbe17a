"""Who is behind, and who refuses something: never different from what looking at every stream would show."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.talk import cluster
from xds.catalog.types import Type
from xds.discovery.answer import Answer
from xds.discovery.hub import Hub
from xds.discovery.request import Node, Request
from xds.discovery.stream import Stream

NAMES = ("a", "b")

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["open", "close", "put", "gone", "ask", "send", "take", "refuse", "look"]),
        st.integers(0, 3),
        st.integers(0, 2),
    ),
    max_size=60,
)


class Story:
    """Some Envoys, and what happens to them."""

    def __init__(self) -> None:
        self.hub = Hub(["g"])
        self.streams: list[Stream] = []
        self.unanswered: dict[Stream, list[Answer]] = {}

    def do(self, step: str, which: int, version: int) -> None:
        """One step; the number chooses a stream, or a name."""
        name = NAMES[which % len(NAMES)]
        if step == "open":
            self.streams.append(self.hub.open("g", Node(f"e{which}"), aggregated=bool(version)))
            self.unanswered[self.streams[-1]] = []
        elif step == "put":
            self.hub.commit("g", [cluster(name, str(version))])
        elif step == "gone":
            self.hub.commit("g", [], [(Type.CLUSTER, name)])
        elif step == "look":
            self.check()
        elif self.streams:
            self.talk(step, self.streams[which % len(self.streams)])

    def talk(self, step: str, stream: Stream) -> None:
        """Something happens on a stream."""
        if step == "close":
            self.streams.remove(stream)
            self.hub.close(stream)
        elif step == "ask":
            stream.receive(Request(Type.CLUSTER))
        elif step == "send":
            answer = stream.next_answer()
            self.unanswered[stream] += [answer] if answer is not None else []
        elif self.unanswered[stream]:
            answer = self.unanswered[stream].pop(0)
            error = "no" if step == "refuse" else None
            stream.receive(Request(answer.type, nonce=answer.nonce, error=error))

    def check(self) -> None:
        """What is told is what there is to see."""
        members = self.hub.members("g")
        behind = [stream for stream in self.streams if not stream.in_sync]
        refusing = [stream for stream in self.streams if any(stream.rejections())]
        assert set(members.behind()) == {stream.node.id for stream in behind}
        assert set(members.refusing()) == set(refusing)
        assert set(members.outstanding()) == {*behind, *refusing}
        assert len(members) == len({stream.node.id for stream in self.streams})
        assert members.open == len(self.streams)
        assert list(members.ids_after(None)) == sorted({stream.node.id for stream in self.streams})


@given(STEPS)
def test_what_is_told_is_what_there_is_to_see(steps: list[tuple[str, int, int]]) -> None:
    """Whatever happened, and however seldom anybody asked."""
    story = Story()
    for step in steps:
        story.do(*step)
    story.check()


def test_what_changes_back_before_it_was_sent_leaves_nobody_behind() -> None:
    """There is nothing to be acknowledged then."""
    story = Story()
    for step in ("open", "put", "ask", "send", "take"):
        story.do(step, 0, 1)
    story.hub.commit("g", [cluster("a", "2")])
    story.check()
    story.hub.commit("g", [cluster("a", "1")])
    story.do("send", 0, 1)
    assert list(story.hub.members("g").behind()) == []


def test_only_who_stirred_is_looked_at() -> None:
    """Once, however often."""
    story = Story()
    for which in range(4):
        story.do("open", which, 1)
    looked: list[Stream] = []

    def objects(stream: Stream) -> bool:
        looked.append(stream)
        return False

    story.hub.objects = objects
    story.check()
    looked.clear()
    for _ in range(3):
        story.streams[2].receive(Request(Type.CLUSTER))
    story.check()
    assert looked == [story.streams[2]]
