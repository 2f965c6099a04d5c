from datetime import date

import pytest

from mobigo.demo.calendar import make_window
from mobigo.demo.facts import read_facts
from mobigo.demo.labels import Edition
from mobigo.demo.rail import rail_tables, rail_trips
from mobigo.demo.tariff import band_of, rail_distances, rail_fares, ter_bands, urban_fares
from mobigo.demo.urban.plans import BESANCON, DIJON
from mobigo.demo.urban.tables import urban_tables

FACTS = read_facts()
EDITION = Edition(FACTS, 2020, make_window(date(2026, 11, 16), 4, FACTS.school_holidays))
DISTANCES = rail_distances(FACTS)
BANDS = ter_bands(FACTS)
STATION = {station.name: uic8 for uic8, station in FACTS.stations.items()}


@pytest.mark.parametrize(
    ("one", "other", "published_km"),
    [
        ("Dijon", "Beaune", 37.0),
        ("Besançon Viotte", "Dole", 46.1),
        ("Besançon Viotte", "Montbéliard", 78.5),
        ("Dijon", "Besançon Viotte", 93.0),
        ("Besançon Viotte", "Belfort-Ville", 96.2),
        ("Dijon", "Laroche - Migennes", 159.3),
    ],
)
def test_rail_distances_are_those_published(one, other, published_km):
    hectometres = DISTANCES[STATION[one], STATION[other]]
    assert hectometres / 10 == pytest.approx(published_km, rel=0.015)
    assert band_of(BANDS, hectometres) == band_of(BANDS, round(10 * published_km))
    assert DISTANCES[STATION[other], STATION[one]] == hectometres


@pytest.mark.parametrize(
    ("hectometres", "cents"),
    [(1, 600), (354, 600), (355, 1300), (704, 1300), (705, 1900), (1355, 3100), (2005, 4100), (5000, 4100)],
)
def test_a_distance_is_rounded_to_a_kilometre_then_priced_by_its_band(hectometres, cents):
    assert band_of(BANDS, hectometres).cents == cents


def test_every_pair_of_stations_that_rails_join_has_one_price():
    tables = rail_tables(EDITION, rail_trips(FACTS, 2020))
    fares = rail_fares(FACTS, tables)
    pairs = [row[1:3] for row in fares["fare_leg_rules"].rows]
    assert len(set(pairs)) == len(pairs)
    inside = fares["areas"].texts("area_id")
    assert {one for one, _ in pairs} <= set(inside)
    with_trains = sum(FACTS.stations[uic8].has_trains for uic8 in inside)
    assert len(pairs) >= with_trains * (with_trains - 1)


def test_young_people_pay_half_and_children_two_euros():
    fares = rail_fares(FACTS, rail_tables(EDITION, rail_trips(FACTS, 2020)))
    price = {(row[0], row[2]): row[3] for row in fares["fare_products"].rows}
    assert price["TER-36", "plein-tarif"] == "13.00"
    assert price["TER-36", "moins-de-26-ans"] == "6.50"
    assert price["TER-36", "enfant"] == "2.00"


def test_besancon_is_free_on_saturday_until_the_night_is_over():
    fares = urban_fares(BESANCON, FACTS, urban_tables(BESANCON, EDITION))
    assert fares["timeframes"].rows == [
        ("BES-SAMEDI", 16_200, 86_400, "BES-SAM"),
        ("BES-SAMEDI", 0, 9_000, "BES-DIM"),
    ]
    free = [row for row in fares["fare_leg_rules"].rows if row[2] == "BES-SAMEDI"]
    assert free == [("BES", "BES", "BES-SAMEDI", "BES-GRATUIT", 1)]


def test_a_city_ticket_is_an_hour_with_changes_in_both_versions_of_fares():
    fares = urban_fares(DIJON, FACTS, urban_tables(DIJON, EDITION))
    assert fares["fare_attributes"].rows == [("DIJ-1H", "1.80", "EUR", 0, None, "DIJON-DEMO", 3600)]
    assert fares["fare_products"].rows[0][3] == "1.80"
    assert fares["fare_transfer_rules"].rows == [("DIJ", "DIJ", -1, 3600, 1, 0)]
