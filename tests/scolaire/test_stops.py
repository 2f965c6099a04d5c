"""Stops: the choice is the best there is, keeps every rule, and says why somebody has none."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scolaire.generator import draw_sector
from scolaire.pupils import Home, StopStatus
from scolaire.stops import Choice, StopRules, Why, choose_for, choose_stops
from tests.oracles.stop_choice import best


def chosen(pupils, stops, rules, usable=None) -> Choice:
    """Pupils and stops at metres along one road."""
    walk = np.array([[abs(pupil - stop) for stop in stops] for pupil in pupils], dtype=np.int32)
    apart = np.array([[abs(one - other) for other in stops] for one in stops], dtype=np.int32)
    walk, apart = walk.reshape(len(pupils), len(stops)), apart.reshape(len(stops), len(stops))
    choice = choose_stops(walk, apart, usable or [True] * len(stops), rules)
    check(choice, walk, apart, usable or [True] * len(stops), rules)
    return choice


def check(choice, walk, apart, usable, rules) -> None:
    """Every rule, read from its own words."""
    counts = Counter(stop for stop in choice.stop_of if stop is not None)
    assert tuple(sorted(counts)) == choice.open_stops
    assert all(usable[stop] for stop in counts)
    assert all(n >= rules.min_pupils for n in counts.values())
    assert all(apart[one][other] >= rules.spacing_m for one in counts for other in counts if one != other)
    assert all(walk[i][stop] <= rules.walk_max_m for i, stop in enumerate(choice.stop_of) if stop is not None)
    assert set(choice.why) == {i for i, stop in enumerate(choice.stop_of) if stop is None}
    assert choice.walk_m == sum(walk[i][stop] for i, stop in enumerate(choice.stop_of) if stop is not None)


def test_one_stop_in_the_middle_is_better_than_two():
    choice = chosen([0, 100, 400, 500], [0, 250, 500], StopRules(300, 1, 0))
    assert choice.open_stops == (1,)
    assert (choice.fewest_stops, choice.walk_m, choice.is_proved) == (1, 800, True)


def test_of_two_stops_that_serve_the_same_pupils_the_nearer_one_opens():
    assert chosen([0, 100], [150, 60], StopRules(300, 1, 0)).open_stops == (1,)


def test_nobody_is_left_out_to_spare_a_stop():
    choice = chosen([0, 1000], [0, 1000], StopRules(300, 1, 0))
    assert (choice.open_stops, choice.why) == ((0, 1), {})


def test_a_pupil_walks_a_little_farther_so_that_a_stop_may_open():
    # The fourth lives nearer to stop 0, but stop 1 needs two and its own pupil reaches no other.
    choice = chosen([0, 0, 0, 90, 300], [0, 200], StopRules(120, 2, 0))
    assert choice.stop_of == (0, 0, 0, 1, 1)


@pytest.mark.parametrize(
    ("pupils", "stops", "usable", "rules", "why"),
    [
        ([0], [5_000], [True], StopRules(1_000, 1, 0), Why.NO_STOP_IN_REACH),
        ([0], [100], [False], StopRules(1_000, 1, 0), Why.NOT_VALIDATED),
        ([0], [100], [True], StopRules(1_000, 2, 0), Why.TOO_FEW_PUPILS),
    ],
)
def test_who_has_no_stop_is_told_why(pupils, stops, usable, rules, why):
    assert chosen(pupils, stops, rules, usable).why == {0: why}


def test_a_stop_too_close_to_another_stays_closed():
    choice = chosen([0, 0, 700], [0, 700], StopRules(200, 1, 1_000))
    assert choice.open_stops == (0,)
    assert choice.why == {2: Why.TOO_CLOSE}


def test_no_pupils_and_no_stops_are_a_choice_too():
    assert chosen([], [0], StopRules()).open_stops == ()
    assert chosen([0], [], StopRules()).why == {0: Why.NO_STOP_IN_REACH}


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 12), max_size=6),
    st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=4),
    st.integers(0, 8),
    st.integers(1, 3),
    st.integers(0, 6),
)
def test_no_choice_is_better(pupils, stops, walk_max_m, min_pupils, spacing_m):
    places, usable = [at for at, _ in stops], [used for _, used in stops]
    rules = StopRules(walk_max_m, min_pupils, spacing_m)
    choice = chosen(pupils, places, rules, usable)
    walk = [[abs(pupil - stop) for stop in places] for pupil in pupils]
    apart = [[abs(one - other) for other in places] for one in places]
    assert choice.is_proved
    assert choice.fewest_stops == len(choice.open_stops)
    expected = best(walk, apart, usable, walk_max_m, min_pupils, spacing_m)
    assert (choice.n_left_out, len(choice.open_stops), choice.walk_m) == expected


def test_without_a_proof_the_choice_keeps_the_rules_and_says_so():
    draws = np.random.default_rng(2)
    homes, stops = draws.uniform(0, 9_000, (400, 2)), draws.uniform(0, 9_000, (120, 2))
    walk = np.hypot(*(homes[:, None] - stops[None]).transpose(2, 0, 1)).astype(np.int32)
    apart = np.hypot(*(stops[:, None] - stops[None]).transpose(2, 0, 1)).astype(np.int32)
    rules = StopRules(1_500, 4, 900)
    choice = choose_stops(walk, apart, [True] * 120, rules, effort=0.02)
    check(choice, walk, apart, [True] * 120, rules)
    assert not choice.is_proved
    assert choice.fewest_stops <= len(choice.open_stops)


def test_the_same_question_has_the_same_answer():
    sector = draw_sector(5, n_pupils=400)
    one, other = (choose_for(sector, StopRules(1_000, 4, 1_000)) for _ in range(2))
    assert one == other
    assert one.is_proved
    assert one.n_left_out < len(sector.plannable)


def test_who_is_known_by_a_stop_alone_waits_there():
    sector = draw_sector(5, n_pupils=60)
    wanted = sector.stops[3]
    lost = tuple(
        replace(pupil, homes=(Home(None, pupil.homes[0].days, wanted.stop_id),)) for pupil in sector.pupils[:4]
    )
    few = replace(sector, pupils=lost, plannable=tuple((i, 0) for i in range(4)))
    assert choose_for(few, StopRules()).stop_of == (3, 3, 3, 3)
    closed = tuple(replace(stop, status=StopStatus.CLOSED) for stop in sector.stops)
    assert set(choose_for(replace(few, stops=closed), StopRules()).why.values()) == {Why.NOT_VALIDATED}
