"""A carpool line in answers of the journey API."""

from __future__ import annotations

import json
from datetime import date

import httpx
import pytest

from covoiturage.lines import Hours, Line, LineStop
from covoiturage.policy.shipped import shipped_policies
from mobigo.api.deps import FixedSnapshot
from mobigo.app import make_app
from mobigo.services.journeys import with_lines
from mobigo.settings import Settings
from socle.geo import LatLon
from tests.worlds.site import serving

TIME = "2026-11-24T07:00:00+01:00"
ENDS = {"fromPlace": "46.50,5.00", "toPlace": "46.80,5.00"}
LINE = Line(
    "CV9",
    "Hameau – Bourg",
    "Essai",
    (
        LineStop("h", "Hameau", LatLon(46.5, 5.0), "21231", 0),
        LineStop("m", "Milieu", LatLon(46.6, 5.0), "21231", 13_000),
        LineStop("b", "Bourg", LatLon(46.8, 5.0), "21231", 33_000),
    ),
    frozenset(range(5)),
    (Hours(6 * 3600, 10 * 3600, 4),),
    150,
    date(2026, 1, 1),
    fictitious=True,
)


@pytest.fixture(scope="module")
def ask(world, tmp_path_factory):
    snapshot = with_lines(world, (LINE,), tuple(shipped_policies().values()), "https://exemple.test")
    app = make_app(FixedSnapshot(snapshot), Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("data")))
    with serving(app) as address, httpx.Client(base_url=address, timeout=60) as client:

        def get(path, status=200, **parameters):
            answer = client.get(path, params=parameters)
            assert answer.status_code == status, answer.text
            return answer.json() if answer.headers["content-type"].startswith("application/json") else answer.text

        yield get


def ride(answer):
    (leg,) = answer["itineraries"][0]["legs"]
    return leg


def test_the_leg_says_all_that_the_note_promises(ask):
    answer = ask("/api/v6/plan", **ENDS, time=TIME)
    leg = ride(answer)
    assert (leg["mode"], leg["routeType"], leg["displayName"]) == ("RIDE_SHARING", 1551, "Covoiturage Hameau–Bourg")
    assert (leg["routeId"], leg["routeShortName"], leg["routeLongName"]) == ("bfc_CV9", "CV9", "Hameau – Bourg")
    assert (leg["headsign"], leg["directionId"], leg["reservation"]) == ("Bourg", "0", "NONE")
    assert (leg["from"]["stopId"], leg["to"]["name"]) == ("bfc_covoiturage:h", "Bourg")
    assert [stop["name"] for stop in leg["intermediateStops"]] == ["Milieu"]
    assert (leg["startTime"], leg["endTime"]) == ("2026-11-24T06:00:00Z", "2026-11-24T06:51:00Z")
    assert leg["tripId"] == "20261124_07:00_bfc_CV9-0"
    assert leg["routeUrl"] == leg["ticketUrls"]["web"] == "https://exemple.test/covoiturage/lignes/CV9"
    told = leg["mobigo"]["carpool"]
    estimate = told.pop("driverEstimate")
    assert told == {
        "lineId": "CV9",
        "kind": "LINE",
        "fareCents": 150,
        "expectedWaitSeconds": 900,
        "demonstrationStops": True,
    }
    assert estimate.pop("policyVersion") == shipped_policies()["bfc-lignes"].version
    assert estimate == {
        "cents": 430,
        "distanceMetres": 33_000,
        "passengersAssumed": 1,
        "perExtraPassengerCents": 100,
        "policyId": "bfc-lignes",
    }
    carbon = leg["mobigo"]["carbon"]
    assert (carbon["legalGrams"], carbon["fullGrams"], carbon["class"]) == (1824, 2347, "CARPOOL_2")


@pytest.mark.parametrize("version", range(1, 7))
def test_every_version_tells_the_ride(ask, version):
    leg = ride(ask(f"/api/v{version}/plan", **ENDS, time=TIME))
    assert leg["mode"] == "RIDE_SHARING"
    assert leg["routeShortName"] == ("Covoiturage Hameau–Bourg" if version < 4 else "CV9")
    assert all(("level" in place) == (version < 6) for place in (leg["from"], leg["to"], leg["tripFrom"]))
    assert leg["legGeometry"]["precision"] == (7 if version == 1 else 6)


@pytest.mark.parametrize(("modes", "n"), [("TRANSIT", 1), ("RIDE_SHARING", 1), ("BUS,RAIL", 0), ("", 0)])
def test_modes_are_honoured(ask, modes, n):
    answer = ask("/api/v6/plan", **ENDS, time=TIME, transitModes=modes)
    assert bool(answer["itineraries"]) == bool(n)


def test_an_itinerary_is_found_again_by_its_id(ask):
    itinerary = ask("/api/v6/plan", **ENDS, time=TIME)["itineraries"][1]
    again = ask("/api/v6/refresh-itinerary", itineraryId=itinerary["id"])
    told, asked = ({**one, "mobigo": {**one["mobigo"], "labels": [], "explanation": []}} for one in (again, itinerary))
    assert json.dumps(told, sort_keys=True) == json.dumps(asked, sort_keys=True)


def test_the_trip_of_a_ride_is_the_whole_line(ask):
    trip_id = ride(ask("/api/v6/plan", fromPlace="46.60,5.00", toPlace="46.80,5.00", time=TIME))["tripId"]
    (leg,) = ask("/api/v6/trip", tripId=trip_id)["legs"]
    assert (leg["from"]["name"], leg["to"]["name"]) == ("Hameau", "Bourg")
    assert "unknown_trip" in ask("/api/v6/trip", 404, tripId="20261124_23:00_bfc_CV9-0")


def test_a_stop_of_a_line_may_be_where_one_starts(ask):
    answer = ask("/api/v6/plan", fromPlace="bfc_covoiturage:h", toPlace="46.80,5.00", time=TIME)
    assert ride(answer)["from"]["name"] == "Hameau"


def test_the_page_of_a_journey_tells_wait_price_and_estimate(ask):
    itinerary = ask("/api/v6/plan", **ENDS, time=TIME)["itineraries"][0]
    page = (
        ask(f"/trajet/{itinerary['id']}").replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
    )
    for said in (
        "Soyez à l’arrêt de covoiturage Hameau",
        "on attend une voiture 15 min en moyenne",
        "Prix par place : 1,50 €.",
        "peut recevoir 4,30 €",
        "Arrêts de démonstration.",
        "/covoiturage/lignes/CV9",
    ):
        assert said in page


def test_the_page_of_results_shows_the_line(ask):
    page = ask("/itineraire", de="46.50,5.00", vers="46.80,5.00", jour="2026-11-24", heure="07:00")
    assert "Covoiturage" in page
    assert "CV9" in page
