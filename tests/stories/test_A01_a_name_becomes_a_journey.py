"""A traveller types two names, takes the first journey, and looks at each of its trains and stops."""

from tests.worlds.site import TUESDAY

MORNING = f"{TUESDAY}T05:00:00Z"


def stop(ask, typed):
    return ask("v1/geocode", text=typed, type="STOP", numResults=1)[0]


def test_a_name_becomes_a_journey_and_every_id_of_it_leads_somewhere(ask):
    origin, destination = stop(ask, "Morteau"), stop(ask, "besancon viotte")
    assert (origin["name"], destination["name"]) == ("Morteau", "Besançon Viotte")
    answer = ask("v6/plan", fromPlace=origin["id"], toPlace=destination["id"], time=MORNING)
    assert answer["mobigo"]["demo"] is True
    itinerary = answer["itineraries"][0]
    assert itinerary["mobigo"]["carbon"]["legalGrams"] < itinerary["mobigo"]["carbon"]["carAloneGrams"]
    for leg in itinerary["legs"]:
        trip = ask("v6/trip", tripId=leg["tripId"])["legs"][0]
        assert trip["displayName"] == leg["displayName"]
        stops = [trip["from"], *trip["intermediateStops"], trip["to"]]
        assert leg["from"]["stopId"] in {one["stopId"] for one in stops}
        board = ask("v6/stoptimes", stopId=leg["from"]["stopId"], time=leg["startTime"], n=5)
        assert leg["tripId"] in {row["tripId"] for row in board["stopTimes"]}


def test_the_same_journey_is_found_again_tomorrow_by_its_id(ask):
    origin, destination = stop(ask, "Morteau"), stop(ask, "Besançon Viotte")
    itinerary = ask("v6/plan", fromPlace=origin["id"], toPlace=destination["id"], time=MORNING)["itineraries"][0]
    again = ask("v6/refresh-itinerary", itineraryId=itinerary["id"])
    assert again["legs"] == itinerary["legs"]
    assert "changes" not in again["mobigo"]


def test_a_village_without_a_stop_is_found_and_told_how_far_the_nearest_is(ask):
    matches = ask("v1/geocode", text="Semur-en-Auxois")
    assert matches[0]["type"] == "PLACE"  # known, though the sample has no stop there
    destination = stop(ask, "Besançon Viotte")
    answer = ask(
        "v6/plan", fromPlace=f"{matches[0]['lat']},{matches[0]['lon']}", toPlace=destination["id"], time=MORNING
    )
    (reason,) = answer["mobigo"]["excluded"]
    assert reason["code"] == "ABOVE_WALK_LIMIT"
    assert reason["facts"]["stop"] in reason["text"]
