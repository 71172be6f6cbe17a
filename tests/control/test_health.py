"""A build whose endpoints all fail lends its slots, and has them back after a while of health."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xds.control.health import FAILURES, HOLD, Agreed, Check, Health, Turn

MAIN, A, B = (Check("10.0.0.1", port) for port in (1, 2, 3))
REFUSED = "Connection refused"


class Rounds:
    """Rounds of checks of a deployment `s` with the builds m, a and b, a second apart."""

    def __init__(self, *, b: bool = True) -> None:
        self.health = Health()
        self.now = 0.0
        builds = {"m": {"m:1": MAIN}, "a": {"a:1": A}} | ({"b": {"b:1": B}} if b else {})
        self.health.watch("s", "m", builds)

    def round(self, *failing: Check, unknown: tuple[Check, ...] = ()) -> list[Turn]:
        """Everybody is looked at once; returns what it changes."""
        self.now += 1.0
        for check in self.health.checks():
            self.health.hear(check, None if check in unknown else REFUSED if check in failing else "")
        return self.health.settle(self.now)

    def rounds(self, count: int, *failing: Check) -> list[Turn]:
        """Several of them."""
        return [turn for _ in range(count) for turn in self.round(*failing)]

    @property
    def lending(self) -> frozenset[str]:
        """Who lends."""
        return self.health.lending("s")


def test_one_failure_is_none() -> None:
    """Neither a single one nor one now and then."""
    rounds = Rounds()
    for _ in range(10):
        rounds.rounds(FAILURES - 1, A)
        assert rounds.round() == []
    assert rounds.lending == frozenset()


def test_a_build_that_fails_lends_once_and_comes_back_once() -> None:
    """After so many failures, and after so many seconds of health: one turn each."""
    rounds = Rounds()
    rounds.rounds(3)
    assert rounds.rounds(FAILURES - 1, A) == []
    assert rounds.round(A) == [Turn("s", frozenset("a"), frozenset())]
    assert rounds.rounds(10, A) == []
    assert rounds.rounds(int(HOLD)) == []
    assert rounds.lending == {"a"}
    assert rounds.round() == [Turn("s", frozenset(), frozenset("a"))]


def test_who_fails_again_waits_again() -> None:
    """A build that comes and goes every few seconds stays out."""
    rounds = Rounds()
    rounds.rounds(5, A)
    for _ in range(5):
        rounds.rounds(int(HOLD) - 1)
        rounds.round(A)
    assert rounds.lending == {"a"}


def test_one_endpoint_that_answers_is_enough() -> None:
    """Single endpoints are Envoy's business."""
    rounds = Rounds()
    rounds.health.watch("s", "m", {"m": {"m:1": MAIN}, "a": {"a:1": A, "a:2": B}})
    assert rounds.rounds(9, A) == []
    assert rounds.health.problem("s", "a", "a:1") == REFUSED
    assert rounds.health.problem("s", "a", "a:2") == ""


def test_where_nothing_answers_nothing_is_lent() -> None:
    """The server is cut off, or all is down: `main` could help nobody. Nor afterwards."""
    rounds = Rounds()
    rounds.rounds(3)
    assert rounds.rounds(9, MAIN, A, B) == []
    assert rounds.round(A) == []
    assert rounds.rounds(9) == []


def test_what_is_lent_comes_back_when_main_goes() -> None:
    """There is nothing to gain from it any more."""
    rounds = Rounds()
    rounds.rounds(5, A)
    turns = rounds.rounds(FAILURES, A, MAIN)
    assert turns == [Turn("s", frozenset(), frozenset("a"))]


@pytest.mark.parametrize("unknown", [(MAIN,), (B,), (MAIN, B)])
def test_without_a_verdict_they_count_as_healthy(unknown: tuple[Check, ...]) -> None:
    """What can't be looked at from here lends nothing, and can be lent to."""
    rounds = Rounds()
    for _ in range(5):
        rounds.round(A, unknown=unknown)
    assert rounds.lending == {"a"}


def test_a_lender_without_endpoints_still_has_to_prove_itself() -> None:
    """Its pods died, were replaced, and are new: what is to come back has to be healthy for a while."""
    rounds = Rounds(b=False)
    rounds.rounds(5, A)
    rounds.health.watch("s", "m", {"m": {"m:1": MAIN}, "a": {}})
    rounds.rounds(3)
    rounds.health.watch("s", "m", {"m": {"m:1": MAIN}, "a": {"a:2": B}})
    rounds.rounds(int(HOLD))
    assert rounds.lending == {"a"}
    rounds.round()
    assert rounds.lending == frozenset()


