"""Lines: what everybody may read of a plan, and what only the office may."""

from dataclasses import replace

from scolaire.lines import LEAST_OPEN, open_lines, whole_lines
from scolaire.plans import Period
from tests.worlds.plans import BACK, COLLEGE, OUT, PLAN


def told(lines):
    names = [place.name for place in lines.places]
    return {run.run_id: [(names[one.place], one.takes_up, one.sets_down) for one in run.passings] for run in lines.runs}


def test_places_of_fewer_than_five_pupils_are_not_told():
    lines = open_lines(PLAN)
    assert told(lines) == {
        "C001-M": [("Mairie", True, False), ("Collège de démonstration", False, True)],
        "C001-S": [("Collège de démonstration", True, False), ("Mairie", False, True)],
    }
    assert (lines.n_hidden_halts, lines.n_hidden_runs) == (2, 0)
    assert {one.n_up + one.n_down for run in lines.runs for one in run.passings} == {0}


def test_a_place_is_hidden_in_the_period_in_which_few_use_it_only():
    few = replace(BACK, halts=tuple(replace(halt, up=halt.up[:4], down=halt.down[:4]) for halt in BACK.halts))
    lines = open_lines(replace(PLAN, runs=(OUT, few)))
    assert list(told(lines)) == ["C001-M"]
    assert (lines.n_hidden_halts, lines.n_hidden_runs) == (4, 1)


def test_pupils_of_all_coaches_that_stop_at_a_place_in_a_period_count_together():
    one, other = (
        replace(
            BACK,
            run_id=f"C00{number}-S",
            circuit_id=f"C00{number}",
            halts=tuple(replace(halt, up=halt.up[part], down=halt.down[part]) for halt in BACK.halts),
        )
        for number, part in ((1, slice(0, 3)), (2, slice(3, 6)))
    )
    assert list(told(open_lines(replace(PLAN, runs=(one, other))))) == ["C001-S", "C002-S"]
    apart = (PLAN.periods[0], replace(PLAN.periods[1], days=0b1), Period("mardi", 0b10, PLAN.periods[1].direction))
    assert told(open_lines(replace(PLAN, periods=apart, runs=(one, replace(other, period=2))))) == {}


def test_the_office_is_told_everything_with_counts():
    lines = whole_lines(PLAN)
    (run,) = [run for run in lines.runs if run.run_id == "C001-M"]
    assert [(one.n_up, one.n_down) for one in run.passings] == [(2, 0), (6, 0), (0, 1), (0, 7)]
    assert (lines.n_hidden_halts, lines.n_hidden_runs) == (0, 0)


def test_a_school_and_a_stop_of_one_id_are_told_apart():
    lines = whole_lines(replace(PLAN, schools=(replace(COLLEGE, school_id="s1"), PLAN.schools[1])))
    assert [place.place_id for place in lines.places] == ["s1", "s2", "e-s1", "m1"]


def test_no_place_told_to_all_has_fewer_users_than_five_in_its_period():
    for run in open_lines(PLAN).runs:
        original = next(one for one in PLAN.runs if one.run_id == run.run_id)
        shown = {(one.arrives_s, one.leaves_s) for one in run.passings}
        counts = [len(halt.up) + len(halt.down) for halt in original.halts if (halt.arrives_s, halt.leaves_s) in shown]
        assert min(counts) >= LEAST_OPEN
