"""Finding the deployments that spoil a shared table."""

from hypothesis import given
from hypothesis import strategies as st

from xds.control.trial import Trial

NAMES = [f"d{n}" for n in range(16)]


def try_until_settled(trial: Trial[int], wanted: dict[str, int], bad: set[str]) -> tuple[int, set[str]]:
    """Judge tables until who is held no longer changes; how many tables, and whose parts were accepted."""
    tables, proven = 0, set[str]()
    held = trial.held(wanted)
    while True:
        tables += 1
        new = wanted.keys() - held - proven
        if new & bad:
            trial.refused({name: wanted[name] for name in new}, "no")
        else:
            trial.accepted()
            proven |= new
        held, before = trial.held(wanted), held
        if held == before and not new & bad:
            return tables, proven


@given(st.sets(st.sampled_from(NAMES)))
def test_exactly_the_offenders_stay_as_they_were(bad: set[str]) -> None:
    """Everybody else's change is in force, whoever else is bad."""
    trial: Trial[int] = Trial()
    wanted = dict.fromkeys(NAMES, 2)
    tables, proven = try_until_settled(trial, wanted, bad)
    assert proven == wanted.keys() - bad
    assert trial.held(wanted) == bad
    assert tables <= 2 + 2 * len(bad) * (len(NAMES).bit_length() + 1)


def test_an_offender_that_changes_is_tried_again() -> None:
    """A mended deployment leaves quarantine by itself."""
    trial: Trial[int] = Trial()
    trial.refused({"a": 2}, "no")
    assert trial.held({"a": 2, "b": 1}) == {"a"}
    assert trial.reason("a") == "no"
    assert trial.held({"a": 3, "b": 1}) == frozenset()


def test_an_offender_that_is_gone_is_held_no_longer() -> None:
    """Nor remembered."""
    trial: Trial[int] = Trial()
    trial.refused({"a": 2}, "no")
    assert trial.held({}) == frozenset()


@given(st.integers(2, 64), st.integers(0, 3))
def test_where_nothing_was_accepted_the_newest_are_held_first(count: int, newer: int) -> None:
    """Few tables are tried until one is taken, and it has nearly all that are older than the offender."""
    names = [f"d{n}" for n in range(count)]
    offender = names[max(0, count - 1 - newer)]
    trial: Trial[int] = Trial()
    trial.refused(dict.fromkeys(names, 2), "no", blind=True)
    tables = 1
    while trial.reason(offender) is None and offender not in trial.held(dict.fromkeys(names, 2)):
        held = trial.held(dict.fromkeys(names, 2))
        trial.refused({name: 2 for name in names if name not in held}, "no", blind=True)
        tables += 1
    assert tables <= 4
    assert len(trial.held(dict.fromkeys(names, 2))) <= 2 * (newer + 1)
