"""Figures of a year: what anybody may read tells of nobody, and what is told together stays together."""

from hypothesis import given
from hypothesis import strategies as st

from scolaire.contracts.costs import Cost
from scolaire.contracts.figures import OTHERS, Figure, render_figures, year_figures


def test_small_circuits_are_told_together():
    costs = [Cost("", 0, 9), Cost("s/1", 12, 1_000), Cost("s/2", 3, 200), Cost("s/3", 4, 300)]
    figures = year_figures(costs, {"s/1": 10_499, "s/2": 2_000})
    assert figures == (Figure("s/1", 1, 10_499, 12, 1_000), Figure(OTHERS, 2, 2_000, 7, 500))
    assert render_figures(figures).decode() == (
        "circuit,n_circuits,km,pupils,euros\ns/1,1,10,12,10.00\nautres,2,2,7,5.00\n"
    )


def test_one_small_circuit_hides_in_the_smallest_other():
    costs = [Cost("s/1", 12, 1_000), Cost("s/2", 3, 200), Cost("s/3", 8, 300)]
    assert [(one.circuit, one.n_pupils) for one in year_figures(costs, {})] == [("s/1", 12), (OTHERS, 11)]


def test_too_few_altogether_are_not_told():
    assert year_figures([Cost("s/2", 4, 200)], {}) == ()
    assert year_figures([], {}) == ()


@given(st.lists(st.integers(0, 12), max_size=12))
def test_no_row_has_fewer_than_five_and_rows_are_a_partition(sizes):
    costs = [Cost(f"s/{number}", size, 100) for number, size in enumerate(sizes)]
    figures = year_figures(costs, {})
    assert all(one.n_pupils >= 5 for one in figures)
    assert sum(one.n_circuits for one in figures) in {0, len(sizes)} or sum(sizes) < 5
    if figures:
        assert sum(one.n_pupils for one in figures) >= sum(size for size in sizes if size >= 5)
