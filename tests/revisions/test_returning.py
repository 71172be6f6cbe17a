"""Promotions, deletions, and the ways back."""

from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from xds.errors import InvalidInput, NotFound, NothingToDo
from xds.revisions import decide
from xds.revisions.guard import guard
from xds.revisions.history import returnable
from xds.revisions.record import Note, Revision
from xds.spec.deployment import MAIN, Canary, Deployment, Version
from xds.spec.splits import HeaderMatch, Mirror, Rule, RuleMatch

NOTE = Note("test", 1000.0)


def spec(main: str | None = "s:1", needs: int = 1, **canaries: float) -> Deployment:
    """A deployment with canaries without tags, of these weights."""
    versions = {label: Version(weight=weight) for label, weight in canaries.items()}
    return Deployment(name="s", bento=main, min_endpoints=needs, canary=Canary(versions=versions))


class Life:
    """A deployment's life; a step that changes nothing is none."""

    def __init__(self, *specs: Deployment) -> None:
        self.revisions: list[Revision] = []
        self.known: dict[str, str] = {}
        for each in specs:
            self.apply(each)

    @property
    def head(self) -> Revision:
        return self.revisions[-1]

    def then(self, revision: Revision | None) -> None:
        if revision is not None:
            self.revisions.append(revision)
            self.known |= {ref: key for key, ref in revision.builds.items()}

    def apply(self, deployment: Deployment) -> None:
        head = self.revisions[-1] if self.revisions else None
        self.then(decide.apply(deployment, head, self.known, NOTE))

    def promote(self, label: str = "") -> None:
        self.then(decide.promote(self.head, label, NOTE))

    def abort(self) -> None:
        self.then(decide.abort(self.head, NOTE))

    def delete(self) -> None:
        self.then(decide.delete(self.head, NOTE))

    def undelete(self) -> None:
        self.then(decide.undelete(self.head, self.revisions, NOTE))

    def rollback(self, to: int | None = None, *, stable: bool = False) -> None:
        self.then(decide.rollback(self.revisions, NOTE, to, stable=stable))

    def told(self) -> list[tuple[str, int | None]]:
        """Kind and source of each revision."""
        return [(revision.kind, revision.source) for revision in self.revisions]


def test_a_promotion_is_one_revision_that_one_rollback_undoes() -> None:
    """The build has everybody and is `main`; going back brings labels and slots back."""
    life = Life(spec(a=30, b=5))
    before = life.head
    life.promote("a")
    assert life.head.labels == {MAIN: "a", "b": "b"}
    assert life.head.slots.shares() == {"a": 10_000}
    assert life.head.spec.weights() == {MAIN: 100, "b": 0}
    life.rollback()
    assert life.head.same_content(before)


def test_a_promoted_version_without_a_tag_keeps_its_build() -> None:
    """`main` names it by the label it had."""
    life = Life(spec(a=30))
    life.promote()
    assert (life.head.spec.bento, life.head.builds) == ("s@a", {"a": "s@a"})


def test_a_version_that_shares_mains_build_can_be_promoted() -> None:
    """Nobody moves; its label goes."""
    canary = Canary(versions={"a": Version(bento="s:1", weight=10)})
    life = Life(Deployment(name="s", bento="s:1", canary=canary))
    life.promote("a")
    assert (life.head.labels, life.head.spec.bento) == ({MAIN: "1"}, "s:1")


def test_what_named_the_promoted_version_names_main() -> None:
    """Rules keep sending people to the build; copies of requests to whoever answers them end."""
    beta = Rule(match=RuleMatch(headers={"x-beta": HeaderMatch(present=True)}), version="a")
    canary = Canary(versions={"a": Version(), "b": Version()}, mirror=Mirror(version="a"))
    deployment = Deployment(name="s", canary=canary, rules=(beta, beta.model_copy(update={"version": "b"})))
    life = Life(deployment)
    life.promote("a")
    assert [rule.version for rule in life.head.spec.rules] == [MAIN, "b"]
    assert life.head.spec.canary.mirror is None


@pytest.mark.parametrize(
    ("deployment", "label", "message"),
    [
        (spec(a=5, b=5), "", "s: version: s has several canaries with users (name one: a (5 %), b (5 %))"),
        (spec(a=0), "", "s: version: s has no canary with users (name one: a (0 %))"),
        (spec(), "", "s: version: s has no canary to promote (add one: canary.versions)"),
        (spec(a=5), "c", "s: version: there is no version 'c' (there are: main, a)"),
        (spec(a=5), MAIN, "s: version: main is what everybody is to have already"),
    ],
)
def test_what_cannot_be_promoted_is_said(deployment: Deployment, label: str, message: str) -> None:
    """With the names to choose from."""
    life = Life(deployment)
    with pytest.raises(InvalidInput) as caught:
        life.promote(label)
    assert str(caught.value) == message


