"""Finding the deployments that spoil a shared table."""

from hypothesis import given
from hypothesis import strategies as st

from xds.control.containment import Containment

NAMES = [f"d{n}" for n in range(16)]


def try_until_idle(
    containment: Containment[int], wanted: dict[str, int], bad: set[str]
) -> tuple[int, dict[str, int]]:
    """Build and judge tables until nothing more is to be tried; how many, and the last accepted one."""
    tables, in_force = 0, {}
    while True:
        built = containment.choose(wanted)
        tables += 1
        if any(built.get(name) == wanted[name] for name in bad):
            containment.refused(built)
        else:
            containment.accepted(built)
            in_force = built
            if containment.choose(wanted) == built:
                return tables, in_force


@given(st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(NAMES)))
def test_exactly_the_offenders_stay_as_they_were(changed: set[str], bad: set[str]) -> None:
    """Everybody else's change is in force, whoever else is bad."""
    containment: Containment[int] = Containment()
    containment.accepted(dict.fromkeys(NAMES, 1))
    wanted = {name: 2 if name in changed else 1 for name in NAMES}
    offenders = changed & bad
    tables, in_force = try_until_idle(containment, wanted, offenders)
    assert in_force == {name: 2 if name in changed - offenders else 1 for name in NAMES}
    assert containment.held == offenders
    assert tables <= 2 + 2 * len(offenders) * (len(NAMES).bit_length() + 1)


def test_an_offender_that_changes_is_tried_again() -> None:
    """A mended deployment leaves quarantine by itself."""
    containment: Containment[int] = Containment()
    containment.accepted({"a": 1, "b": 1})
    try_until_idle(containment, {"a": 2, "b": 1}, {"a"})
    assert containment.choose({"a": 3, "b": 1}) == {"a": 3, "b": 1}
    assert containment.idle


def test_a_new_deployment_that_is_refused_is_left_out() -> None:
    """It has no accepted routes to stay at."""
    containment: Containment[int] = Containment()
    containment.accepted({"a": 1})
    _, in_force = try_until_idle(containment, {"a": 1, "new": 1}, {"new"})
    assert in_force == {"a": 1}
