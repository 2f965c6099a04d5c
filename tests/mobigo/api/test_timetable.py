"""stoptimes, stop, trip, refresh-itinerary and the map through HTTP."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import pytest

from routing.journeys.refresh import read_itinerary_id, render_itinerary_id
from socle.geo import read_polyline

MORNING = "2026-11-24T07:00:00+01:00"
GARE, LAC = "bfc_gare", "bfc_lac"


def rows(answer: dict) -> list[tuple]:
    return [(one["place"].get("departure", one["place"].get("arrival")), one["tripId"]) for one in answer["stopTimes"]]


def test_a_board_tells_what_leaves_in_order(ask):
    answer = ask("v6/stoptimes", stopId=GARE, time=MORNING, n=3)
    told = [(row["place"]["departure"], row["displayName"], row["headsign"]) for row in answer["stopTimes"]]
    assert told == [
        ("2026-11-24T06:00:00Z", "T1", "Hôpital"),
        ("2026-11-24T06:10:00Z", "P1", "Le Lac"),
        ("2026-11-24T06:10:00Z", "T1", "Hôpital"),
    ]
    assert answer["place"]["stopId"] == GARE
    assert answer["stopTimes"][0]["mobigo"] == {"wheelchair": "YES", "bikes": "NO", "carbonClass": "TRAM"}
    assert (answer["previousPageCursor"], answer["nextPageCursor"]) == ("EARLIER|1795499940", "LATER|1795500660")


def test_the_last_minute_is_never_split(ask):
    for n in range(1, 30):
        told = [row["place"]["departure"] for row in ask("v6/stoptimes", stopId=GARE, time=MORNING, n=n)["stopTimes"]]
        assert len(told) >= n
        assert told[n - 1 :] == [told[-1]] * (len(told) - n + 1)


@pytest.mark.parametrize("arrivals", ["false", "true"])
def test_boards_walked_either_way_meet_without_doubles(ask, arrivals):
    question = {"stopId": GARE, "n": 7, "arriveBy": arrivals, "direction": "LATER"}
    day = ask("v6/stoptimes", **question | {"n": 1, "window": 6 * 3600}, time="2026-11-24T09:00:00+01:00")
    page = ask("v6/stoptimes", **question, time="2026-11-24T12:00:00+01:00")
    found = rows(page)
    earlier = later = page
    for _ in range(6):
        earlier = ask("v6/stoptimes", **question, pageCursor=earlier["previousPageCursor"])
        later = ask("v6/stoptimes", **question, pageCursor=later["nextPageCursor"])
        found = rows(earlier) + found + rows(later)
    assert len(found) == len(set(found))
    times = [row["place"]["arrival" if arrivals == "true" else "departure"] for row in page["stopTimes"]]
    assert times == sorted(times)
    assert set(rows(day)) <= set(found)


def test_arrivals_go_back_from_the_time_asked(ask):
    answer = ask("v6/stoptimes", stopId=LAC, time="2026-11-24T08:00:00+01:00", n=3, arriveBy="true")
    told = [(row["place"]["arrival"], row["displayName"]) for row in answer["stopTimes"]]
    assert told == [("2026-11-24T05:35:00Z", "P1"), ("2026-11-24T06:35:00Z", "P1"), ("2026-11-24T06:50:00Z", "D1")]
    assert all("departure" not in row["place"] for row in answer["stopTimes"])


def test_the_first_stop_has_no_arrival_and_the_last_no_departure(ask):
    answer = ask("v6/stoptimes", stopId=GARE, time=MORNING, n=8, both="true")
    kinds = {("arrival" in row["place"], "departure" in row["place"]) for row in answer["stopTimes"]}
    assert kinds == {(True, False), (False, True)}


def test_following_stops_come_when_asked(ask):
    row = ask("v6/stoptimes", stopId="bfc_gare-a", time=MORNING, n=1, fetchStops="true", mode="RAIL")["stopTimes"][0]
    assert [stop["name"] for stop in row["nextStops"]] == ["Saint-Éloi-la-Halte", "Le Lac"]
    assert "previousStops" not in row


def test_radius_takes_the_places_around_and_exact_radius_the_platform(ask):
    question = {"time": "2026-11-24T07:04:00+01:00", "window": 120, "n": 1}
    alone = ask("v6/stoptimes", stopId=GARE, **question)
    around = ask("v6/stoptimes", stopId=GARE, radius=500, **question)
    assert "D1" not in [row["displayName"] for row in alone["stopTimes"]]
    assert "D1" in [row["displayName"] for row in around["stopTimes"]]
    exact = ask("v6/stoptimes", stopId="bfc_gare-a", radius=0, exactRadius="true", time=MORNING, n=20)
    assert {row["place"]["stopId"] for row in exact["stopTimes"]} == {"bfc_gare-a"}


def test_a_center_stands_in_for_a_stop_that_is_gone(ask):
    answer = ask("v6/stoptimes", stopId="bfc_gone", center="47.3001,5.0001", radius=50, time=MORNING, n=1)
    assert answer["place"]["stopId"] == GARE
    assert ask("v6/stoptimes", 404, stopId="bfc_gone", n=1)["code"] == "unknown_stop"
    assert ask("v6/stoptimes", 400, n=1)["code"] == "stop_or_center_wanted"
    assert ask("v6/stoptimes", 400, stopId=GARE)["code"] == "n_or_window_wanted"
    assert ask("v6/stoptimes", 422, stopId=GARE, n=2000)["code"] == "over_limit"


def test_a_stop_tells_its_lines_by_short_name(ask):
    answer = ask("v6/stop", stopId=LAC)
    assert [route["routeShortName"] for route in answer["routes"]] == ["D1", "D2", "P1"]
    assert answer["place"]["modes"] == ["REGIONAL_RAIL", "COACH"]


def test_a_trip_goes_from_end_to_end(ask):
    answer = ask("v6/trip", tripId="20261124_07:10_bfc_P1-07")
    (leg,) = answer["legs"]
    assert (leg["from"]["stopId"], leg["to"]["stopId"]) == ("bfc_gare-a", "bfc_lac-1")
    assert ask("v6/trip", 404, tripId="20261122_07:10_bfc_P1-07")["code"] == "unknown_trip"  # no Sunday service
    assert ask("v6/trip", 404, tripId="nonsense")["code"] == "unknown_trip"


def test_a_trip_of_a_block_shows_what_its_vehicle_does(ask):
    for trip in ("20261124_07:05_bfc_D1-07", "20261124_07:53_bfc_D2-07"):
        (joined,) = ask("v6/trip", tripId=trip)["legs"]
        apart = ask("v6/trip", tripId=trip, joinInterlinedLegs="false")["legs"]
        assert [leg["displayName"] for leg in apart] == ["D1", "D2"]
        assert (joined["from"]["stopId"], joined["to"]["stopId"]) == ("bfc_mairie", "bfc_col")


def test_after_midnight_the_trip_keeps_its_service_day(ask):
    answer = ask("v6/stoptimes", stopId="bfc_gare-b", time="2026-11-25T00:05:00+01:00", n=1)
    assert answer["stopTimes"][0]["tripId"] == "20261124_24:10_bfc_T1-1450"
    assert ask("v6/trip", tripId="20261124_24:10_bfc_T1-1450")["startTime"] == "2026-11-24T23:10:00Z"


# --- refresh-itinerary


def itinerary(ask, **parameters) -> dict:
    return ask("v6/plan", fromPlace=GARE, toPlace=LAC, time=MORNING, **parameters)["itineraries"][0]


def test_a_lost_leg_is_cancelled_and_no_error(ask, client):
    (leg_id,) = read_itinerary_id(itinerary(ask)["id"])
    gone = [replace(leg_id, trip_id="20261124_07:10_bfc_gone", display_name="X9")]
    answer = ask("v6/refresh-itinerary", itineraryId=render_itinerary_id(gone))
    (leg,) = answer["legs"]
    assert leg["cancelled"] is True
    assert leg["alerts"][0]["descriptionText"] == "«\u00a0X9\u00a0» n’est plus proposé."
    assert [change["code"] for change in answer["mobigo"]["changes"]] == ["RIDE_LOST"]
    assert answer["startTime"] == "2026-11-24T06:10:00Z"


def test_another_ride_is_taken_when_names_may_differ(ask):
    (leg,) = read_itinerary_id(itinerary(ask)["id"])
    renamed = replace(leg, trip_id="20261124_07:12_bfc_old", display_name="Ancien")
    text = render_itinerary_id([renamed])
    assert ask("v6/refresh-itinerary", itineraryId=text)["legs"][0]["cancelled"] is True
    found = ask("v6/refresh-itinerary", itineraryId=text, requireDisplayNameMatch="false")["legs"][0]
    assert (found["cancelled"], found["tripId"]) == (False, "20261124_07:10_bfc_P1-07")


@pytest.mark.parametrize("bad", ["", "1.", "1.!!!", "2.abc", "1.AAAA", "x" * 3000])
def test_an_id_that_is_none_of_ours_is_refused(ask, bad):
    assert ask("v6/refresh-itinerary", 400, itineraryId=bad)["code"] in ("bad_itinerary_id", "missing_parameter")


def test_the_legs_may_come_in_a_body(ask, client):
    told = itinerary(ask)
    legs = read_itinerary_id(told["id"])
    names = {"sched_start": "schedStart", "sched_end": "schedEnd", "display_name": "displayName", "trip_id": "tripId",
             "from_id": "fromId", "from_lat": "fromLat", "from_lon": "fromLon", "to_id": "toId", "to_lat": "toLat",
             "to_lon": "toLon", "mode": "mode", "scheduled": "scheduled"}  # fmt: skip
    body = {"id": {"legs": [{names[name]: getattr(leg, name) for name in leg.__slots__} for leg in legs]}}
    again = client.post("/api/v6/refresh-itinerary", json=body).json()
    assert again["legs"] == told["legs"]
    for wrong in ({}, {"id": 3}, {"id": {"legs": []}}, {"id": {"legs": [{"mode": "BUS"}]}}, []):
        assert client.post("/api/v6/refresh-itinerary", content=json.dumps(wrong)).status_code == 400


# --- the map


BOX = {"min": "47.25,4.95", "max": "47.45,5.15"}


def test_corners_come_in_any_order(ask):
    one = ask("v6/map/stops", **BOX)
    assert (
        one
        == ask("v6/map/stops", min="47.45,4.95", max="47.25,5.15")
        == ask("v6/map/stops", min=BOX["max"], max=BOX["min"])
    )
    assert {place["stopId"] for place in one} == {"bfc_gare-a", "bfc_gare-b", "bfc_mairie", "bfc_hopital", "bfc_halte"}
    assert all(place["modes"] for place in one)


def test_grouped_stops_are_one_per_station_and_filtered_by_mode(ask):
    assert {place["stopId"] for place in ask("v6/map/stops", **BOX, grouped="true")} == {
        GARE, "bfc_mairie", "bfc_hopital", "bfc_halte",
    }  # fmt: skip
    assert {place["stopId"] for place in ask("v6/map/stops", **BOX, grouped="true", modes="TRAM")} == {
        GARE,
        "bfc_hopital",
    }


def moving(ask, **wish) -> list[dict]:
    times = {"startTime": "2026-11-24T07:15:00+01:00", "endTime": "2026-11-24T07:16:00+01:00"}
    return ask("v6/map/trips", **{"min": "47,4", "max": "48,6", "zoom": 12} | times | wish)


def test_moving_trips_overlap_the_box_and_the_time(ask):
    told = {(one["trips"][0]["displayName"], one["from"]["stopId"], one["to"]["stopId"]) for one in moving(ask)}
    assert ("P1", "bfc_gare-a", "bfc_halte") in told
    assert ("D1", "bfc_mairie", "bfc_halte") in told
    start, end = "2026-11-24T06:15:00Z", "2026-11-24T06:16:00Z"
    assert all(one["departure"] <= end and one["arrival"] >= start for one in moving(ask))
    elsewhere = moving(ask, min="47.45,5.15", max="48,6")
    assert {one["trips"][0]["displayName"] for one in elsewhere} <= {"P1", "D1", "D2"}


def test_each_mode_is_drawn_from_its_zoom_on(ask):
    assert {one["mode"] for one in moving(ask, zoom=12)} == {"REGIONAL_RAIL", "TRAM", "COACH"}
    assert {one["mode"] for one in moving(ask, zoom=8)} == {"REGIONAL_RAIL", "COACH"}
    assert {one["mode"] for one in moving(ask, zoom=7)} == {"REGIONAL_RAIL"}
    assert moving(ask, zoom=3) == []


@pytest.mark.parametrize("precision", [0, 3, 5, 6])
def test_segments_are_drawn_with_the_precision_asked(ask, precision):
    for one in moving(ask, precision=precision):
        line = read_polyline(one["polyline"], precision)
        assert len(line) >= 2
        assert line[0] == pytest.approx((one["from"]["lat"], one["from"]["lon"]), abs=0.51 * 10**-precision)
    assert ask("v6/map/trips", 400, min="47,4", max="48,6", zoom=12, startTime=MORNING, endTime=MORNING, precision=7)


def test_the_map_opens_where_most_stops_are(ask):
    view = ask("v1/map/initial")
    assert 47.3 <= view["lat"] <= 47.5
    assert view["serverConfig"]["motisVersion"].startswith("mobigo ")
    assert len(view["serverConfig"]) == 9


def test_static_answers_have_a_strong_tag(client):
    box = {"min": "47,4", "max": "48,6"}
    first = client.get("/api/v1/map/stops", params=box)
    again = client.get("/api/v1/map/stops", params=box, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    plain = client.get("/api/v1/map/stops", params=box, headers={"Accept-Encoding": "identity"})
    assert plain.headers["etag"] != first.headers["etag"]
    assert plain.json() == first.json()


def test_times_are_read_as_people_and_clients_write_them(ask):
    told = rows(ask("v6/stoptimes", stopId=GARE, time=MORNING, n=3))
    moment = datetime.fromisoformat(MORNING)
    for written in (
        "2026-11-24T06:00Z", "2026-11-24T06:00:00.000Z", "2026-11-24T07:00:00 01:00", "2026-11-24T07:00:00+0100",
    ):  # fmt: skip
        assert rows(ask("v6/stoptimes", stopId=GARE, time=written, n=3)) == told, moment