DOWN, UP = Agreed(healthy=False), Agreed(healthy=True, lag=20.0)


def test_what_the_envoys_find_down_lends_at_once() -> None:
    """Whatever the server sees; and has its slots back after as long a while of health."""
    rounds = Rounds()
    rounds.rounds(3)
    rounds.health.heed("s", {"a": DOWN})
    assert rounds.round() == [Turn("s", frozenset("a"), frozenset())]
    assert rounds.health.why("s", "a") == "most Envoys find none of its endpoints healthy"
    assert rounds.rounds(9) == []
    rounds.health.heed("s", {})
    assert rounds.rounds(int(HOLD)) == []
    assert rounds.round() == [Turn("s", frozenset(), frozenset("a"))]


def test_the_envoys_lend_where_the_server_looks_at_nothing() -> None:
    """Without checks of its own everything counts as healthy but what they find down."""
    health = Health()
    health.watch("s", "m", {"m": {"m:1": MAIN}, "a": {"a:1": A}})
    health.heed("s", {"a": DOWN})
    assert health.settle(1.0) == [Turn("s", frozenset("a"), frozenset())]


def test_the_envoys_lend_nothing_to_a_main_they_find_down() -> None:
    """It could help nobody, though the server reaches it."""
    rounds = Rounds()
    rounds.rounds(3)
    rounds.health.heed("s", {"m": DOWN, "a": DOWN})
    assert rounds.rounds(9) == []


def test_a_server_that_is_cut_off_is_overruled_in_time() -> None:
    """It lends at first, as it would for a death; but if that were one, the Envoys knew it by now."""
    rounds = Rounds()
    rounds.rounds(3)
    rounds.health.heed("s", {"a": UP})
    assert rounds.rounds(FAILURES, A) == [Turn("s", frozenset("a"), frozenset())]
    assert rounds.rounds(int(UP.lag), A) == []
    assert rounds.rounds(int(HOLD), A) == [Turn("s", frozenset(), frozenset("a"))]
    assert rounds.rounds(60, A) == []


def test_a_server_cut_off_from_main_still_lends_to_it() -> None:
    """Once the Envoys are believed that it is healthy."""
    rounds = Rounds()
    rounds.health.heed("s", {"m": UP, "a": DOWN})
    assert rounds.rounds(int(UP.lag), MAIN)[-1:] != [Turn("s", frozenset("a"), frozenset())]
    rounds.rounds(FAILURES, MAIN)
    assert rounds.lending == {"a"}


def test_a_deployment_that_is_gone_is_forgotten() -> None:
    """Its checks end, unless another one needs the same."""
    rounds = Rounds()
    rounds.health.watch("t", "m", {"m": {"m:1": MAIN}, "a": {"a:1": A}})
    rounds.rounds(5, A)
    rounds.health.watch("s", "", {})
    assert set(rounds.health.checks()) == {MAIN, A}
    rounds.round(A)
    assert rounds.lending == frozenset()
    assert rounds.health.lending("t") == {"a"}
    rounds.health.watch("t", "", {})
    assert rounds.health.checks() == ()


@given(st.lists(st.sets(st.sampled_from([MAIN, A, B])), max_size=60))
def test_whoever_lends_was_down_and_nobody_lends_to_a_dead_main(history: list[set[Check]]) -> None:
    """Over any history: never `main` itself, never while it fails, and only whoever failed lately."""
    rounds = Rounds()
    rounds.rounds(FAILURES)
    past: list[set[Check]] = [set()] * FAILURES
    for failing in history:
        rounds.round(*failing)
        past.append(failing)
        down = [set.intersection(*past[end - FAILURES : end]) for end in range(FAILURES, len(past) + 1)]
        if MAIN in down[-1]:
            assert not rounds.lending
        for ref, check in (("a", A), ("b", B)):
            if ref in rounds.lending:
                assert any(check in each for each in down[-round(HOLD) - 1 :]) or check in set().union(
                    *past[-round(HOLD) - 1 :]
                )
        assert "m" not in rounds.lending
