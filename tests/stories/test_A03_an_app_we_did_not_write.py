"""KDE's KPublicTransport asks any server: the calls it makes (versions 1 and 5) are answered as it wants."""

from tests.worlds.site import TUESDAY

MORNING = f"{TUESDAY}T05:00:00.000Z"


def test_it_finds_places_around_and_by_name(ask):
    found = ask("v1/geocode", text="Morteau", language="fr")
    assert {"id", "name", "lat", "lon", "areas", "type"} <= found[0].keys()
    around = ask("v1/reverse-geocode", place="47.0573,6.6002,0")
    assert around[0]["type"] in ("STOP", "PLACE")
    assert ask("v1/map/stops", min="47.0,6.7", max="47.1,6.5")
    assert ask("v1/map/rentals", min="47.0,6.7", max="47.1,6.5")["stations"] == []


def test_it_plans_between_coordinates_with_a_level_and_looks_at_one_trip(ask):
    station = next(one for one in ask("v1/geocode", text="Morteau", type="STOP") if one["name"] == "Morteau")
    goal = next(one for one in ask("v1/geocode", text="Besançon Viotte", type="STOP"))
    answer = ask(
        "v5/plan",
        fromPlace=f"{station['lat']},{station['lon']},0",
        toPlace=f"{goal['lat']},{goal['lon']},0",
        time=MORNING,
        arriveBy="false",
        timetableView="true",
        numItineraries=6,
        transitModes="TRANSIT",
        pedestrianProfile="FOOT",
        requireBikeTransport="false",
        language="fr",
    )
    ride = next(leg for leg in answer["itineraries"][0]["legs"] if "tripId" in leg)
    assert ride["from"]["level"] == 0  # versions 1 to 5 always say the level
    assert len(ask("v5/trip", tripId=ride["tripId"])["legs"]) == 1
    board = ask("v5/stoptimes", stopId=station["id"], time=MORNING, n=12, radius=200, language="fr")
    assert len(board["stopTimes"]) >= 12
