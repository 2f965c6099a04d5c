"""A plan sorted for stops, schools and families, from one drawn by hand."""

from dataclasses import replace

from scolaire.papers import notices_of, passages_of, posters_of, pupils_at_stops, school_lists
from scolaire.plans import Halt, Period, Run
from tests.worlds.plans import BACK, HOUR, OUT, PLAN


def test_every_ride_is_a_passage_between_a_stop_and_a_school():
    passages = passages_of(PLAN)
    assert len(passages) == 8 + 6
    assert {(one.stop_s, one.school_s) for one in passages if one.rider == 0} == {
        (7 * HOUR + 660, 7 * HOUR + 1_500),
        (17 * HOUR + 1_060, 17 * HOUR),
    }


def test_a_poster_says_which_coach_goes_to_which_schools_mornings_first():
    told = {
        poster.stop.name: [(call.time_s, call.period.period_id, call.schools) for call in poster.calls]
        for poster in posters_of(PLAN)
    }
    assert told == {
        "Mairie": [
            (7 * HOUR + 660, "matin", ("Collège de démonstration",)),
            (17 * HOUR + 1_060, "soir", ("Collège de démonstration",)),
        ],
        "Église d’Étalans": [(7 * HOUR, "matin", ("Collège de démonstration", "Maternelle #[fictive]"))],
    }


def test_a_school_is_told_its_own_pupils_by_coach_and_stop_and_who_has_none():
    college, nursery = school_lists(PLAN)
    told = [(coach.run_id, [(stop.name, ids) for stop, _time, ids in coach.stops]) for coach in college.coaches]
    assert told == [
        ("C001-M", [("Église d’Étalans", ("p7",)), ("Mairie", ("p1", "p2", "p3", "p4", "p5", "p6"))]),
        ("C001-S", [("Mairie", ("p1", "p2", "p3", "p4", "p5", "p6"))]),
    ]
    assert (college.n_pupils, [each.pupil_id for each in college.not_served]) == (7, ["laissé"])
    assert (nursery.n_pupils, [coach.n_pupils for coach in nursery.coaches]) == (1, [1])


def test_every_pupil_has_a_notice_also_one_whom_no_coach_carries():
    notices = {notice.pupil_id: notice for notice in notices_of(PLAN)}
    assert len(notices) == len(PLAN.riders)
    assert [passage.stop_s for _period, passage, _stop in notices["p1"].rides] == [7 * HOUR + 660, 17 * HOUR + 1_060]
    assert (notices["laissé"].rides, notices["laissé"].not_served) == ((), ((None, "no_vehicle"),))
    assert notices["p1"].n_stops == 1


def test_two_homes_are_two_stops_on_days_of_their_own():
    monday, thursday = replace(PLAN.periods[0], days=0b1), Period("jeudi", 0b1000, PLAN.periods[0].direction)
    other = Run(
        "C002-M",
        "C002",
        1,
        0,
        (Halt(25_200, 25_260, 0, 0, stop=2, up=(0,)), Halt(26_000, 26_060, 740, 9_000, school=0, down=(0,))),
        0,
        0,
    )
    plan = replace(PLAN, periods=(monday, thursday), runs=(OUT, other))
    notice = notices_of(plan)[0]
    assert [(period.days, stop.name) for period, _ride, stop in notice.rides] == [(0b1, "Mairie"), (0b1000, "Halle")]
    assert notice.n_stops == 2


def test_pupils_of_a_stop_are_counted_once_whatever_they_ride():
    assert pupils_at_stops(PLAN) == {0: 6, 1: 2}


def test_whoever_gets_on_and_never_off_has_no_passage():
    lost = replace(BACK, halts=(BACK.halts[0], replace(BACK.halts[1], down=())))
    assert passages_of(replace(PLAN, runs=(lost,))) == ()
