"""geocode and reverse-geocode through HTTP."""

from __future__ import annotations

import pytest


def test_a_match_tells_its_areas_and_one_default(ask):
    first = ask("v1/geocode", text="valmont gare")[0]
    assert (first["type"], first["id"], first["tz"], first["country"]) == ("STOP", "bfc_gare", "Europe/Paris", "FR")
    assert first["modes"] == ["TRAM", "REGIONAL_RAIL"]
    assert first["tokens"] == [[0, 7], [8, 4]]
    assert [(area["name"], area["adminLevel"], area.get("default", False)) for area in first["areas"]] == [
        ("Valmont", 8, True),
        ("Côte-d’Or", 6, False),
        ("Bourgogne-Franche-Comté", 4, False),
        ("France", 2, False),
    ]
    assert 0 <= first["importance"] <= 1


def test_communes_need_no_stop_and_are_sent_back_as_coordinates(ask):
    (hamlet,) = ask("v1/geocode", text="hameau perdu")
    assert (hamlet["type"], hamlet["id"]) == ("PLACE", "commune:25901")
    assert ask("v6/plan", fromPlace=f"{hamlet['lat']},{hamlet['lon']}", toPlace="bfc_gare", time="2026-11-24T06:00Z")


def test_two_of_one_name_are_told_apart_by_their_first_different_area(ask):
    both = ask("v1/geocode", text="le lac")
    assert {match["type"] for match in both} == {"PLACE", "STOP"}
    assert sum(area.get("unique", False) for match in both for area in match["areas"]) == 0  # the same commune


@pytest.mark.parametrize("typed", ["47.3,5.0", " 47.3 , 5.0 ", "47.3,5.0,0"])
def test_typed_coordinates_are_a_place(ask, typed):
    (match,) = ask("v1/geocode", text=typed)
    assert (match["lat"], match["lon"], match["type"]) == (47.3, 5.0, "PLACE")


def test_filters_and_numbers(ask):
    assert {match["type"] for match in ask("v1/geocode", text="valmont", type="STOP")} == {"STOP"}
    assert len(ask("v1/geocode", text="valmont", numResults=1)) == 1
    assert ask("v1/geocode", text="valmont", type="ADDRESS") == []
    modes = [match.get("modes", []) for match in ask("v1/geocode", text="valmont", mode="TRAM", type="STOP")]
    assert modes
    assert all("TRAM" in one for one in modes)
    assert ask("v1/geocode", 422, text="a", numResults=513)["code"] == "over_limit"
    assert ask("v1/geocode", 400, text="a", place="nowhere")["code"] == "bad_coordinates"
    assert ask("v1/geocode", text="valmont", min="40,0", max="41,1") == []


def test_what_is_nearest_comes_first(ask):
    names = [match["name"] for match in ask("v1/reverse-geocode", place="47.3025,5.0011", type="STOP", numResults=2)]
    assert names == ["Valmont, Mairie", "Valmont Gare"]
    assert ask("v1/reverse-geocode", 400, place="91,0")["code"] == "bad_coordinates"
