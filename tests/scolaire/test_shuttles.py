"""Noon shuttles: what an office tells of them, what is planned, and every promise of theirs that can be broken."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobigo.bridges.school_feeds import Publisher, tables_of_lines
from mobigo.texts import all_texts, finding_sentence
from scolaire.against import broken_against
from scolaire.boarding import expected_on
from scolaire.calendar import school_days
from scolaire.checking import Rule, broken_promises
from scolaire.edits.applying import Context, apply
from scolaire.edits.kinds import MoveBell, MovePupil
from scolaire.generator import draw_sector, with_shuttles
from scolaire.lines import count_users, open_lines, whole_lines
from scolaire.papers import notices_of, school_lists
from scolaire.periods import Asked, plan_week
from scolaire.planfiles import read_plan, render_plan
from scolaire.plans import Direction, measure, rides_of
from scolaire.pupils import FULL_DAYS, Noon, Regime, Stop, StopStatus
from scolaire.reading import read_sector
from scolaire.roadbook import make_roadbook
from scolaire.ways import Ways, places_of, straight_matrix
from scolaire.writing import render_sector
from socle.errors import BadInput
from socle.geo import distance_m
from tests.oracles.school_times import slow_times
from tests.worlds.examples import random_examples
from tests.worlds.plans import PLAN as PLAN_OF_OLD
from tests.worlds.sectors import PUPILS, lines_of, sector_files

HEADER = "school_id,morning_ends,afternoon_begins,canteen_stop_id,home,days,wait_max,window_max,ride_max,meal_min"
NOONS = (Direction.NOON_FROM_SCHOOL, Direction.NOON_TO_SCHOOL)


# --- what an office tells -------------------------------------------------------------------------


def read(*rows, header=HEADER, **files):
    return read_sector(sector_files(shuttles=lines_of(header, *rows), **files))


def test_a_row_is_the_noon_of_a_school_and_most_of_it_need_not_be_written():
    sector, findings = read("c1,12:00,13:30,s1", header="school_id,morning_ends,afternoon_begins,canteen_stop_id")
    assert [one for one in findings if one.file == "shuttles.csv"] == []
    # 90 minutes less 15, 15 and 30 are 30 for two rides
    assert sector.schools[0].noon == Noon(43_200, 48_600, FULL_DAYS, "s1", False, 900, 900, 900, 1_800)


def test_a_sector_without_the_file_has_no_noon_and_nothing_is_said_of_it():
    sector, findings = read_sector(sector_files())
    assert sector.schools[0].noon is None
    assert "shuttles.csv" not in {one.file for one in findings}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("c9,12:00,13:30,s1,,,,,,", "shuttle_school_unknown"),
        (",12:00,13:30,s1,,,,,,", "cell_missing"),
        ("c1,,13:30,s1,,,,,,", "cell_missing"),
        ("c1,midi,13:30,s1,,,,,,", "cell_no_time"),
        ("c1,13:30,12:00,s1,,,,,,", "shuttle_hours"),
        ("c1,07:00,13:30,s1,,,,,,", "shuttle_hours"),
        ("c1,12:00,17:30,s1,,,,,,", "shuttle_hours"),
        ("c1,12:00,13:30,s9,,,,,,", "shuttle_stop_unknown"),
        ("c1,12:00,13:30,s2,,,,,,", "shuttle_stop_not_validated"),
        ("c1,12:00,13:30,,,,,,,", "shuttle_nowhere"),
        ("c1,12:00,13:30,,bof,,,,,", "cell_no_word"),
        ("c1,12:00,13:30,s1,,lu me,,,,", "shuttle_days"),
        ("c1,12:00,13:30,s1,,hier,,,,", "cell_no_days"),
        ("c1,12:00,12:50,s1,,,,,,", "shuttle_break_short"),
        ("c1,12:00,13:30,s1,,,,,16,", "shuttle_break_short"),
        ("c1,12:00,13:30,s1,,,,,0,", "shuttle_break_short"),
        ("c1,12:00,13:30,s1,,,600,,,", "cell_no_minutes"),
        ('"c1,12:00', "row_broken"),
    ],
)
def test_a_row_that_cannot_be_driven_is_set_apart_with_its_reason(row, code):
    sector, findings = read(row)
    assert sector.schools[0].noon is None
    mine = [one for one in findings if one.file == "shuttles.csv"]
    assert [(one.line, one.code) for one in mine] == [(2, code)]
    assert all(finding_sentence(one) for one in mine)


def test_the_first_of_two_rows_of_a_school_counts_and_a_shuttle_for_nobody_is_told():
    rows = "c1,12:00,13:30,s1,,,,,,", "c1,12:15,13:45,s1,,,,,,"
    sector, findings = read(*rows)
    assert sector.schools[0].noon.ends_s == 12 * 3600
    assert [(one.line, one.code) for one in findings if one.file == "shuttles.csv"] == [(3, "row_twice")]
    nobody = lines_of(PUPILS, "p2,47.17,6.36,c1,college,externe,lu ma je ve,0,")
    told = [(one.line, one.code) for one in read(rows[0], pupils=nobody)[1] if one.file == "shuttles.csv"]
    assert told == [(2, "shuttle_for_nobody")]


def test_bytes_anywhere_in_the_file_never_raise():
    dice = random.Random(1)
    for _ in range(200):
        noise = bytes(dice.randrange(256) for _ in range(dice.randrange(60)))
        read_sector({**sector_files(), "shuttles.csv": f"{HEADER}\n".encode() + noise})


def test_what_is_written_is_read_back():
    sector = sector_with_shuttles()
    again, findings = read_sector(render_sector(sector))
    assert [one.code for one in findings] == []
    assert [one.noon for one in again.schools] == [one.noon for one in sector.schools]
    assert "shuttles.csv" not in render_sector(draw_sector(3, n_pupils=20))


# --- what is planned ------------------------------------------------------------------------------


@cache
def sector_with_shuttles(seed=3, n_pupils=120, n_schools=3, *, is_home=False):
    """The schools with most pupils send theirs to eat at the nearest stop that is not next door."""
    sector = draw_sector(seed, n_pupils=n_pupils)
    going = Counter(pupil.school_id for pupil in sector.pupils)
    sent = {school_id for school_id, _n in going.most_common(n_schools)}

    def noon_of(school):
        away = {distance_m(school.position, stop.position): stop.stop_id for stop in sector.stops}
        canteen = away[min(metres for metres in away if metres > 1_000)]
        return Noon(12 * 3600, 13 * 3600 + 1800, FULL_DAYS, canteen, is_home, 900, 900, 900, 1_800)

    schools = tuple(replace(one, noon=noon_of(one)) if one.school_id in sent else one for one in sector.schools)
    return replace(sector, schools=schools)


@cache
def planned():
    sector = sector_with_shuttles(is_home=True)
    matrix = straight_matrix(places_of(sector))
    return sector, plan_week(sector, matrix, Asked(1, steps=900), "midi"), Ways(places_of(sector), matrix)


def goes_to_canteen(plan, run):
    noons = {plan.schools[plan.riders[rider].school].noon.canteen_stop_id for rider in run.halts[0].up}
    last = run.halts[-1].stop
    return last is not None and plan.stops[last].stop_id in noons


def noon_runs(plan):
    return [run for run in plan.runs if plan.periods[run.period].direction in NOONS]


def test_half_boarders_are_driven_to_the_canteen_and_day_pupils_home_and_back_and_nobody_else():
    sector, plan, ways = planned()
    assert broken_promises(plan, ways) == ()
    assert broken_against(plan, sector) == ()
    noons = {one.school_id: one.noon for one in sector.schools if one.noon}
    assert len(noons) == 3
    carried = {
        (ride.rider, plan.periods[run.period].direction, ride.stop) for run in noon_runs(plan) for ride in rides_of(run)
    }
    named = {(one.pupil_id, one.period) for one in plan.not_served}
    assert carried
    asked = 0
    for pupil, _home in sector.plannable:
        told = sector.pupils[pupil]
        rider = next(at for at, one in enumerate(plan.riders) if one.pupil_id == told.pupil_id)
        for direction in NOONS:
            stops = {stop for who, way, stop in carried if (who, way) == (rider, direction)}
            if told.school_id not in noons or told.regime is Regime.BOARDER:
                assert not stops
                continue
            asked += 1
            period = next(at for at, one in enumerate(plan.periods) if one.direction is direction)
            assert bool(stops) != ((told.pupil_id, period) in named) or (told.pupil_id, None) in named
            if told.regime is Regime.HALF_BOARD:
                assert {plan.stops[stop].stop_id for stop in stops} <= {noons[told.school_id].canteen_stop_id}
    assert asked > 8


def test_the_coaches_of_the_morning_drive_the_noon_too():
    _sector, plan, _ways = planned()
    most = max(len(plan.runs_of(at)) for at in range(len(plan.periods)))
    assert len(plan.circuits) == most
    for run in noon_runs(plan):
        others = [one for one in plan.circuits[run.circuit_id] if one is not run]
        assert any(plan.periods[one.period].direction is Direction.TO_SCHOOL for one in others)
    without = replace(plan, runs=tuple(run for run in plan.runs if run not in noon_runs(plan)))
    assert measure(plan).week_cents > measure(without).week_cents
    assert measure(plan).n_vehicles == measure(without).n_vehicles


def test_there_is_time_to_eat_whenever_coaches_come_and_go_within_their_windows():
    for spare in (0, 1):
        with pytest.raises(ValueError, match="two rides and a meal"):
            Noon(43_200, 48_600 - 1 - spare, FULL_DAYS, "s", False, 900, 900, 900, 1_800)
    noon = Noon(43_200, 48_600, FULL_DAYS, "s", False, 900, 900, 900, 1_800)
    latest_there = noon.ends_s + noon.wait_max_s + noon.ride_max_s
    soonest_back = noon.resumes_s - noon.window_max_s - noon.ride_max_s
    assert soonest_back - latest_there >= noon.meal_s


def test_times_of_noon_runs_are_those_of_the_slow_twin():
    _sector, plan, _ways = planned()
    for run in noon_runs(plan):
        assert slow_times(plan, run) == [halt.arrives_s for halt in run.halts]


@random_examples(6)
@given(seed=st.integers(0, 10**6), n_pupils=st.integers(10, 60), seats=st.integers(4, 60), is_home=st.booleans())
def test_random_plans_with_shuttles_break_no_promise(seed, n_pupils, seats, is_home):
    sector = sector_with_shuttles(seed, n_pupils, 4, is_home=is_home)
    kinds = tuple(replace(kind, seats=seats, count=3) for kind in sector.vehicle_types[:2])
    sector = replace(sector, vehicle_types=kinds)
    matrix = straight_matrix(places_of(sector))
    plan = plan_week(sector, matrix, Asked(seed % 97, steps=60), "")
    assert broken_promises(plan, Ways(places_of(sector), matrix)) == ()
    assert broken_against(plan, sector) == ()


def test_the_generator_has_village_schools_share_a_canteen_and_a_group():
    sector = with_shuttles(draw_sector(1, n_pupils=600), 3)
    sent = [one for one in sector.schools if one.noon]
    assert sent
    stops = {stop.stop_id: stop for stop in sector.stops}
    for school in sent:
        assert school.group in {one.group for one in sector.schools if one.noon is None}
        host = stops[school.noon.canteen_stop_id]
        assert host.position in {one.position for one in sector.schools if one.group == school.group}
    assert with_shuttles(sector, 0).pupils == sector.pupils
    assert read_sector(render_sector(sector))[0].schools == sector.schools


# --- faults planted -------------------------------------------------------------------------------


def rules(plan, of=None):
    return {one.rule for one in broken_promises(plan)}


def with_halts(plan, run, change):
    halts = tuple(change(at, halt) for at, halt in enumerate(run.halts))
    return replace(plan, runs=tuple(replace(one, halts=halts) if one is run else one for one in plan.runs))


def later(seconds):
    def change(_at, halt):
        return replace(halt, arrives_s=halt.arrives_s + seconds, leaves_s=halt.leaves_s + seconds)

    return change


def run_of(direction):
    _sector, plan, _ways = planned()
    return plan, next(run for run in plan.runs if plan.periods[run.period].direction is direction)


@pytest.mark.parametrize(
    ("direction", "seconds", "rule"),
    [
        (Direction.NOON_FROM_SCHOOL, -1_200, Rule.LEAVES_TOO_EARLY),
        (Direction.NOON_FROM_SCHOOL, 1_200, Rule.LEAVES_LATE),
        (Direction.NOON_TO_SCHOOL, -1_200, Rule.ARRIVES_TOO_EARLY),
        (Direction.NOON_TO_SCHOOL, 1_200, Rule.ARRIVES_LATE),
        (Direction.NOON_FROM_SCHOOL, 3_600, Rule.MEAL_TOO_SHORT),
        (Direction.NOON_TO_SCHOOL, -3_600, Rule.MEAL_TOO_SHORT),
    ],
)
def test_a_shuttle_at_another_hour_is_found(direction, seconds, rule):
    plan, run = run_of(direction)
    assert rule in rules(with_halts(plan, run, later(seconds)))


def test_a_ride_longer_than_that_of_the_noon_is_found_though_a_morning_may_last_as_long():
    plan, run = run_of(Direction.NOON_FROM_SCHOOL)
    last = len(run.halts) - 1
    school = plan.schools[plan.riders[run.halts[0].up[0]].school]
    assert school.noon.ride_max_s < school.ride_max_s
    slow = with_halts(plan, run, lambda at, halt: later(school.noon.ride_max_s)(at, halt) if at == last else halt)
    assert Rule.RIDE_TOO_LONG in rules(slow)


def test_who_is_left_at_noon_without_being_named_and_who_is_taken_elsewhere_are_found():
    plan, run = run_of(Direction.NOON_FROM_SCHOOL)
    assert Rule.FORGOTTEN in rules(replace(plan, runs=tuple(one for one in plan.runs if one is not run)))
    at, halt = next((at, one) for at, one in enumerate(run.halts) if one.down)
    elsewhere = next(stop for stop in range(len(plan.stops)) if stop != halt.stop)
    moved = with_halts(plan, run, lambda nth, one: replace(one, stop=elsewhere) if nth == at else one)
    assert Rule.WRONG_STOP in rules(moved)


def test_a_coach_cannot_be_at_two_canteens_at_once():
    plan, run = run_of(Direction.NOON_FROM_SCHOOL)
    morning = plan.circuits[run.circuit_id][0]
    assert morning is not run
    late = with_halts(plan, morning, later(run.begins_s - morning.begins_s))
    assert Rule.CIRCUIT_OVERLAPS in rules(late)


def test_a_noon_shuttle_of_a_school_that_has_no_noon_and_a_plan_older_than_the_file_are_found():
    sector, plan, _ways = planned()
    bare = replace(plan, schools=tuple(replace(one, noon=None) for one in plan.schools))
    assert Rule.NO_BELL in rules(bare)
    matrix = straight_matrix(places_of(sector))
    before = replace(sector, schools=tuple(replace(one, noon=None) for one in sector.schools))
    old = plan_week(before, matrix, Asked(1, steps=50), "")
    assert broken_against(old, before) == ()
    told = {(one.rule, one.subject) for one in broken_against(old, sector)}
    assert told == {(Rule.FORGOTTEN, str(direction)) for direction in NOONS}


# --- what becomes of it ---------------------------------------------------------------------------


def test_a_plan_with_shuttles_comes_back_from_its_file_and_files_of_old_are_read():
    _sector, plan, _ways = planned()
    assert read_plan(render_plan(plan)) == plan
    old = render_plan(PLAN_OF_OLD).replace(b',"noon":null', b"").replace(b',"noon": null', b"")
    assert b"noon" not in old
    assert read_plan(old) == PLAN_OF_OLD


def test_shuttles_are_in_road_books_lists_and_notices_and_in_no_open_line():
    _sector, plan, _ways = planned()
    runs = {run.run_id for run in noon_runs(plan)}
    assert runs.isdisjoint(run.run_id for run in open_lines(plan).runs)
    assert runs <= {run.run_id for run in whole_lines(plan).runs}
    without = replace(plan, runs=tuple(run for run in plan.runs if run.run_id not in runs))
    assert count_users(plan) == count_users(without)
    for run in noon_runs(plan):
        book = make_roadbook(plan, run)
        assert book.direction in NOONS
        assert book.before is not None or book.after is not None
    listed = {coach.run_id for one in school_lists(plan) for coach in one.coaches}
    assert runs <= listed
    assert any(period.direction in NOONS for one in notices_of(plan) for period, _passage, _stop in one.rides)
    by = Publisher("Région", "https://example.org", "Région", "Scolaire", "arrêt", "école", "ligne")
    trips = tables_of_lines(whole_lines(plan), school_days("2026-11"), by, inside=True)["trips"]
    ways = dict(zip(trips["trip_id"], trips["direction_id"], strict=True))
    for run in noon_runs(plan):
        assert ways[run.run_id] == (0 if plan.periods[run.period].direction.is_to_school else 1)
        assert expected_on(plan, run, 0)


@pytest.mark.parametrize("direction", list(Direction))
def test_every_way_has_its_words_wherever_ways_are_told(direction):
    for key in (
        *("papers.direction.{}", "papers.poster.{}", "papers.school.coach_{}", "papers.family.{}"),
        *("papers.family.column_time_{}", "papers.family.column_school_{}", "papers.family.left_{}"),
        *("scolaire.desk.direction.{}", "school.way.{}", "scolaire.messages.{}"),
    ):
        assert f"web.{key.format(direction)}" in all_texts()
    assert f"personal.value.direction.{direction}" in all_texts()


def test_who_moves_house_eats_where_they_ate_and_bells_stay_around_the_noon():
    _sector, plan, _ways = planned()
    run = next(one for one in noon_runs(plan) if goes_to_canteen(plan, one))
    rider = run.halts[-1].down[0] if run.halts[-1].down else run.halts[0].up[0]
    told = plan.riders[rider]
    new = Stop("neuf", "Arrêt neuf", plan.stops[next(iter(told.waits)).stop].position, StopStatus.VALIDATED)
    more = replace(plan, stops=(*plan.stops, new))
    context = Context(Ways(places_of(more), straight_matrix(places_of(more))))
    after = apply(more, MovePupil(told.pupil_id, "neuf"), context).plan.riders[rider]
    at_noon = {one.stop for one in told.waits if one.direction in NOONS}
    assert {one.stop for one in after.waits if one.direction in NOONS} == at_noon
    assert {one.stop for one in after.waits if one.direction not in NOONS} == {len(plan.stops)}
    school = plan.schools[told.school]
    for bells in ({"bell_pm_s": school.noon.resumes_s}, {"bell_am_s": school.noon.ends_s}):
        with pytest.raises(BadInput, match="school_bell_impossible"):
            apply(plan, MoveBell(school.school_id, **bells), context)
