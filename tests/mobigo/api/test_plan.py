"""plan, trip, stoptimes, refresh-itinerary and map through HTTP: what every answer promises."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from socle.geo import read_polyline

MORNING = "2026-11-24T07:00:00+01:00"
SOON = "2026-11-24T07:03:00+01:00"
GARE, LAC, MAIRIE, COL = "bfc_gare", "bfc_lac", "bfc_mairie", "bfc_col"
VALMONT_CENTRE, LAKE_SHORE = "47.3020,5.0005", "47.5005,5.2010"


def walk(value: Any) -> Iterator[Any]:
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(inner)


def rides(itinerary: dict) -> list[dict]:
    return [leg for leg in itinerary["legs"] if "displayName" in leg]


ANSWERS = [
    ("v6/plan", {"fromPlace": GARE, "toPlace": LAC, "time": MORNING, "numLegAlternatives": 2}),
    ("v6/plan", {"fromPlace": VALMONT_CENTRE, "toPlace": LAKE_SHORE, "time": MORNING}),
    ("v6/plan", {"fromPlace": MAIRIE, "toPlace": COL, "time": MORNING, "joinInterlinedLegs": "false"}),
    ("v6/plan", {"fromPlace": GARE, "toPlace": "47.75,5.6", "time": MORNING}),
    ("v6/stoptimes", {"stopId": GARE, "time": MORNING, "n": 20, "fetchStops": "true"}),
    ("v6/stoptimes", {"stopId": GARE, "time": MORNING, "n": 20, "both": "true"}),
    ("v6/stop", {"stopId": GARE}),
    ("v1/geocode", {"text": "Valmont"}),
    ("v1/reverse-geocode", {"place": VALMONT_CENTRE}),
    ("v1/map/initial", {}),
    ("v6/map/stops", {"min": "47,4", "max": "48,6"}),
    ("v6/map/trips", {"min": "47,4", "max": "48,6", "zoom": 12, "startTime": MORNING, "endTime": SOON}),
    ("v1/map/levels", {"min": "47,4", "max": "48,6"}),
    ("v1/rentals", {}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "parameters"), ANSWERS)
def test_no_null_anywhere(ask, path, parameters):
    assert None not in list(walk(ask(path, **parameters)))


def test_times_are_utc_and_legs_follow_each_other(ask):
    for path, parameters in ANSWERS[:3]:
        for itinerary in ask(path, **parameters)["itineraries"]:
            legs = itinerary["legs"]
            assert itinerary["startTime"] == legs[0]["startTime"]
            assert itinerary["endTime"] == legs[-1]["endTime"]
            for leg in legs:
                assert leg["startTime"].endswith("Z")
                assert leg["startTime"] <= leg["endTime"]
                assert leg["from"]["departure"] == leg["startTime"]
                assert leg["to"]["arrival"] == leg["endTime"]
            for one, other in itertools.pairwise(legs):
                assert one["endTime"] <= other["startTime"]
            seconds = datetime.fromisoformat(itinerary["endTime"]) - datetime.fromisoformat(itinerary["startTime"])
            assert itinerary["duration"] == seconds.total_seconds()


def test_the_train_of_ten_past_seven_is_found(ask):
    answer = ask("v6/plan", fromPlace=GARE, toPlace=LAC, time=MORNING)
    first = answer["itineraries"][0]
    assert (first["startTime"], first["endTime"], first["transfers"]) == (
        "2026-11-24T06:10:00Z",
        "2026-11-24T06:35:00Z",
        0,
    )
    leg = first["legs"][0]
    assert (leg["mode"], leg["displayName"], leg["headsign"], leg["from"]["track"]) == (
        "REGIONAL_RAIL", "P1", "Le Lac", "A",
    )  # fmt: skip
    assert [stop["name"] for stop in leg["intermediateStops"]] == ["Saint-Éloi-la-Halte"]
    assert leg["tripTo"]["stopId"] == "bfc_lac-1"
    assert (leg["routeColor"], leg["routeTextColor"]) == ("00457C", "FFFFFF")
    assert leg["tripId"] == "20261124_07:10_bfc_P1-07"
    assert len(answer["itineraries"]) >= 5


def test_a_colour_without_its_text_colour_is_left_out(ask):
    legs = rides(ask("v6/plan", fromPlace=GARE, toPlace="bfc_hopital", time=MORNING)["itineraries"][0])
    assert "routeColor" not in legs[0]


def test_points_are_called_start_and_end_and_walked_from(ask):
    answer = ask("v6/plan", fromPlace=VALMONT_CENTRE, toPlace=LAKE_SHORE, time=MORNING)
    assert (answer["from"]["name"], answer["to"]["name"]) == ("START", "END")
    for itinerary in answer["itineraries"]:
        assert itinerary["legs"][0]["from"]["name"] == "START"
        assert itinerary["legs"][-1]["to"]["name"] == "END"
        assert all(leg["distance"] > 0 for leg in itinerary["legs"] if leg["mode"] == "WALK")


def journeys_of(answer: dict) -> list[tuple]:
    return [(one["startTime"], one["endTime"], one["transfers"]) for one in answer["itineraries"]]


@pytest.mark.parametrize("arrive_by", ["false", "true"])
def test_pages_partition_time(ask, arrive_by):
    question = {"fromPlace": GARE, "toPlace": LAC, "arriveBy": arrive_by}
    noon = "2026-11-24T12:00:00+01:00"
    wide = ask(
        "v6/plan", **question, time="2026-11-25T00:00:00+01:00" if arrive_by == "true" else "2026-11-24T00:00:00+01:00",
        searchWindow=86_400, numItineraries=1,
    )  # fmt: skip
    middle = ask("v6/plan", **question, time=noon, numItineraries=2, maxItineraries=2)
    found = journeys_of(middle)
    for cursor in ("previousPageCursor", "nextPageCursor"):
        page = middle
        for _ in range(12):
            page = ask("v6/plan", **question, time=noon, numItineraries=2, maxItineraries=3, pageCursor=page[cursor])
            assert page["direct"] == []
            found += journeys_of(page)
    assert len(found) == len(set(found))
    assert [one for one in sorted(found) if one in journeys_of(wide)] == sorted(journeys_of(wide))


def test_max_itineraries_never_splits_a_minute(ask):
    question = {"fromPlace": "bfc_hopital", "toPlace": COL, "time": MORNING, "searchWindow": 14_400}
    every = ask("v6/plan", **question)["itineraries"]
    for most in range(5, len(every) + 1):
        kept = ask("v6/plan", **question, maxItineraries=most)["itineraries"]
        minutes = [one["startTime"][:16] for one in kept]
        left = [one["startTime"][:16] for one in every if one not in kept]
        assert set(minutes).isdisjoint(left)


def test_at_most_less_than_at_least_is_contradictory(ask):
    assert ask("v6/plan", 400, fromPlace=GARE, toPlace=LAC, numItineraries=5, maxItineraries=2)["error"]


def test_arrive_by_reaches_before_the_time_asked(ask):
    answer = ask("v6/plan", fromPlace=GARE, toPlace=LAC, time="2026-11-24T09:00:00+01:00", arriveBy="true")
    assert answer["itineraries"][-1]["endTime"] == "2026-11-24T07:35:00Z"
    assert all(one["endTime"] <= "2026-11-24T08:00:00Z" for one in answer["itineraries"])


def test_without_timetable_view_waiting_counts(ask):
    answer = ask("v6/plan", fromPlace=GARE, toPlace=LAC, time=MORNING, timetableView="false")
    assert journeys_of(answer) == [("2026-11-24T06:10:00Z", "2026-11-24T06:35:00Z", 0)]


def test_empty_transit_modes_is_direct_only(ask):
    answer = ask("v6/plan", fromPlace=VALMONT_CENTRE, toPlace="47.3100,5.0050", time=MORNING, transitModes="")
    assert answer["itineraries"] == []
    assert [leg["mode"] for leg in answer["direct"][0]["legs"]] == ["WALK"]
    assert answer["direct"][0]["startTime"] == "2026-11-24T06:00:00Z"
    assert answer["mobigo"]["excluded"] == []


def test_direct_needs_walk_among_the_direct_modes(ask):
    question = {"fromPlace": VALMONT_CENTRE, "toPlace": "47.3100,5.0050", "time": MORNING, "transitModes": ""}
    assert ask("v6/plan", **question, directModes="")["direct"] == []
    assert len(ask("v6/plan", **question, directModes="BIKE,WALK")["direct"]) == 1


def test_comma_and_repeated_lists_are_equal(client):
    question = [("fromPlace", GARE), ("toPlace", LAC), ("time", MORNING)]
    one = client.get("/api/v6/plan", params=[*question, ("transitModes", "COACH,REGIONAL_RAIL")]).json()
    other = client.get(
        "/api/v6/plan", params=[*question, ("transitModes", "COACH"), ("transitModes", "REGIONAL_RAIL")]
    ).json()
    assert one["itineraries"] == other["itineraries"] != []


def test_modes_are_filters(ask):
    answer = ask("v6/plan", fromPlace=MAIRIE, toPlace=LAC, time=MORNING, transitModes="COACH")
    assert {leg["mode"] for one in answer["itineraries"] for leg in rides(one)} == {"COACH"}


def test_staying_seated_is_no_change(ask):
    question = {"fromPlace": MAIRIE, "toPlace": COL, "time": MORNING}
    joined = ask("v6/plan", **question)["itineraries"][0]
    apart = ask("v6/plan", **question, joinInterlinedLegs="false")["itineraries"][0]
    assert joined["transfers"] == apart["transfers"] == 0
    assert [leg["displayName"] for leg in rides(apart)] == ["D1", "D2"]
    assert [leg.get("interlineWithPreviousLeg", False) for leg in rides(apart)] == [False, True]
    assert [leg["displayName"] for leg in rides(joined)] == ["D1"]
    assert [stop["name"] for stop in rides(joined)[0]["intermediateStops"]] == ["Saint-Éloi-la-Halte", "Le Lac"]
    assert joined["endTime"] == apart["endTime"] == "2026-11-24T07:10:00Z"


def test_a_leg_follows_its_shape(ask):
    leg = rides(ask("v6/plan", fromPlace=MAIRIE, toPlace=LAC, time=MORNING, transitModes="COACH")["itineraries"][0])[0]
    line = leg["legGeometry"]
    points = read_polyline(line["points"], line["precision"])
    assert (line["precision"], line["length"], len(points)) == (6, 5, 5)
    assert points[1] == pytest.approx((47.35, 5.03), abs=1e-6)
    bare = ask("v6/plan", fromPlace=MAIRIE, toPlace=LAC, time=MORNING, detailedLegs="false")["itineraries"][0]
    assert bare["legs"][0]["legGeometry"] == {"points": "", "precision": 6, "length": 0}


def test_what_must_be_booked_says_so(ask):
    answer = ask("v6/plan", fromPlace=MAIRIE, toPlace=LAC, time="2026-11-24T17:00:00+01:00", transitModes="COACH")
    assert rides(answer["itineraries"][0])[0]["reservation"] == "COMPULSORY"
    without = ask(
        "v6/plan", fromPlace=MAIRIE, toPlace=LAC, time="2026-11-24T17:00:00+01:00", transitModes="COACH",
        noCompulsoryReservation="true",
    )  # fmt: skip
    assert "2026-11-24T16:05:00Z" not in [one["startTime"] for one in without["itineraries"]]


def test_carbon_sum_equals_legs_and_the_table_is_named(ask):
    answer = ask("v6/plan", fromPlace="bfc_hopital", toPlace=COL, time=MORNING)
    assert answer["mobigo"]["carbonTable"] == "ADEME 2026-07-01"
    for itinerary in answer["itineraries"]:
        told = itinerary["mobigo"]["carbon"]
        for grams in ("legalGrams", "fullGrams"):
            assert told[grams] == sum(leg["mobigo"]["carbon"][grams] for leg in itinerary["legs"])
        assert told["table"] == "ADEME 2026-07-01"
        assert told["carAloneGrams"] > told["legalGrams"]


def test_explanations_are_deterministic_and_labels_have_margins(ask):
    question = {"fromPlace": MAIRIE, "toPlace": LAC, "time": MORNING, "searchWindow": 7200}
    one, other = ask("v6/plan", **question), ask("v6/plan", **question)
    assert one["itineraries"] == other["itineraries"]
    assert any(itinerary["mobigo"]["labels"] for itinerary in one["itineraries"])
    for itinerary in one["itineraries"]:
        told = itinerary["mobigo"]
        assert told["labels"] == [reason["code"] for reason in told["explanation"]]
        assert all(reason["text"].endswith(".") for reason in told["explanation"])


def test_sorting_changes_the_order_and_nothing_else(ask):
    question = {"fromPlace": "47.3026,5.0011", "toPlace": LAKE_SHORE, "time": MORNING, "searchWindow": 7200}
    by_time = ask("v6/plan", **question)["itineraries"]
    by_carbon = ask("v6/plan", **question, mobigoSort="carbon")["itineraries"]
    assert sorted(one["id"] for one in by_time) == sorted(one["id"] for one in by_carbon)
    grams = [one["mobigo"]["carbon"]["legalGrams"] for one in by_carbon]
    assert grams == sorted(grams)
    metres = [one["mobigo"]["walk"]["metres"] for one in ask("v6/plan", **question, mobigoSort="walk")["itineraries"]]
    assert metres == sorted(metres)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"fromPlace": GARE, "toPlace": "47.75,5.6"}, "ABOVE_WALK_LIMIT"),
        ({"fromPlace": GARE, "toPlace": GARE}, "SAME_PLACE"),
        ({"fromPlace": GARE, "toPlace": "bfc_gare-a"}, "SAME_PLACE"),
        ({"fromPlace": GARE, "toPlace": COL, "transitModes": "TRAM"}, "MODE_NOT_ASKED"),
        ({"fromPlace": COL, "toPlace": GARE}, "NO_CONNECTION"),
        ({"fromPlace": GARE, "toPlace": "bfc_halte", "pedestrianProfile": "WHEELCHAIR"}, "NOT_STEP_FREE"),
    ],
)
def test_nothing_found_says_why(ask, parameters, code):
    answer = ask("v6/plan", time=MORNING, **parameters)
    assert answer["itineraries"] == []
    assert [reason["code"] for reason in answer["mobigo"]["excluded"]] == [code]


def test_a_day_without_service_is_told(ask):
    answer = ask("v6/plan", fromPlace=GARE, toPlace=LAC, time="2026-11-22T07:00:00+01:00", numItineraries=0)
    assert [reason["code"] for reason in answer["mobigo"]["excluded"]] == ["NO_SERVICE_THIS_DAY"]


def test_a_time_outside_the_timetable_is_refused_with_the_window(ask):
    problem = ask("v6/plan", 400, fromPlace=GARE, toPlace=LAC, time="2031-01-01T07:00:00Z")
    assert problem["code"] == "outside_timetable"
    assert problem["facts"] == {"first_day": "2026-11-16", "last_day": "2026-12-12"}


def test_alternatives_fit_between_their_neighbours(ask):
    answer = ask("v6/plan", fromPlace="bfc_hopital", toPlace=LAC, time=MORNING, numLegAlternatives=3)
    seen = 0
    for itinerary in answer["itineraries"]:
        legs = rides(itinerary)
        for at, leg in enumerate(legs):
            for way in leg["alternatives"]:
                seen += 1
                assert [part["mode"] for part in way][::2] == ["WALK", "WALK"]
                assert way[1]["tripId"] != leg["tripId"]
                if at + 1 < len(legs):
                    assert way[-1]["endTime"] <= legs[at + 1]["startTime"]
                if at:
                    assert way[0]["startTime"] >= legs[at - 1]["endTime"]
            assert len(leg["alternatives"]) <= 3
    assert seen > 3


def test_ids_survive(ask):
    answer = ask("v6/plan", fromPlace=VALMONT_CENTRE, toPlace=LAKE_SHORE, time=MORNING)
    for value in walk(answer):
        if isinstance(value, dict) and "stopId" in value:
            assert ask("v6/stop", stopId=value["stopId"])["place"]["stopId"] == value["stopId"]
        if isinstance(value, dict) and "tripId" in value:
            assert ask("v6/trip", tripId=value["tripId"])["legs"][0]["tripId"]
    for itinerary in answer["itineraries"]:
        assert ask("v6/refresh-itinerary", itineraryId=itinerary["id"])["id"] == itinerary["id"]


def test_ids_are_accepted_without_the_tag(ask):
    assert ask("v6/stop", stopId="gare")["place"]["stopId"] == GARE
    assert ask("v6/trip", tripId="20261124_07:10_P1-07")["legs"][0]["displayName"] == "P1"


@pytest.mark.parametrize("joined", ["true", "false"])
def test_a_fresh_itinerary_refreshed_is_identical(ask, joined):
    for from_, to in ((VALMONT_CENTRE, LAKE_SHORE), (MAIRIE, COL), ("bfc_hopital", COL)):
        answer = ask("v6/plan", fromPlace=from_, toPlace=to, time=MORNING, joinInterlinedLegs=joined)
        for itinerary in answer["itineraries"]:
            again = ask("v6/refresh-itinerary", itineraryId=itinerary["id"], joinInterlinedLegs=joined)
            itinerary["mobigo"] |= {"labels": [], "explanation": []}  # they compare with the other journeys
            assert again == itinerary


def test_max_transfers_counts_changes_from_version_three_on(ask):
    question = {"fromPlace": "bfc_hopital", "toPlace": LAC, "time": MORNING}
    assert ask("v6/plan", **question, maxTransfers=0)["itineraries"] == []
    assert ask("v2/plan", **question, maxTransfers=1)["itineraries"] == []
    found = ask("v6/plan", **question, maxTransfers=1)["itineraries"]
    assert found
    assert len(ask("v2/plan", **question, maxTransfers=2)["itineraries"]) == len(found)
    assert ask("v1/plan", **question, maxTransfers=0)["itineraries"] == []
    assert ask("v6/plan", 422, **question, maxTransfers=15)["code"] == "over_limit"
    assert ask("v2/plan", **question, maxTransfers=15)["itineraries"]


def test_one_s_own_ways_to_stops_take_the_place_of_ours(client):
    question = {"fromPlace": "47.31,5.05", "toPlace": LAC, "time": MORNING}
    url = "/api/v6/plan"
    assert (
        client.post(url, params=question, json={}).json()["itineraries"]
        == (client.get(url, params=question).json()["itineraries"])
    )
    own = client.post(url, params=question, json={"fromOffsets": [{"stopId": GARE, "duration": 300}]}).json()
    first = own["itineraries"][0]
    assert first["startTime"] == "2026-11-24T06:05:00Z"
    assert [leg["mode"] for leg in first["legs"]] == ["WALK", "REGIONAL_RAIL"]
    assert client.post(url, params=question, content=b"{").status_code == 400
    assert client.post(url, params=question, json={"fromOffsets": [{"stopId": "x", "duration": 1}]}).status_code == 404
    assert client.post(url, params=question, json={"fromOffsets": 3}).status_code == 400


def test_the_ways_between_vehicles_are_told_or_not_by_themselves(ask):
    question = {"fromPlace": "bfc_hopital", "toPlace": LAC, "time": MORNING}

    def drawn(**wish):
        """By leg: whether it is a change, and whether its way is told; of journeys that walk to a change."""
        journeys = [one["legs"] for one in ask("v6/plan", **question, **wish)["itineraries"]]
        return [
            (leg["mode"] == "WALK" and 0 < at < len(legs) - 1, bool(leg["legGeometry"]["points"]))
            for legs in journeys
            for at, leg in enumerate(legs)
        ]

    assert {is_change for is_change, _ in drawn()} == {True, False}
    assert all(told for _, told in drawn())
    assert not any(told for _, told in drawn(detailedLegs="false"))
    assert all(told is not is_change for is_change, told in drawn(detailedTransfers="false"))
    assert all(told is is_change for is_change, told in drawn(detailedLegs="false", detailedTransfers="true"))
