"""`mobigo plan`, `board` and `place`, on disk and against a server."""

from __future__ import annotations

import json

import httpx
import pytest

from mobigo.api.deps import FixedSnapshot
from mobigo.app import make_app
from mobigo.cli import main
from mobigo.cli.frame import ExitCode
from mobigo.settings import Settings
from routing.journeys.snapshot import open_snapshot
from tests.worlds.site import serving
from tests.worlds.valley import write_valley

AT = ("--at", "2026-11-24T07:00")


@pytest.fixture
def served(data_dir):
    write_valley(data_dir)
    return data_dir


@pytest.fixture
def address(served):
    snapshot = open_snapshot(served / "network" / "current")
    with serving(make_app(FixedSnapshot(snapshot), Settings(_env_file=None, data_dir=served))) as address:
        yield address


def test_a_journey_is_told_in_lines(served, capsys):
    assert main(["plan", "Valmont Gare", "bfc_lac", *AT, "-n", "1"]) == ExitCode.OK
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "mardi 24 novembre 2026",
        "07:10 → 07:35   25 min   0 corresp.   707 g CO2",
        "  07:10  TER P1 › Le Lac   Valmont Gare → Le Lac 07:35",
    ]
    assert told.err.endswith("ms\n")


def test_why_prints_the_reasons(served, capsys):
    main(["plan", "Valmont, Mairie", "bfc_lac", *AT, "--why"])
    told = capsys.readouterr().out
    assert "Le départ le plus tardif, de 10 h 00." in told


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["plan", "Zzzzz", "Valmont Gare"], ExitCode.UNKNOWN_PLACE, "Aucun lieu ne s’appelle"),
        (["plan", "Col des Vents", "Valmont Gare", *AT], ExitCode.NO, "Rien ne relie"),
        (["plan", "Valmont Gare", "Valmont Gare", *AT], ExitCode.NO, "au même endroit"),
        (["plan", "Valmont Gare", "Hameau-Perdu", *AT], ExitCode.NO, "Aucun arrêt n’est assez près"),
        (["plan", "Valmont Gare", "Col", "--at", "2031-01-01T07:00"], ExitCode.NO, "hors des horaires connus"),
        (["plan", "Valmont Gare"], ExitCode.USAGE, "il manque TO."),
        (["plan", "Valmont Gare", "Col", "--at", "demain"], ExitCode.USAGE, "écrivez une date et une heure"),
        (["plan", "Valmont Gare", "Col", "--modes", "FUSEE"], ExitCode.USAGE, "FUSEE"),
        (["plan", "99,5", "Col"], ExitCode.UNKNOWN_PLACE, "n’est pas un lieu sur la Terre"),
        (["plan", "bfc_parti", "bfc_col", *AT], ExitCode.UNKNOWN_PLACE, "n’existe pas dans ce réseau"),
        (["board", "Zzzzz"], ExitCode.UNKNOWN_PLACE, "Aucun lieu ne s’appelle"),
        (["board", "Valmont Gare", "--at", "2031-01-01T07:00"], ExitCode.NO, "Rien ne part de « Valmont Gare »"),
        (["place", "Zzzzz"], ExitCode.UNKNOWN_PLACE, "Aucun lieu ne s’appelle « Zzzzz »"),
        (["plan", "Valmont Gare", "Col", "--server", "ftp://x"], ExitCode.USAGE, "n’est pas l’adresse d’un serveur"),
        (["place", "x", "--server", "http://127.0.0.1:1"], ExitCode.UNAVAILABLE, "ne répond pas"),
    ],
)
def test_what_cannot_be_answered_is_said_with_its_code(served, capsys, arguments, code, said):
    assert main(arguments) == code
    told = capsys.readouterr()
    assert said in " ".join((told.out + told.err).split()).replace("\u00a0", " ")


def test_without_a_network_the_code_is_3(data_dir, capsys):
    assert main(["plan", "Valmont", "Le Lac"]) == ExitCode.NO_NETWORK
    assert "mobigo demo" in capsys.readouterr().err


def test_two_places_alike_are_listed(served, capsys, monkeypatch):
    assert main(["place", "valmont", "--json"]) == ExitCode.OK
    matches = json.loads(capsys.readouterr().out)
    assert matches[0]["name"] == "Valmont"


def test_modes_and_wheelchair_reach_the_search(served, capsys):
    assert main(["plan", "Valmont, Mairie", "bfc_lac", *AT, "--modes", "CAR", "--json"]) == ExitCode.OK
    answer = json.loads(capsys.readouterr().out)
    assert {leg["mode"] for one in answer["itineraries"] for leg in one["legs"]} == {"COACH"}
    assert main(["plan", "Valmont Gare", "bfc_halte", *AT, "--wheelchair"]) == ExitCode.NO
    assert "fauteuil roulant" in capsys.readouterr().out


