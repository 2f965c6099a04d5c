"""Carpool lines as feeders: official metres, the expected wait, the driver's estimate by the policy of the day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from covoiturage.lines import Hours, shipped_lines
from covoiturage.policy.shipped import shipped_policies
from mobigo.bridges.feeders import Offered, find_estimate, make_feeders, tell_carpool
from routing.journeys.journey import FeederLeg
from tests.worlds.timetables import instant

POLICIES = tuple(shipped_policies().values())
CV6 = shipped_lines()[5]


def test_a_line_is_ridden_both_ways_over_its_official_metres():
    out, back = make_feeders([CV6], POLICIES).feeders
    assert (out.drive_m[0], out.drive_m[-1], out.drive_s[-1]) == (0, 33_000, 36 * 60)
    assert (back.drive_m[-1], back.drive_s[-1]) == (33_000, 36 * 60)
    assert [stop.name for stop in back.stops] == [stop.name for stop in out.stops][::-1]
    assert out.name == "Covoiturage Baume-les-Dames–Avoudrey"


def test_the_last_of_the_day_are_at_the_stop_one_wait_before_the_hours_end():
    line = replace(CV6, hours=(Hours(0, 7200, 4), Hours(7200, 10_800, 2), Hours(14_400, 18_000, 6)))
    feeder = make_feeders([line], POLICIES).feeders[0]
    assert [(one.from_s, one.until_s, one.wait_s) for one in feeder.openings] == [
        (0, 7200, 900),
        (7200, 9000, 1800),
        (14_400, 17_400, 600),
    ]


@pytest.mark.parametrize(
    ("day", "metres", "cents", "extra"),
    [
        # The note's table: 33,000 m with one passenger, and its break-even lengths.
        (date(2026, 11, 23), 33_000, 430, 100),
        (date(2020, 2, 12), 33_000, 330, 100),
        (date(2026, 11, 23), 110_000, 1200, 100),
        (date(2026, 11, 23), 53_000, 630, 100),
    ],
)
def test_the_driver_s_estimate_is_that_of_the_policy_of_the_day(day, metres, cents, extra):
    estimate = find_estimate(Offered(CV6, POLICIES, ""), day, metres)
    assert (estimate.cents, estimate.extra_cents, estimate.metres, estimate.passengers) == (cents, extra, metres, 1)


def test_a_day_without_policy_has_no_estimate():
    assert find_estimate(Offered(CV6, POLICIES, ""), date(2019, 11, 27), 33_000) is None


def test_what_a_ride_costs_and_how_long_one_waits():
    feeder = make_feeders([CV6], POLICIES, site="https://exemple.test").feeders[1]
    leg = FeederLeg(feeder, 0, len(feeder.stops) - 1, instant("07:30"), 1200)
    facts = tell_carpool(leg)
    assert (facts.fare_cents, facts.expected_wait_s, facts.metres) == (150, 1200, 33_000)
    assert facts.estimate.policy_id == "bfc-lignes"
    assert facts.page == "https://exemple.test/covoiturage/lignes/CV6"
