"""The plan of the benchmark: what the issue asks for is in it, and a choice leaves what was chosen."""

from collections import Counter

import pytest

from bench.plan import PLAN, QUICK, WORKS, Cell, chosen, minutes


@pytest.mark.parametrize("plan", [PLAN, QUICK])
def test_every_work_is_measured(plan: tuple[Cell, ...]) -> None:
    """No work is forgotten, in no plan."""
    assert {work for cell in plan for work in cell.works} == set(WORKS)


@pytest.mark.parametrize("plan", [PLAN, QUICK])
def test_a_cell_is_told_by_its_title(plan: tuple[Cell, ...]) -> None:
    """Results remember cells by their titles, and figures by work and place: none is there twice."""
    places = Counter(
        (work, cell.mode, cell.dialect, cell.streams, cell.deployments)
        for cell in plan
        for work in cell.works
    )
    assert max(places.values()) == 1


def test_a_change_is_measured_for_every_size() -> None:
    """(a) meets every N at D=100, and every D at N=100."""
    changes = [cell for cell in PLAN if "a" in cell.works and cell.mode == "scoped"]
    assert {cell.streams for cell in changes if cell.deployments == 100} == {1, 100, 1_000, 10_000}
    assert {cell.deployments for cell in changes if cell.streams == 100} == {10, 100, 1_000, 10_000}


def test_changes_are_made_at_least_five_times() -> None:
    """Medians of (a) and (g) are of five runs or more."""
    assert all(cell.changes >= 5 for cell in PLAN)


def test_only_storms_of_thousands_are_made_less_than_five_times() -> None:
    """Fewer than five runs there are only where one takes long."""
    few = {(cell.streams, cell.mode) for cell in PLAN if cell.storms < 5}
    assert few <= {(10_000, "scoped"), (100, "table")}


def test_a_choice_leaves_what_was_chosen() -> None:
    """Works, Envoys and deployments narrow the plan down; what has no work left is out."""
    found = chosen(PLAN, "ad", streams=(100,), deployments=(10, 100), modes=("scoped",))
    assert found
    assert {cell.works for cell in found} == {"a"}
    assert {cell.streams for cell in found} == {100}
    assert {cell.deployments for cell in found} == {10, 100}
    assert {cell.mode for cell in found} == {"scoped"}


def test_no_choice_leaves_everything() -> None:
    """Nothing asked for: everything."""
    assert chosen(PLAN) == PLAN


def test_less_is_expected_of_fewer_cells() -> None:
    """The time that is expected grows with every cell."""
    expected = [minutes(PLAN[:count]) for count in range(len(PLAN) + 1)]
    assert expected == sorted(set(expected))
