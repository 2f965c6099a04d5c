"""A commune asks for a stop, opinions are given, the office decides by the rule of the day, and looks again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mobigo.security import Keys
from mobigo.services.scolaire import stopping
from mobigo.services.scolaire.registering import Acting
from mobigo.store.base import reading
from mobigo.store.scolaire.registered import list_stops
from scolaire.safety.dossier import Dossier, Says, Who, list_faults, rule_on
from socle.errors import BadInput, Conflict, Forbidden, NotFound
from socle.geo import LatLon
from tests.worlds.schooling import JULY, OFFICE, SECTOR, school_year

KEYS = Keys.of("k" * 32)
MAYOR = Acting("person:mairie", "mairie", places=(("25701",), ()))
OTHER = Acting("person:autre", "autre", places=(("25702",), ()))
GOOD = Dossier("Le Bourg", LatLon(47.25, 6.30), 5, 200, 80, waiting_area=True, crossing=True, no_reversing=True)
FOR_ALL = dict.fromkeys(Who, Says.FOR)
RULE = rule_on(JULY.date())


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({}, []),
        ({"n_pupils": 3}, ["few_pupils"]),
        ({"visibility_m": 129}, ["short_sight"]),  # 80 km/h ask for 130 m
        ({"visibility_m": 129, "speed_kmh": 70}, []),
        ({"visibility_m": 159, "speed_kmh": 110}, ["short_sight"]),
        ({"waiting_area": False, "no_reversing": False}, ["reversing", "no_waiting_area"]),
    ],
)
def test_each_thing_that_a_stop_lacks_is_named(change, fault):
    assert list_faults(replace(GOOD, **change), (), FOR_ALL, RULE) == fault


def test_an_opinion_that_is_missing_or_against_is_named():
    assert list_faults(GOOD, (), {}, RULE) == ["opinion_missing"]
    assert list_faults(GOOD, (), FOR_ALL | {Who.ROAD: Says.AGAINST}, RULE) == ["opinion_against"]


@pytest.fixture
def year(engine):
    school_year(engine, KEYS)
    return engine


def stop_names(engine):
    with reading(engine) as session:
        return [stop.name for stop in list_stops(session, SECTOR)]


def test_a_stop_is_asked_for_judged_validated_and_kept_when_the_files_come_again(year):
    case = stopping.ask_for_stop(year, MAYOR, SECTOR, "25701", GOOD, b"", JULY)
    assert stopping.look(year, OFFICE, case, JULY).faults == ["opinion_missing"]
    with pytest.raises(Conflict, match="stop_with_faults"):
        stopping.decide_stop(year, OFFICE, case, "validated", "", JULY)
    stopping.give_opinion(year, MAYOR, case, "commune", "for", "", JULY)
    with pytest.raises(BadInput):
        stopping.give_opinion(year, MAYOR, case, "road", "for", "", JULY)  # not theirs to give
    for who in ("road", "carrier"):
        stopping.give_opinion(year, OFFICE, case, who, "for", "", JULY)
    stopping.decide_stop(year, OFFICE, case, "validated", "", JULY)
    assert "Le Bourg" in stop_names(year)
    school_year(year, KEYS)
    assert "Le Bourg" in stop_names(year)
    stopping.decide_stop(year, OFFICE, case, "closed", "", JULY)
    assert "Le Bourg" not in stop_names(year)


def test_a_stop_near_another_is_told_and_a_refusal_says_why(year):
    near = replace(GOOD, position=LatLon(47.162, 6.302))
    case = stopping.ask_for_stop(year, OFFICE, SECTOR, "25701", near, b"", JULY)
    found = stopping.look(year, OFFICE, case, JULY)
    assert ("too_near" in found.faults, found.nearest[0].stop_id) == (True, "s1")
    with pytest.raises(BadInput, match="why_missing"):
        stopping.decide_stop(year, OFFICE, case, "refused", " ", JULY)


def test_a_commune_sees_its_own_stops_and_decides_none(year):
    with pytest.raises(Forbidden):
        stopping.ask_for_stop(year, OTHER, SECTOR, "25701", GOOD, b"", JULY)
    with pytest.raises(BadInput, match="bad_photo"):
        stopping.ask_for_stop(year, MAYOR, SECTOR, "25701", GOOD, b"<svg>", JULY)
    case = stopping.ask_for_stop(year, MAYOR, SECTOR, "25701", GOOD, b"\x89PNG\r\n\x1a\n", JULY)
    assert stopping.get_photo(year, MAYOR, case)[0] == "image/png"
    with pytest.raises(NotFound):
        stopping.look(year, OTHER, case, JULY)
    with pytest.raises(BadInput):
        stopping.decide_stop(year, MAYOR, case, "validated", "", JULY)
    assert [len(stopping.list_asked(year, who)) for who in (MAYOR, OTHER, OFFICE)] == [1, 0, 1]


def test_a_stop_is_looked_at_again_every_year(year):
    case = stopping.ask_for_stop(year, MAYOR, SECTOR, "25701", GOOD, b"", JULY)
    later = JULY + timedelta(days=366)
    assert [stopping.look(year, OFFICE, case, now).is_due for now in (JULY, later)] == [False, True]
    stopping.review(year, MAYOR, case, later)
    assert not stopping.look(year, OFFICE, case, later).is_due
