"""What the benchmark's results come to: budgets, the cells above 1, servers that did the same work."""

import pytest

from bench import checks
from bench.figures import Figure, Results
from bench.plan import Cell
from bench.servers import FLOOR, GO, OURS, USUAL
from bench.summary import BUDGETS, Budget, behind, lines

BY_WORK = {budget.work: budget for budget in BUDGETS}
STORM = Cell("a", 10_000, 100)


def _results(*found: tuple[Cell, str, str, float]) -> Results:
    results = Results()
    for cell, what, server, value in found:
        results.add(Figure.of(cell, cell.works, what, server), value)
    return results


@pytest.mark.parametrize(
    ("ours", "verdict"), [(129.0, "met"), (130.0, "met"), (260.0, "missed: 2.00x of it")]
)
def test_a_budget_is_met_up_to_its_bound(ours: float, verdict: str) -> None:
    """A weight change at 10,000 Envoys: 1.3 times the floor is allowed."""
    budget = BY_WORK["weight change -> last of 10,000 Envoys has it, D=100"]
    results = _results((STORM, "last has it ms", OURS, ours), (STORM, "last has it ms", FLOOR, 100.0))
    assert budget.judge(results)[1] == verdict


@pytest.mark.parametrize("budget", BUDGETS, ids=lambda budget: budget.work)
def test_a_budget_without_a_figure_is_not_met(budget: Budget) -> None:
    """What was not measured is said to be so."""
    assert budget.judge(Results()) == ("-", "not measured")


def test_cpu_may_not_grow_with_the_deployments() -> None:
    """The budget divides the figure at 10,000 by that at 100."""
    budget = BY_WORK["CPU of a change, D=10,000 beside D=100 (N=100)"]
    found = [(Cell("a", 100, d), "server cpu_ms", OURS, cpu) for d, cpu in ((100, 20.0), (10_000, 28.0))]
    assert budget.judge(_results(*found)) == ("1.40x", "met")


def test_one_refused_stream_is_too_many() -> None:
    """Of 10,000 that reconnect."""
    budget = BY_WORK["10,000 Envoys reconnect, D=100: refused"]
    refused = _results((Cell("c", 10_000, 100), "refused count", OURS, 1.0))
    assert not budget.judge(refused)[1].startswith("met")


def test_cells_above_1_are_listed_the_farthest_first() -> None:
    """Time and CPU, beside either layout of go-control-plane."""
    found = [
        (STORM, "last has it ms", OURS, 10.0),
        (STORM, "last has it ms", GO, 5.0),
        (STORM, "last has it ms", USUAL, 20.0),
        (STORM, "last has it ms", FLOOR, 1.0),
        (STORM, "server cpu_ms", OURS, 10.0),
        (STORM, "server cpu_ms", USUAL, 2.5),
    ]
    assert [figure.what for figure in behind(_results(*found))] == ["server cpu_ms", "last has it ms"]


def test_cells_below_1_are_not_listed() -> None:
    """That the floor needs less still is another matter."""
    found = [
        (STORM, "last has it ms", server, took) for server, took in ((OURS, 4.0), (GO, 4.0), (FLOOR, 1.0))
    ]
    assert behind(_results(*found)) == []


def test_a_cell_is_one_line() -> None:
    """The figure that stands for the work, with its CPU."""
    results = _results(
        (STORM, "last has it ms", OURS, 10.0),
        (STORM, "first has it ms", OURS, 1.0),
        (STORM, "server cpu_ms", OURS, 7.0),
    )
    (line,) = lines(results)
    assert line.figure.median == 10.0
    assert line.cpu is not None
    assert line.cpu.median == 7.0


@pytest.mark.parametrize(("floors", "wrong"), [(10_150.0, 0), (10_300.0, 1), (9_700.0, 1)])
def test_a_floor_that_sends_other_bytes_is_noticed(floors: float, wrong: int) -> None:
    """More than two in a hundred is another work."""
    what = "to a stream bytes"
    results = _results((STORM, what, OURS, 10_000.0), (STORM, what, FLOOR, floors))
    assert len(list(checks.wrong(results, STORM))) == wrong


def test_go_control_planes_longer_versions_are_allowed_for() -> None:
    """64 characters a resource, where we have 16."""
    cell = Cell("b", 100, 100)
    results = _results(
        (cell, "to a stream bytes", OURS, 10_000.0),
        (cell, "resources count", OURS, 100.0),
        (cell, "to a stream bytes", GO, 14_800.0),
    )
    assert not list(checks.wrong(results, cell))
