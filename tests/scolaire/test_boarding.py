"""Whom a coach expects, what its driver is answered, who is aboard; and the same by plain sets."""

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from scolaire.boarding import (
    ANSWER_OF,
    Act,
    Answer,
    Boarding,
    Expected,
    Seen,
    Who,
    Why,
    expected_on,
    judge,
    runs_of_pupils,
    set_down_at,
    who_is_aboard,
)
from scolaire.cards import CardState
from scolaire.plans import Direction, Waiting
from tests.worlds.one_run import morning_plan

MONDAY, WEDNESDAY, THURSDAY = 0, 2, 3
PLAN = morning_plan("zoe", "tom")
RUN = PLAN.runs[0]


def named(expected):
    return [(one.pupil_id, one.stop_id, one.is_away) for one in expected]


def test_a_run_expects_who_rides_on_a_day_of_its_period():
    assert named(expected_on(PLAN, RUN, MONDAY)) == [("zoe", "s1", False), ("tom", "s2", False)]
    assert expected_on(PLAN, RUN, WEDNESDAY) == ()


def test_who_was_declared_absent_that_way_is_away():
    away = {"zoe": {Direction.TO_SCHOOL}, "tom": {Direction.FROM_SCHOOL}}
    assert named(expected_on(PLAN, RUN, MONDAY, away)) == [("zoe", "s1", True), ("tom", "s2", False)]


def test_of_two_homes_the_child_is_expected_at_the_stop_of_that_days_home():
    waits = (Waiting(Direction.TO_SCHOOL, 0b00011, 0), Waiting(Direction.TO_SCHOOL, 0b11000, 1))
    riders = (replace(PLAN.riders[0], waits=waits), PLAN.riders[1])
    shared = replace(PLAN, riders=riders)
    assert named(expected_on(shared, RUN, MONDAY))[0] == ("zoe", "s1", False)
    assert named(expected_on(shared, RUN, THURSDAY)) == [("tom", "s2", False)]  # this coach takes zoe up at s1 alone


def test_a_pupil_has_the_runs_of_the_day_and_way():
    assert runs_of_pupils(PLAN, MONDAY, Direction.TO_SCHOOL) == {"zoe": ("C001-M",), "tom": ("C001-M",)}
    assert runs_of_pupils(PLAN, MONDAY, Direction.FROM_SCHOOL) == {}


ZOE = Who("zoe", CardState.ACTIVE, is_registered=True)
HERE = Seen(expected=Expected(0, "zoe", 0, 2, "s1"))


@pytest.mark.parametrize(
    ("who", "stop", "seen", "why"),
    [
        (ZOE, "s1", HERE, Why.EXPECTED),
        (ZOE, "", HERE, Why.EXPECTED),
        (replace(ZOE, card=CardState.DELIVERED), "s1", HERE, Why.EXPECTED),
        (replace(ZOE, card=None), "s1", HERE, Why.EXPECTED),
        (ZOE, "s2", HERE, Why.OTHER_STOP),
        (ZOE, "s1", Seen(expected=Expected(0, "zoe", 0, 2, "s1", is_away=True)), Why.ANNOUNCED_AWAY),
        (ZOE, "s1", replace(HERE, validated_on=["M"]), Why.ALREADY),
        (ZOE, "s1", Seen(other_runs=["N"]), Why.OTHER_RUN),
        (ZOE, "s1", Seen(other_runs=["N"], validated_on=["N"]), Why.OTHER_RUN),
        (ZOE, "s1", Seen(other_runs=["N"], validated_on=["O"]), Why.ALREADY_ELSEWHERE),
        (ZOE, "s1", Seen(is_of_run=True), Why.OTHER_DAY),
        (ZOE, "s1", Seen(), Why.NO_RIDE),
        (Who(), "s1", Seen(), Why.UNKNOWN_CARD),
        (replace(ZOE, card=CardState.BLOCKED), "s1", HERE, Why.CARD_BLOCKED),
        (replace(ZOE, card=CardState.LOST), "s1", HERE, Why.CARD_LOST),
        (replace(ZOE, card=CardState.REPLACED), "s1", HERE, Why.CARD_REPLACED),
        (replace(ZOE, card=CardState.ORDERED), "s1", HERE, Why.CARD_NOT_SENT),
        (replace(ZOE, is_registered=False), "s1", HERE, Why.NOT_REGISTERED),
    ],
)
def test_what_a_driver_is_told(who, stop, seen, why):
    assert judge(who, "M", stop, seen) is why


def test_every_reason_has_a_colour_and_red_is_nobody_of_ours():
    assert set(ANSWER_OF) == set(Why)
    red = {why for why, answer in ANSWER_OF.items() if answer is Answer.RED}
    assert red == {why for why in Why if why.startswith("card_")} | {Why.UNKNOWN_CARD, Why.NOT_REGISTERED}


def test_who_is_to_get_off_gets_off():
    expected = expected_on(PLAN, RUN, MONDAY)
    aboard = who_is_aboard([Boarding(Act.BOARD, "tom", Why.EXPECTED), Boarding(Act.BOARD, "x", Why.OTHER_RUN)])
    assert set_down_at(expected, aboard, 2) == ("tom",)
    assert set_down_at(expected, aboard, 0) == ()


class Coach(RuleBasedStateMachine):
    """A coach whose driver taps at random, beside a plain set of who is in it."""

    @initialize()
    def begin(self):
        self.told, self.inside, self.strangers = [], set(), 0

    @rule(pupil=st.sampled_from("abcdef"), why=st.sampled_from(Why))
    def board(self, pupil, why):
        self.told.append(Boarding(Act.BOARD, pupil, why))
        if why.value not in {"unknown_card", "not_registered"} and not why.value.startswith("card_"):
            self.inside |= {pupil}

    @rule(pupil=st.sampled_from("abcdef"))
    def alight(self, pupil):
        self.told.append(Boarding(Act.ALIGHT, pupil))
        self.inside -= {pupil}

    @rule(off=st.booleans())
    def guest(self, off):
        self.told.append(Boarding(Act.GUEST_OFF if off else Act.GUEST))
        self.strangers = max(0, self.strangers - 1) if off else self.strangers + 1

    @rule()
    def unknown(self):
        self.told.append(Boarding(Act.BOARD, None, Why.UNKNOWN_CARD))

    @invariant()
    def the_list_is_the_set(self):
        aboard = who_is_aboard(self.told)
        assert (set(aboard.pupils), aboard.n_guests) == (self.inside, self.strangers)
        assert aboard.n == len(self.inside) + self.strangers


TestCoach = Coach.TestCase
TestCoach.settings = settings(max_examples=60, stateful_step_count=40)
