"""The next revision of a deployment."""

import pytest

from xds.errors import InvalidInput, NothingToDo
from xds.revisions import decide
from xds.revisions.history import KEEP_BUILDS, retired_builds
from xds.revisions.record import Note, Revision
from xds.slots.layout import moved
from xds.spec.deployment import Canary, Deployment, Version

NOTE = Note("test", 1000.0)


def spec(main: str | None = "s:1", **canaries: tuple[str | None, float]) -> Deployment:
    """A deployment of tags and weights."""
    versions = {label: Version(bento=tag, weight=weight) for label, (tag, weight) in canaries.items()}
    return Deployment(name="s", bento=main, canary=Canary(versions=versions))


class History:
    """A deployment's life, written as a story."""

    def __init__(self) -> None:
        self.revisions: list[Revision] = []
        self.known: dict[str, str] = {}

    @property
    def head(self) -> Revision:
        return self.revisions[-1]

    def then(self, revision: Revision | None) -> Revision:
        assert revision is not None
        self.revisions.append(revision)
        self.known |= {ref: key for key, ref in revision.builds.items()}
        return revision

    def apply(self, deployment: Deployment, at: float = 1000.0) -> Revision:
        head = self.revisions[-1] if self.revisions else None
        return self.then(decide.apply(deployment, head, self.known, Note("test", at)))

    def abort(self) -> Revision:
        return self.then(decide.abort(self.head, NOTE))

    def rollback(self) -> Revision:
        return self.then(decide.rollback(self.revisions, NOTE))


@pytest.fixture
def life() -> History:
    """An empty history."""
    return History()


def test_applying_what_is_in_force_changes_nothing(life: History) -> None:
    """No revision is made for an equal file."""
    life.apply(spec(a=("s:2", 10)))
    assert decide.apply(spec(a=("s:2", 10)), life.head, life.known, NOTE) is None


def test_the_slots_follow_the_weights(life: History) -> None:
    """Percent become slots, `main` gets the rest."""
    assert life.apply(spec(a=("s:2", 12.34), b=("s:3", 30))).slots.shares() == {
        "1": 5766,
        "2": 1234,
        "3": 3000,
    }


def test_labels_that_share_a_tag_share_the_build(life: History) -> None:
    """One build, one cluster, the sum of the shares."""
    revision = life.apply(spec(a=("s:1", 10), b=("s:2", 5)))
    assert revision.labels == {"main": "1", "a": "1", "b": "2"}
    assert revision.slots.shares() == {"1": 9500, "2": 500}
    assert revision.label_of("1") == "main"


def test_a_build_keeps_its_key_when_it_comes_back(life: History) -> None:
    """Keys are assigned once: another tag with the same version part gets another key."""
    life.apply(spec("x:1"))
    life.apply(spec("y:1"))
    assert life.head.labels == {"main": "1-2"}
    assert life.apply(spec("x:1")).labels == {"main": "1"}


def test_a_build_without_a_tag_is_named_for_its_label(life: History) -> None:
    """Its ref is `<deployment>@<label>`."""
    revision = life.apply(spec(None, a=(None, 10)))
    assert revision.builds == {"main": "s@main", "a": "s@a"}


def test_a_file_whose_main_names_the_canary_at_100_percent_moves_nobody(life: History) -> None:
    """Relabelling is a promotion: the table stays as it is."""
    before = life.apply(spec("s:1", a=("s:2", 100)))
    assert moved(before.slots, life.apply(spec("s:2")).slots) == 0


def test_a_file_whose_main_names_a_canary_moves_exactly_the_others(life: History) -> None:
    """At 30 % the other 70 % move to the existing build."""
    before = life.apply(spec("s:1", a=("s:2", 30)))
    after = life.apply(spec("s:2", a=("s:2", 30)))
    assert moved(before.slots, after.slots) == 7000
    assert after.slots.shares() == {"2": 10000}


def test_weights_not_named_stay(life: History) -> None:
    """`set-weight a=20` leaves b alone, and b's slots too."""
    before = life.apply(spec(a=("s:2", 5), b=("s:3", 30)))
    after = life.then(decide.set_weights(before, {"a": 20}, NOTE))
    assert after.spec.weights() == {"main": 50, "a": 20, "b": 30}
    assert moved(before.slots, after.slots) == 1500


