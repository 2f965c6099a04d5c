"""Boardings held against registrations: what is concluded, what is not, and the same counted by sets."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from scolaire.boarding import Expected
from scolaire.fill import LEAST_DAYS, Outing, conclude
from socle.findings import Severity

ZOE, TOM = Expected(0, "zoe", 0, 2, "s1"), Expected(1, "tom", 1, 2, "s2")


def outing(*seen, expected=(ZOE, TOM), seats=22, others=0, validated=True):
    return Outing("C1", "C1-M", seats, tuple(expected), frozenset(seen), others, is_validated=validated)


def codes(fill):
    return {one.code: one.facts for one in fill.findings}


def test_a_stop_and_a_pupil_that_nobody_saw_for_long_enough_are_told():
    fill = conclude([outing("zoe")] * LEAST_DAYS, {"s2": "Église"})
    assert fill.never_seen == ("tom",)
    assert codes(fill)["stop_never_used"] == {"stop_id": "s2", "stop": "Église", "registered": 5, "outings": 5}
    assert codes(fill)["pupils_never_seen"] == {"pupils": 1}
    assert [(one.name, one.n_expected, one.n_seen, one.percent) for one in fill.stops] == [
        ("s1", 5, 5, 100),
        ("s2", 5, 0, 0),
    ]


def test_nothing_is_concluded_from_few_outings_nor_from_silent_ones():
    few = conclude([outing("zoe")] * (LEAST_DAYS - 1))
    silent = conclude([outing(validated=False)] * LEAST_DAYS)
    assert (few.never_seen, codes(few)) == ((), {})
    assert (silent.never_seen, set(codes(silent))) == ((), {"circuit_without_validation"})
    assert (silent.n_expected, silent.stops) == (0, ())


def test_who_was_declared_absent_is_not_missed():
    away = Expected(1, "tom", 1, 2, "s2", is_away=True)
    fill = conclude([outing("zoe", expected=(ZOE, away))] * LEAST_DAYS)
    assert (fill.n_expected, fill.n_seen, fill.never_seen) == (5, 5, ())


def test_a_coach_is_too_large_or_too_small_for_who_gets_on():
    assert codes(conclude([outing("zoe", "tom", seats=22)] * 5))["coach_too_large"]["most"] == 2
    assert "coach_too_large" not in codes(conclude([outing("zoe", "tom", seats=4)] * 5))
    full = conclude([outing("zoe", "tom", seats=4, others=3)])
    assert [(one.code, one.severity) for one in full.findings] == [("coach_overfull", Severity.ERROR)]


def test_a_run_that_sets_down_and_goes_on_holds_who_is_aboard_at_once():
    """Two get on, get off at the first school, and two others get on there: four pupils, never more than two."""
    first = [Expected(n, f"first{n}", n, 2, "s1") for n in range(2)]
    then = [Expected(2 + n, f"then{n}", 2, 3, "s2") for n in range(2)]
    aboard = [one.pupil_id for one in (*first, *then)]
    fill = conclude([outing(*aboard, expected=(*first, *then), seats=2)] * LEAST_DAYS)
    assert ([one.most for one in fill.circuits], codes(fill)) == ([2], {})


def test_an_organiser_reads_of_the_own_pupils_alone():
    fill = conclude([outing("zoe")] * 5, only={"tom"})
    assert [(one.name, one.n_expected, one.n_seen) for one in fill.stops] == [("s2", 5, 0)]


OUTINGS = st.lists(
    st.tuples(st.sampled_from(["C1", "C2"]), st.sets(st.sampled_from("abcd")), st.sets(st.sampled_from("abcdef"))),
    max_size=12,
)


@given(OUTINGS)
def test_the_counts_are_those_of_sets(told):
    stop_of = {"a": "s1", "b": "s1", "c": "s2", "d": "s3"}
    expected, seen, never = Counter(), Counter(), Counter()
    outings = []
    for circuit, riders, boarded in told:
        each = tuple(Expected(0, pupil, 0, 1, stop_of[pupil]) for pupil in sorted(riders))
        outings.append(Outing(circuit, "r", 50, each, frozenset(boarded), len(boarded - riders)))
        for pupil in riders:
            expected[stop_of[pupil]] += 1
            seen[stop_of[pupil]] += pupil in boarded
            never[pupil] += 1
    fill = conclude(outings)
    assert {one.name: (one.n_expected, one.n_seen) for one in fill.stops} == {
        name: (n, seen[name]) for name, n in expected.items()
    }
    seen_ever = {pupil for _circuit, riders, boarded in told for pupil in riders & boarded}
    assert set(fill.never_seen) == {pupil for pupil, n in never.items() if n >= LEAST_DAYS and pupil not in seen_ever}
    assert (fill.n_expected, fill.n_seen) == (sum(expected.values()), sum(seen.values()))
