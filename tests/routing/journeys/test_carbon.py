"""Carbon: figures of the note, rounding, and the dated table."""

from __future__ import annotations

import csv
from datetime import date

import pytest

from routing.journeys import carbon

TABLE = carbon.get_table(date(2026, 11, 24))


@pytest.mark.parametrize(
    ("carbon_class", "distance_m", "legal_g", "full_g"),
    [
        ("TER", 100_000, 2_290, 2_769),
        ("TGV", 200_000, 460, 586),
        ("COACH", 25_000, 829, 939),  # 828.5 and 939.0: half a gram goes up
        ("BUS_URBAN", 4_400, 499, 539),  # 499.4 and 538.648
        ("WALK", 1_000, 0, 0),
        ("BIKE", 3_000, 0, 1),  # 0.51
    ],
)
def test_a_leg_emits_its_distance_times_the_official_factor(carbon_class, distance_m, legal_g, full_g):
    leg = carbon.find_leg_carbon(TABLE, carbon_class, distance_m)
    assert leg is not None
    assert (leg.legal_g, leg.full_g, leg.carbon_class) == (legal_g, full_g, carbon_class)


def test_a_car_is_shared_by_the_people_aboard():
    leg = carbon.find_leg_carbon(TABLE, "CAR", 33_000, n_aboard=2)
    assert leg == carbon.LegCarbon(1_824, 2_347, 33_000, "CARPOOL_2", 55.28, 71.125)
    assert leg == carbon.find_leg_carbon(TABLE, "CARPOOL", 33_000)


def test_a_train_is_not_shared_twice():
    assert carbon.find_leg_carbon(TABLE, "TER", 10_000, n_aboard=3) == carbon.find_leg_carbon(TABLE, "TER", 10_000)


def test_a_class_without_an_official_factor_has_no_figure():
    assert carbon.find_leg_carbon(TABLE, "FERRY", 10_000) is None


def test_the_sum_is_that_of_the_rounded_legs_and_names_its_table():
    legs = [carbon.find_leg_carbon(TABLE, "COACH", 25_000), carbon.find_leg_carbon(TABLE, "COACH", 25_000)]
    total = carbon.find_sum(TABLE, legs, car_distance_m=50_000)
    assert total == carbon.Carbon(1_658, 1_878, "ADEME 2026-07-01", 5_528)


def test_a_sum_with_an_unknown_leg_is_unknown():
    assert carbon.find_sum(TABLE, [carbon.find_leg_carbon(TABLE, "TER", 1), None], 1) is None


def test_a_day_before_the_first_table_uses_the_oldest():
    assert carbon.get_table(date(2020, 2, 12)) is carbon.all_tables()[0]


@pytest.mark.shared
def test_the_table_is_the_official_extract(shared):
    path = shared("standards/ademe-factors/ademe_transport_gco2e_per_km.csv")
    with path.open(encoding="utf-8") as lines:
        official = {row["slug"]: row for row in csv.DictReader(lines)}
    rows = list(csv.DictReader((carbon.files("routing.journeys") / "factors.csv").read_text("utf-8").splitlines()))
    for row in rows:
        source = official[row["slug"]]
        assert float(row["legal_g_per_km"]) == float(source["use_phase_gco2e"]), row
        assert float(row["full_g_per_km"]) == float(source["total_gco2e"]), row
        assert source["basis"] == f"per_{row['basis']}_km", row