def test_bad_weights_are_refused_with_every_fault(life: History) -> None:
    """All faults at once, each with what to write."""
    life.apply(spec(a=("s:2", 5), b=("s:3", 30)))
    with pytest.raises(InvalidInput) as caught:
        decide.set_weights(life.head, {"a": 0.001, "c": 5, "b": 101}, NOTE)
    assert [str(fault) for fault in caught.value.faults] == [
        "s: weights.a: 0.001 is finer than 0.01 % (write 0)",
        "s: weights.c: there is no version 'c' (there are: main, a, b)",
        "s: weights.b: 101 is not between 0 and 100",
    ]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"a": 80}, "s: weights: the weights add up to 110, which is more than 100"),
        ({"main": 50}, "s: weights.main: main gets what the others leave: 65 (leave main out)"),
    ],
)
def test_weights_that_do_not_add_up_are_refused(
    life: History, weights: dict[str, float], message: str
) -> None:
    """The sum is named."""
    life.apply(spec(a=("s:2", 5), b=("s:3", 30)))
    with pytest.raises(InvalidInput) as caught:
        decide.set_weights(life.head, weights, NOTE)
    assert str(caught.value) == message


def test_abort_gives_everything_to_main_and_can_be_repeated(life: History) -> None:
    """The second abort changes nothing."""
    life.apply(spec(a=("s:2", 5), b=("s:3", 30)))
    assert life.abort().slots.shares() == {"1": 10000}
    assert decide.abort(life.head, NOTE) is None


def test_rolling_back_twice_walks_back_and_brings_the_tables_back(life: History) -> None:
    """1, 2, 3: rollback gives 2's content, a second one 1's."""
    one = life.apply(spec(a=("s:2", 5)))
    two = life.apply(spec(a=("s:2", 50)))
    life.apply(spec(a=("s:2", 7), b=("s:3", 90)))
    back = life.rollback()
    assert (back.source, back.spec, back.labels, back.slots) == (2, two.spec, two.labels, two.slots)
    back = life.rollback()
    assert (back.source, back.spec, back.slots) == (1, one.spec, one.slots)
    with pytest.raises(NothingToDo, match="no earlier revision"):
        life.rollback()


def test_a_rollback_never_reaches_a_revision_that_was_left(life: History) -> None:
    """Neither 3, left by a rollback, nor 2, left by the next one, nor what was aborted."""
    for weight in (1, 2, 3):
        life.apply(spec(a=("s:2", weight)))
    life.rollback()
    life.rollback()
    life.apply(spec(a=("s:2", 6)))
    assert life.rollback().source == 1


def test_a_rollback_after_an_abort_skips_what_was_aborted(life: History) -> None:
    """1 %, 50 %, abort: back to 1 %."""
    life.apply(spec(a=("s:2", 1)))
    life.apply(spec(a=("s:2", 50)))
    life.abort()
    assert life.rollback().source == 1


def test_a_build_nobody_references_is_kept_for_ten_minutes(life: History) -> None:
    """Counted from the revision that dropped it."""
    first = life.apply(spec("s:1", a=("s:2", 5)), at=0)
    life.apply(spec("s:1"), at=100)
    assert retired_builds(life.revisions, 100 + KEEP_BUILDS - 1) == {"2": (first, 100 + KEEP_BUILDS)}
    assert retired_builds(life.revisions, 100 + KEEP_BUILDS) == {}


def test_where_a_rollback_leads_nowhere_canaries_can_still_be_aborted(life: History) -> None:
    """The message names the command."""
    life.apply(spec(a=("s:2", 5)))
    with pytest.raises(NothingToDo, match="`canary abort s` takes its canaries out of traffic"):
        life.rollback()


def test_a_rollback_to_what_was_aborted_says_that_all_is_on_main(life: History) -> None:
    """There is nothing left to take out of traffic."""
    life.apply(spec(a=("s:2", 5)))
    life.abort()
    with pytest.raises(NothingToDo, match="all traffic is on main, as after `canary abort s`"):
        life.rollback()


def test_a_deployment_that_never_had_a_canary_needs_no_abort(life: History) -> None:
    """The message leaves it out."""
    life.apply(spec())
    with pytest.raises(NothingToDo, match=r"rollback or an abort$"):
        life.rollback()
