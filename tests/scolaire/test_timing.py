"""When a coach is where: as families were told, as far as rules allow."""

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from scolaire.checking import broken_run
from scolaire.generator import draw_sector
from scolaire.periods import Asked, plan_week
from scolaire.plans import MOVED_S, Direction
from scolaire.timing import timed
from scolaire.ways import Ways, places_of, straight_matrix
from tests.oracles.school_times import slow_times

SECTOR = draw_sector(6, n_pupils=150)
MATRIX = straight_matrix(places_of(SECTOR))
WAYS = Ways(places_of(SECTOR), MATRIX)
PLAN = plan_week(SECTOR, MATRIX, Asked(steps=300, weekdays=(0,)), "lundi")


def passages(run):
    """When families of each stop see the coach."""
    to_school = PLAN.periods[run.period].direction is Direction.TO_SCHOOL
    return {at: h.leaves_s if to_school else h.arrives_s for at, h in enumerate(run.halts) if h.stop is not None}


def told(run, words):
    halts = (replace(halt, told_s=words.get(at)) for at, halt in enumerate(run.halts))
    return replace(run, halts=tuple(halts))


def test_a_run_is_where_families_were_told_to_the_second_when_it_can_be():
    for run in PLAN.runs:
        words = {at: time - 7 for at, time in passages(run).items()}
        found = timed(PLAN, told(run, words), WAYS)
        assert found.is_kept
        offs = {passages(found.run)[at] - time for at, time in words.items()}
        assert offs == {0} or max(map(abs, offs)) <= 7


def test_nobody_goes_later_because_somebody_farther_out_waits_no_more():
    for run in PLAN.runs:
        if len(passages(run)) < 3:
            continue
        words = passages(run)
        middle = sorted(words)[len(words) // 2]
        who = {*run.halts[middle].up, *run.halts[middle].down}
        halts = (
            replace(
                halt,
                up=tuple(one for one in halt.up if one not in who),
                down=tuple(one for one in halt.down if one not in who),
            )
            for at, halt in enumerate(told(run, words).halts)
            if at != middle
        )
        fewer = replace(run, halts=tuple(halts))
        found = timed(PLAN, fewer, WAYS).run
        others = [time for at, time in words.items() if at != middle]
        assert list(passages(found).values()) == others


def test_what_cannot_be_is_given_up_where_the_fewest_wait():
    run = max(PLAN.runs, key=lambda run: len(passages(run)))
    words = passages(run)
    fewest = min(words, key=lambda at: len(run.halts[at].up) + len(run.halts[at].down))
    found = timed(PLAN, told(run, {**words, fewest: 3_600}), WAYS)
    assert found.is_kept
    assert {at: time for at, time in passages(found.run).items() if at != fewest} == {
        at: time for at, time in words.items() if at != fewest
    }
    nobody = timed(PLAN, told(run, dict.fromkeys(words, 3_600)), WAYS).run
    assert passages(nobody) == passages(timed(PLAN, run, WAYS).run)


@given(seed=st.integers(0, 10**9))
def test_times_as_told_are_those_of_the_slow_twin_and_break_no_rule(seed):
    dice = random.Random(seed)
    run = dice.choice(PLAN.runs)
    off = dice.choice((30, 200, MOVED_S, 600))
    words = {at: time + dice.randint(-off, off) for at, time in passages(run).items() if dice.random() < 0.7}
    found = timed(PLAN, told(run, words), WAYS).run
    assert [halt.arrives_s for halt in found.halts] == slow_times(PLAN, found)
    assert list(broken_run(PLAN, found, WAYS)) == []
    assert timed(PLAN, found, WAYS).run == found