def test_a_promotion_without_a_name_is_of_the_canary_that_has_users() -> None:
    """Not of one that an earlier promotion or a person took out of traffic."""
    life = Life(spec(a=5, b=0))
    life.promote()
    assert life.head.labels == {MAIN: "a", "b": "b"}


def test_a_promotion_of_what_was_brought_back_is_undone_to_just_that() -> None:
    """Not to what was in force when that revision was made."""
    life = Life(spec(a=70), spec(a=90), spec(a=1))
    life.rollback(to=2)
    life.promote("a")
    life.rollback()
    assert life.told()[-1] == ("rollback", 2)


def test_a_step_after_an_abort_is_undone_to_the_abort() -> None:
    """Nobody gets more of a canary by going back from 1 %."""
    life = Life(spec(a=10), spec(a=50))
    life.abort()
    life.apply(spec(a=1))
    life.rollback()
    assert life.head.spec.weights() == {MAIN: 100, "a": 0}


def test_a_deletion_is_undone_with_the_slots_it_had() -> None:
    """The source is the newest revision that is no deletion."""
    life = Life(spec(a=5), spec(a=50), spec(a=7))
    before = life.head
    life.delete()
    life.undelete()
    assert life.told()[3:] == [("delete", None), ("undelete", 3)]
    assert life.head.same_content(before)


def test_deleting_twice_is_deleting_once() -> None:
    """The second changes nothing; undeleting what is there is said to be nothing to do."""
    life = Life(spec())
    with pytest.raises(NothingToDo, match="s is not deleted: revision 1 is in force"):
        life.undelete()
    life.delete()
    life.delete()
    assert len(life.revisions) == 2


def test_a_deleted_deployment_can_be_applied_again() -> None:
    """The next number, the same keys, the same users; even where the file is what it was."""
    life = Life(spec(a=5))
    life.delete()
    life.apply(spec(a=5))
    assert (life.head.number, life.head.kind) == (3, "apply")
    assert life.head.same_content(life.revisions[0])


def test_a_deleted_deployment_is_not_rolled_back() -> None:
    """But undeleted."""
    life = Life(spec(a=5), spec(a=6))
    life.delete()
    with pytest.raises(NothingToDo, match="s is deleted; `canary undelete s` brings it back"):
        life.rollback()


def test_a_rollback_after_an_undelete_goes_behind_what_was_deleted() -> None:
    """A deletion leaves nothing on purpose, and is never returned to."""
    life = Life(spec(a=5), spec(a=6))
    life.delete()
    life.undelete()
    life.apply(spec(a=7))
    life.rollback()
    life.rollback()
    assert life.told()[5:] == [("rollback", 2), ("rollback", 1)]


def test_a_revision_can_be_named() -> None:
    """Also one that was left, an abort, and one that was brought back before."""
    life = Life(spec(a=5), spec(a=6))
    life.abort()
    for number in (2, 3, 4):
        life.rollback(to=number)
    assert life.told()[3:] == [("rollback", 2), ("rollback", 3), ("rollback", 4)]
    assert life.head.same_content(life.revisions[1])


def test_a_revision_that_is_not_there_is_told_those_that_are() -> None:
    """Deletions are none of them."""
    life = Life(spec(a=5), spec(a=6))
    life.delete()
    life.undelete()
    for number in (3, 9):
        with pytest.raises(NotFound, match=rf"s has no revision {number} to return to \(there are: 1-2, 4\)"):
            life.rollback(to=number)


def test_what_is_in_force_is_not_returned_to() -> None:
    """By its own number, or by another with the same content."""
    life = Life(spec(a=5), spec(a=6))
    life.rollback()
    with pytest.raises(NothingToDo, match=r"revision 1 of s is in force already, as revision 3$"):
        life.rollback(to=1)
    with pytest.raises(NothingToDo, match=r"revision 3 of s is in force already$"):
        life.rollback(to=3)


def test_the_last_stable_revision_has_everybody_on_main() -> None:
    """Past all the steps of a canary."""
    life = Life(spec(), spec(a=5), spec(a=50))
    life.rollback(stable=True)
    assert life.told()[-1] == ("rollback", 1)


def test_a_promotion_that_was_left_is_not_stable() -> None:
    """Nor is there another one then; the message says how to take canaries out."""
    life = Life(spec(a=5))
    life.promote()
    life.rollback()
    life.apply(spec(a=9))
    with pytest.raises(NothingToDo, match=r"with main at 100 %.*`canary abort s`"):
        life.rollback(stable=True)


