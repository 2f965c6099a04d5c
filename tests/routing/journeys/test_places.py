"""Places: what people type, on a small Burgundy that fits in the head."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.journeys.gazetteer import Commune, Kind, NamedStop
from routing.journeys.places import PlaceIndex, Wanted, build_index, find_meant
from routing.journeys.words import fold
from socle.geo import LatLon, box_of_corners
from tests.worlds.examples import random_examples

COMMUNES = """
21231 Dijon               47.3215 5.0415 158002 21
25056 Besançon            47.2380 6.0240 117912 25
21603 Semur-en-Auxois     47.4900 4.3330   4100 21
71510 Semur-en-Brionnais  46.2650 4.0870    600 71
39478 Saint-Claude        46.3870 5.8640   8800 39
25632 Vaux-lès-Prés       47.2520 5.9060    400 25
39300 Lons-le-Saunier     46.6750 5.5540  17000 39
25047 Baume-les-Dames     47.3510 6.3590   5200 25
89009 Appoigny            47.8740 3.5270   3100 89
25034 L'Isle-sur-le-Doubs 47.4480 6.5850   3000 25
"""
STOPS = """
47.3234 5.0273 0.95 REGIONAL_RAIL Dijon Ville
47.3250 5.0620 0.50 REGIONAL_RAIL Dijon Porte Neuve
47.2470 6.0220 0.90 REGIONAL_RAIL Besançon Viotte
47.3070 5.9500 0.60 HIGHSPEED_RAIL Besançon Franche-Comté TGV
47.4900 4.3340 0.20 COACH Semur-en-Auxois, Place
46.3880 5.8660 0.30 REGIONAL_RAIL Saint-Claude
47.9680 3.5150 0.40 REGIONAL_RAIL Laroche - Migennes
48.8440 2.3730 1.00 HIGHSPEED_RAIL Paris Gare de Lyon
47.2480 6.0230 0.10 BUS Mairie
47.3210 5.0400 0.10 BUS Mairie
"""


def world() -> PlaceIndex:
    communes = []
    for line in COMMUNES.strip().splitlines():
        code, rest = line.split(" ", 1)
        name, lat, lon, people, department = rest.rsplit(maxsplit=4)
        communes.append(Commune(code, name.strip(), LatLon(float(lat), float(lon)), int(people), department))
    stops = []
    for number, line in enumerate(STOPS.strip().splitlines()):
        lat, lon, importance, mode, name = line.split(maxsplit=4)
        stops.append(NamedStop(number, name, LatLon(float(lat), float(lon)), (mode,), float(importance)))
    return build_index(stops, communes)


INDEX = world()


def best(text: str, **wanted: object) -> str:
    found = INDEX.list_found(text, Wanted(n=1, **wanted))
    return f"{found[0].place.kind.value} {found[0].place.name}" if found else ""


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Dijon", "COMMUNE Dijon"),
        ("dijon ville", "STOP Dijon Ville"),
        ("DIJON-VILLE", "STOP Dijon Ville"),
        ("besancon", "COMMUNE Besançon"),
        ("besancon vio", "STOP Besançon Viotte"),  # the last word is on its way
        ("St Claude", "COMMUNE Saint-Claude"),
        ("st-claude gare", "STOP Saint-Claude"),
        ("Beasnçon", "COMMUNE Besançon"),  # two letters swapped
        ("Besançn", "COMMUNE Besançon"),
        ("Baume les Dmes", "COMMUNE Baume-les-Dames"),
        ("lons le saun", "COMMUNE Lons-le-Saunier"),
        ("Lisle sur le Doubs", "COMMUNE L'Isle-sur-le-Doubs"),
        ("la roche migennes", "STOP Laroche - Migennes"),
        ("Semur", "COMMUNE Semur-en-Auxois"),  # the larger of the two
        ("Semur, Saône-et-Loire", "COMMUNE Semur-en-Brionnais"),
        ("Semur-en-Auxois", "COMMUNE Semur-en-Auxois"),
        ("vaux les pres", "COMMUNE Vaux-lès-Prés"),
        ("Dijon Ville, Bourgogne-Franche-Comté", "STOP Dijon Ville"),
        ("Besançon Viotte, Besançon, Bourgogne-Franche-Comté", "STOP Besançon Viotte"),
        ("gare de lyon paris", "STOP Paris Gare de Lyon"),
        ("xyzxyz", ""),
        ("", ""),
        (" ,;-' ", ""),
    ],
)
def test_what_is_typed_finds_what_is_meant(typed, meant):
    assert best(typed) == meant


def test_every_whole_label_typed_back_finds_its_place_first():
    for place in INDEX.places:
        label = ", ".join([place.name, *(area.name for area in place.areas if area.level in (4, 8))])
        first = INDEX.list_found(label, Wanted(n=1))[0].place
        assert (first.name, first.areas) == (place.name, place.areas), label


def test_one_slip_is_forgiven_per_four_letters_and_no_more():
    assert best("Appogny") == "COMMUNE Appoigny"
    assert best("Apogni") == ""  # seven letters or fewer forgive one slip, this has two
    assert best("Dojin") == ""


def test_two_equal_names_are_told_apart_by_nearness():
    near_dijon = INDEX.list_found("mairie", Wanted(near=LatLon(47.32, 5.04)))
    near_besancon = INDEX.list_found("mairie", Wanted(near=LatLon(47.24, 6.02)))
    assert [found.place.areas[0].name for found in near_dijon[:2]] == ["Dijon", "Besançon"]
    assert [found.place.areas[0].name for found in near_besancon[:2]] == ["Besançon", "Dijon"]


def test_areas_go_from_the_commune_to_the_country():
    place = INDEX.list_found("Dijon Ville")[0].place
    assert [(area.name, area.level) for area in place.areas] == [
        ("Dijon", 8),
        ("Côte-d’Or", 6),
        ("Bourgogne-Franche-Comté", 4),
        ("France", 2),
    ]
    assert [area.name for area in INDEX.list_found("Paris")[0].place.areas] == ["France"]


def test_the_text_that_matched_is_pointed_at():
    found = INDEX.list_found("besançon zzz viotte")[0]
    assert found.spans == ((0, 8), (13, 6))


def test_areas_that_were_typed_are_marked():
    found = INDEX.list_found("Semur, Saône-et-Loire")[0]
    assert [found.place.areas[at].name for at in sorted(found.matched_areas)] == ["Saône-et-Loire"]


def test_kinds_modes_and_boxes_are_filters():
    assert best("Dijon", kinds=frozenset({Kind.STOP})) == "STOP Dijon Ville"
    assert best("Besançon", kinds=frozenset({Kind.STOP}), modes=frozenset({"HIGHSPEED_RAIL"})).endswith("TGV")
    assert best("Dijon", modes=frozenset({"TRAM"})) == "COMMUNE Dijon"  # modes filter stops only
    assert best("Dijon", box=box_of_corners(LatLon(47, 5.9), LatLon(48, 7))) == ""


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Dijon", "Dijon"),
        ("Dijon Ville", "Dijon Ville"),
        ("Saint-Claude", "Saint-Claude"),  # commune and station of one name are one place to a traveller
        ("Semur", None),  # in Auxois or in Brionnais: somebody has to choose
        ("Mairie", None),
        ("Carcassonne", None),
    ],
)
def test_a_place_is_meant_when_no_other_comes_close(typed, meant):
    place = find_meant(INDEX.list_found(typed))
    assert (place.name if place else None) == meant


def test_nearest_places_come_nearest_first():
    found = INDEX.list_near(LatLon(47.3233, 5.0272), Wanted(n=3, kinds=frozenset({Kind.STOP})))
    assert [near.place.name for near in found] == ["Dijon Ville", "Mairie", "Dijon Porte Neuve"]
    assert found[0].distance_m < 20
    assert [near.distance_m for near in found] == sorted(near.distance_m for near in found)


def test_an_empty_index_finds_nothing():
    empty = build_index([], [])
    assert empty.list_found("Dijon") == []
    assert empty.list_near(LatLon(47, 5)) == []


@random_examples(100)
@given(st.text(max_size=60))
def test_any_text_is_answered_within_its_own_bounds(text):
    found = INDEX.list_found(text)
    assert [place.score for place in found] == sorted((place.score for place in found), reverse=True)
    for place in found:
        assert all(start >= 0 and start + length <= len(text) for start, length in place.spans)


def test_folding_keeps_letters_only_once():
    assert fold("Œuilly-lès-Ébréon") == "oeuilly-les-ebreon"
