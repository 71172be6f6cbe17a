"""Figures of the benchmark: medians, ratios, and results that outlive the run."""

from pathlib import Path

import pytest

from bench import figures
from bench.figures import Figure, Results
from bench.plan import Cell

CELL = Cell("a", 100, 10)
OTHER = Cell("a", 100, 100)


def _results(**servers: list[float]) -> Results:
    results = Results()
    for server, runs in servers.items():
        for value in runs:
            results.add(Figure.of(CELL, "a", "last has it ms", server), value)
    return results


def _only(results: Results, server: str) -> Figure:
    (found,) = results.of(server)
    return found


def test_a_figure_is_the_median_of_its_runs() -> None:
    """One slow run decides nothing."""
    assert _only(_results(canary=[1.0, 90.0, 2.0]), "canary").median == 2.0


def test_a_ratio_is_ours_by_the_peers() -> None:
    """Below 1: we need less."""
    results = _results(canary=[2.0], floor=[4.0])
    assert results.beside(_only(results, "canary"), "floor") == 0.5


@pytest.mark.parametrize("servers", [{"canary": [2.0]}, {"canary": [2.0], "floor": [0.0]}])
def test_without_a_peers_figure_there_is_no_ratio(servers: dict[str, list[float]]) -> None:
    """Neither where it was not measured, nor where it is nothing."""
    results = _results(**servers)
    assert results.beside(_only(results, "canary"), "floor") is None


def test_servers_are_compared_in_the_same_cell_only() -> None:
    """Another number of deployments is another cell."""
    results = _results(canary=[2.0])
    results.add(Figure.of(OTHER, "a", "last has it ms", "floor"), 1.0)
    assert results.beside(_only(results, "canary"), "floor") is None


def test_results_outlive_the_run(tmp_path: Path) -> None:
    """What was saved is what is loaded: figures, notes, cells that are done."""
    results = _results(canary=[1.0, 2.0], floor=[3.0])
    results.note("mind this")
    results.done[CELL.title] = 12.5
    results.save(tmp_path / "run.json", "make bench")
    loaded, machine, command = figures.load(tmp_path / "run.json")
    assert (loaded.figures, loaded.notes, loaded.done) == (results.figures, results.notes, results.done)
    assert command == "make bench"
    assert "cpu" in machine


def test_a_cell_that_is_measured_anew_keeps_nothing() -> None:
    """Its figures, notes and its being done are dropped; other cells' stay."""
    results = _results(canary=[1.0])
    results.add(Figure.of(OTHER, "a", "last has it ms", "canary"), 5.0)
    for cell in (CELL, OTHER):
        results.done[cell.title] = 1.0
        results.note(f"{cell.title}: late")
    results.forget(CELL)
    assert [figure.deployments for figure in results.of("canary")] == [OTHER.deployments]
    assert list(results.done) == [OTHER.title]
    assert results.notes == [f"{OTHER.title}: late"]


def test_other_works_at_the_same_place_are_kept() -> None:
    """(b) of N=100, D=10 is another cell than (a) there, if the plan says so."""
    results = _results(canary=[1.0])
    results.forget(Cell("b", 100, 10))
    assert _only(results, "canary").median == 1.0
