import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from routing.network.gate import NetworkSummary, Thresholds, judge_candidate, read_summary

TODAY = date(2026, 11, 21)
SERVED = NetworkSummary(
    TODAY - timedelta(days=3),
    (100,) * 60,
    frozenset(f"s{number}" for number in range(100)),
    frozenset({"P1", "P2"}),
    frozenset({"known_error"}),
)


def codes(candidate, served=SERVED, **thresholds):
    return [finding.code for finding in judge_candidate(candidate, served, TODAY, Thresholds(**thresholds))]


def test_an_equal_network_passes():
    assert codes(SERVED) == []


@pytest.mark.parametrize(("trips_a_day", "held"), [(91, []), (90, []), (89, ["held_fewer_trips"])])
def test_more_than_a_tenth_of_the_trips_of_a_fortnight_lost_holds(trips_a_day, held):
    assert codes(replace(SERVED, trips_per_day=(trips_a_day,) * 60)) == held


def test_trips_lost_outside_the_fortnight_do_not_hold():
    assert codes(replace(SERVED, trips_per_day=(0,) * 3 + (100,) * 14 + (1,) * 43)) == []


@pytest.mark.parametrize(("n_gone", "held"), [(5, []), (6, ["held_fewer_stops"])])
def test_more_than_a_twentieth_of_the_known_stops_lost_holds(n_gone, held):
    new_ids = frozenset(f"new{number}" for number in range(50))
    stops = frozenset(f"s{number}" for number in range(n_gone, 100)) | new_ids
    assert codes(replace(SERVED, stop_ids=stops)) == held


def test_a_network_that_ends_in_thirteen_days_is_held_only_by_one_that_lasts():
    short = replace(SERVED, trips_per_day=(100,) * (3 + 14))  # its last day is 13 days away
    assert codes(short) == ["held_fewer_trips", "held_short_horizon"][1:]
    assert codes(short, served=short) == []
    assert codes(short, horizon_days=13) == []


def test_a_new_kind_of_error_holds_and_a_known_one_does_not():
    assert codes(replace(SERVED, error_codes=frozenset({"known_error", "b", "a"}))) == ["held_new_error"] * 2


def test_a_protected_line_must_stay():
    without = replace(SERVED, line_ids=frozenset({"P2"}))
    assert codes(without) == []
    assert codes(without, protected_lines=("P1", "never seen")) == ["held_line_gone"]


def test_the_first_network_passes_unless_it_is_empty():
    old = NetworkSummary(date(2019, 1, 1), (5,), frozenset({"a"}), frozenset(), frozenset({"error"}))
    assert codes(old, served=None) == []
    assert codes(replace(old, trips_per_day=(0, 0)), served=None) == ["held_no_trip"]


def test_a_summary_survives_json():
    assert read_summary(json.loads(json.dumps(SERVED.as_dict()))) == SERVED


@pytest.mark.parametrize("plain", [{}, {"first_day": "20261121"}, SERVED.as_dict() | {"first_day": "hier"}])
def test_what_is_not_a_summary_is_refused(plain):
    with pytest.raises(ValueError, match="not a summary"):
        read_summary(plain)