STEPS: dict[str, Callable[[Life], None]] = {
    "apply": lambda life: life.apply(spec("s:1", a=len(life.revisions) % 90 + 1)),
    "main": lambda life: life.apply(spec(f"s:{len(life.revisions)}")),
    "abort": lambda life: life.abort(),
    "promote": lambda life: life.promote(),
    "delete": lambda life: life.delete(),
    "undelete": lambda life: life.undelete(),
    "rollback": lambda life: life.rollback(),
    "stable": lambda life: life.rollback(stable=True),
    "to": lambda life: life.rollback(to=len(life.revisions) // 2),
}


def attempt(life: Life, step: str) -> bool:
    """Take a step, if it can be taken."""
    try:
        STEPS[step](life)
    except (InvalidInput, NothingToDo, NotFound):
        return False
    return True


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=25), st.booleans())
def test_rolling_back_again_never_toggles(steps: list[str], stable: bool) -> None:  # noqa: FBT001
    """Whatever came before, each rollback goes further back, to no revision twice, and so it ends."""
    life = Life(spec())
    for step in steps:
        attempt(life, step)
    sources = []
    while attempt(life, "stable" if stable else "rollback"):
        sources.append(life.head.source or 0)
        first = len(sources) == 1
        assert life.revisions[sources[-1] - 1].kind in {
            "apply",
            "promote",
            *("abort" for _ in [1] if stable or first),
        }
    assert sources == sorted(set(sources), reverse=True)


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=25), st.integers(1, 89))
def test_one_rollback_undoes_one_change(steps: list[str], weight: int) -> None:
    """Whatever came before, and whatever the change is."""
    life = Life(spec())
    for step in steps:
        attempt(life, step)
    before = life.head
    life.apply(spec("s:new", a=weight))
    assume(before.kind != "delete" and life.head is not before)
    life.rollback()
    assert life.head.same_content(before)


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=25))
def test_whatever_was_deleted_comes_back(steps: list[str]) -> None:
    """With spec, labels and slots; numbers go on without a gap."""
    life = Life(spec())
    for step in steps:
        attempt(life, step)
    attempt(life, "undelete")
    before = life.head
    life.delete()
    life.undelete()
    assert life.head.same_content(before)
    assert [revision.number for revision in life.revisions] == list(range(1, len(life.revisions) + 1))


def test_builds_that_gain_users_need_their_endpoints() -> None:
    """Those that lose some, or have as many as they need, are not spoken of."""
    life = Life(spec(needs=2, a=5, b=50), spec(needs=2, a=30, b=10))
    before, after = life.revisions
    assert guard(before, after, {"s@a": 1}) == [
        "main has 0 of the 2 endpoints it needs",
        "a has 1 of the 2 endpoints it needs",
    ]
    assert guard(before, after, {"s@a": 2, "s:1": 2}) == []
    assert guard(after, before, {"s@a": 2}) == ["b has 0 of the 2 endpoints it needs"]
    assert guard(None, before, {"s:1": 2, "s@a": 2, "s@b": 3}) == []


def test_builds_that_are_down_get_no_more_users() -> None:
    """They may keep theirs, or lose some."""
    life = Life(spec(a=20, b=10), spec(a=30, b=10), spec(a=20, b=20))
    first, more, other = life.revisions
    usable, down = dict.fromkeys(first.builds.values(), 1), {"s@a": "refused"}
    assert guard(first, more, usable, down) == ["a is unhealthy (refused)"]
    assert guard(more, first, usable, down) == []
    assert guard(first, other, usable, down) == []
    assert guard(first, first, usable, down) == []
    assert guard(first, more, {"s@a": 0}, down) == ["a has 0 of the 1 endpoint it needs"]


def test_the_way_out_of_a_promotion_is_open() -> None:
    """Back to a `main` that serves, though a canary with a part is down; not to one that is down."""
    life = Life(spec(a=20, b=10))
    life.promote("a")
    before, after = life.revisions
    usable = dict.fromkeys([*before.builds.values(), *after.builds.values()], 1)
    assert guard(after, before, usable, {"s@a": "refused", "s@b": "refused"}) == []
    assert guard(after, before, usable, {"s@b": "refused"}) == ["b is unhealthy (refused)"]
    assert guard(after, before, usable, {"s@a": "refused", "s:1": "refused"}) == [
        "main is unhealthy (refused)"
    ]


def test_history_says_what_cannot_be_returned_to() -> None:
    """The one in force, what says the same, deletions, and what nobody could serve."""
    life = Life(spec(a=5), spec(a=50))
    life.delete()
    life.undelete()
    usable = {"s@a": 1}
    assert [returnable(revision, life.head, usable) for revision in life.revisions] == [
        "main has 0 of the 1 endpoint it needs",
        "it is in force, as revision 4",
        "it is a deletion",
        "it is in force",
    ]
    assert returnable(life.revisions[0], life.head, {"s:1": 1}) == ""
    assert returnable(life.revisions[0], life.revisions[2], {}) == "s is deleted: undelete it first"
