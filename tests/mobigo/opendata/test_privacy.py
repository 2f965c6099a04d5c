"""No published row, and no difference of published rows, is about fewer people than promised."""

from collections import Counter, defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from mobigo.opendata.privacy import WITHHELD, Unit, count_alone, release

FEW = 4
MARGINS = (lambda key: ("from", key[0]), lambda key: ("to", key[1]))


@st.composite
def units(draw):
    n = draw(st.integers(0, 60))
    word = st.sampled_from("abcdef")
    found = []
    for _ in range(n):
        start, end = draw(word), draw(word)
        coarse = ((start < "d" and "x") or "y", (end < "d" and "x") or "y")
        subjects = (f"p{draw(st.integers(0, 25))}", f"d{draw(st.integers(0, 12))}")
        details = (draw(st.sampled_from(["am", "pm", "night"])), draw(st.sampled_from(["1", "2"])))
        found.append(Unit(subjects, ((start, end), coarse), details, draw(st.integers(-50, 500))))
    return found


def subjects_behind(units, released):
    """The people behind each published cell, by the rule that a unit is told as finely as its cell is shown."""
    shown = {(cell.level, cell.key) for cell in released.cells}
    behind = defaultdict(list)
    for unit in units:
        for level, key in enumerate(unit.levels):
            if (level, key) in shown:
                behind[level, key].append(unit)
                break
    return behind


@settings(max_examples=50)
@given(units())
def test_every_cell_counts_enough_people_in_each_part_and_every_unit_once(given_units):
    released = release(given_units, FEW, 3, MARGINS)
    behind = subjects_behind(given_units, released)
    for cell in released.cells:
        members = behind[cell.level, cell.key]
        assert len(members) == len(cell.rows)
        assert sum(unit.weight for unit in members) == cell.weight
        for part in (0, 1):
            assert len({unit.subjects[part] for unit in members}) >= FEW
    told = released.suppression
    assert sum(told.n_told) + told.n_dropped == told.n_units == len(given_units)


@settings(max_examples=50)
@given(units())
def test_rows_are_told_alike_by_enough_and_say_nothing_untrue(given_units):
    released = release(given_units, FEW, 3)
    behind = subjects_behind(given_units, released)
    for cell in released.cells:
        assert min(Counter(cell.rows).values()) >= 3
        for at in (0, 1):
            told = Counter(row[at] for row in cell.rows if row[at] != WITHHELD)
            there = Counter(unit.details[at] for unit in behind[cell.level, cell.key])
            assert all(n <= there[value] for value, n in told.items())
    assert count_alone((cell.level, cell.key, row) for cell in released.cells for row in cell.rows) == 0


@settings(max_examples=50)
@given(units())
def test_no_hidden_cell_follows_from_a_total_less_what_is_shown(given_units):
    """Whatever totals of the margins, of the coarser level or of everything somebody knows."""
    released = release(given_units, FEW, 3, MARGINS)
    shown = {cell.key for cell in released.cells if cell.level == 0}
    cells = {unit.levels[0] for unit in given_units}
    coarser = {unit.levels[0]: unit.levels[1] for unit in given_units}
    for margin in (*MARGINS, coarser.__getitem__):
        hidden, beside = defaultdict(set), set()
        for cell in cells:
            if cell in shown:
                beside.add(margin(cell))
            else:
                hidden[margin(cell)].add(cell)
        assert all(len(hidden[total]) != 1 for total in beside)
    if any(cell.level == 1 for cell in released.cells) or released.suppression.n_dropped:
        left = [unit for unit in given_units if not any(unit.levels[c.level] == c.key for c in released.cells)]
        assert not (released.cells and left) or len({unit.subjects[0] for unit in left}) >= FEW


@settings(max_examples=50)
@given(units(), st.randoms())
def test_the_order_of_units_changes_nothing(given_units, chance):
    again = list(given_units)
    chance.shuffle(again)
    assert release(again, FEW, 3, MARGINS) == release(given_units, FEW, 3, MARGINS)


def pair(n, start, end, first=0):
    return [Unit((f"p{first + i}", f"d{first + i}"), ((start, end), ("all", "all"))) for i in range(n)]


def test_one_who_travels_every_day_is_one():
    daily = [Unit(("p1", f"d{i}"), (("a", "b"),)) for i in range(40)]
    assert release(daily, FEW).cells == ()
    assert release(daily, FEW).suppression.n_dropped == 40


def test_a_hidden_pair_takes_the_smallest_shown_one_with_it():
    units = pair(9, "a", "b") + pair(5, "a", "c", 20) + pair(2, "a", "d", 40)
    released = release(units, FEW)
    assert [(cell.level, cell.key, len(cell.rows)) for cell in released.cells] == [
        (0, ("a", "b"), 9),
        (1, ("all", "all"), 7),
    ]


def test_nothing_is_released_of_nothing():
    assert release([], FEW).cells == ()