def test_via_passes_by_a_stop(served, capsys):
    arguments = ["plan", "bfc_hopital", "bfc_lac", *AT, "--via", "Saint-Éloi-la-Halte", "--json"]
    assert main(arguments) == ExitCode.OK
    for itinerary in json.loads(capsys.readouterr().out)["itineraries"]:
        stops = [stop["stopId"] for leg in itinerary["legs"] for stop in leg.get("intermediateStops", [])]
        stops += [leg[end]["stopId"] for leg in itinerary["legs"] for end in ("from", "to")]
        assert "bfc_halte" in stops


def without_clock(answer: dict) -> dict:
    return {**answer, "debugOutput": {}}


def test_json_equals_http(served, address, capsys):
    question = {"fromPlace": "bfc_gare", "toPlace": "bfc_lac", "time": "2026-11-24T06:00:00Z", "numItineraries": "5"}
    by_http = httpx.get(f"{address}/api/v6/plan", params=question).json()
    for place in ((), ("--server", address)):
        assert main(["plan", "bfc_gare", "bfc_lac", *AT, "--json", *place]) == ExitCode.OK
        assert without_clock(json.loads(capsys.readouterr().out)) == without_clock(by_http)
        assert main(["place", "valmont", "--json", *place]) == ExitCode.OK
        told = capsys.readouterr().out
        params = {"text": "valmont", "numResults": "10"}
        assert told == httpx.get(f"{address}/api/v1/geocode", params=params).text + "\n"
        assert main(["board", "bfc_gare", *AT, "--json", *place]) == ExitCode.OK
        params = {"stopId": "bfc_gare", "time": "2026-11-24T06:00:00Z", "n": "10"}
        assert capsys.readouterr().out == httpx.get(f"{address}/api/v6/stoptimes", params=params).text + "\n"


def test_a_server_s_refusal_is_said_as_it_says_it(served, address, capsys):
    assert main(["plan", "bfc_gare", "bfc_lac", "--at", "2031-01-01T07:00", "--server", address]) == ExitCode.NO
    assert "hors des horaires connus" in " ".join(capsys.readouterr().err.split())


def test_a_server_s_refusal_has_the_code_it_has_on_disk(served, address, capsys):
    arguments = ["plan", "bfc_parti", "bfc_lac", *AT]
    for place in ((), ("--server", address)):
        assert main([*arguments, *place]) == ExitCode.UNKNOWN_PLACE
        assert "« bfc_parti »" in capsys.readouterr().err.replace("\u00a0", " ")


def test_a_bicycle_alone_brings_no_bus(served, capsys):
    assert main(["plan", "Valmont, Mairie", "bfc_lac", *AT, "--modes", "velo", "--json"]) == ExitCode.NO
    told = capsys.readouterr()
    assert json.loads(told.out)["itineraries"] == []
    assert "vélo" in told.err


def test_a_board_is_a_table(served, capsys):
    assert main(["board", "Valmont Gare", *AT, "-n", "2"]) == ExitCode.OK
    told = capsys.readouterr().out
    assert "07:10" in told
    assert "TER P1" in told
    assert told.count("mardi 24 novembre 2026") == 1
    assert main(["board", "Le Lac", *AT, "--arrivals", "-n", "1"]) == ExitCode.OK
    assert "07:35" in capsys.readouterr().out


def test_a_terminal_and_a_page_tell_the_same_clocks_and_vehicles(served, capsys):
    from mobigo.cli.journeys import _clock, _leg_line, _length_s, _vehicle

    late = "2026-11-24T10:07:08Z"
    assert (_clock(late), _clock(late, arriving=True)) == ("11:07", "11:08")
    assert _length_s({"startTime": "2026-11-24T07:03:00Z", "endTime": late}) == 3 * 3600 + 5 * 60
    coach = {"mode": "BUS", "displayName": "D22", "mobigo": {"carbon": {"class": "COACH"}}}
    assert _vehicle(coach) == "Car D22"
    assert (
        _vehicle({"mode": "BUS", "displayName": "D22", "mobigo": {"carbonClass": "COACH"}}) == "Car D22"
    )  # of a board
    assert _vehicle({"mode": "BUS", "displayName": "L3", "mobigo": {"carbon": {"class": "BUS_URBAN"}}}) == "Bus L3"
    assert _vehicle({"mode": "HIGHSPEED_RAIL", "displayName": "TGV"}) == "TGV"
    walk = {"mode": "WALK", "startTime": late, "duration": 120, "distance": 9.0}
    assert _leg_line(walk) == "11:07  correspondance 2 min"
    assert _leg_line(walk | {"distance": 1267.0, "duration": 1080}) == "11:07  à pied 18 min (1,3 km)"
