"""Earlier and later lead through the day without losing or repeating a journey."""

from tests.worlds.site import TUESDAY


def test_walking_the_pages_of_a_day_gives_the_day(ask):
    ends = [ask("v1/geocode", text=name, type="STOP", numResults=1)[0]["id"] for name in ("Morteau", "Besançon Viotte")]
    question = {"fromPlace": ends[0], "toPlace": ends[1]}
    day = ask("v6/plan", **question, time=f"{TUESDAY}T03:00:00Z", searchWindow=18 * 3600, numItineraries=1)
    wanted = [(one["startTime"], one["endTime"], one["transfers"]) for one in day["itineraries"]]
    page = ask("v6/plan", **question, time=f"{TUESDAY}T03:00:00Z", numItineraries=2, maxItineraries=2)
    found = []
    while page["itineraries"] and page["itineraries"][0]["startTime"] < f"{TUESDAY}T21:00:00Z":
        found += [(one["startTime"], one["endTime"], one["transfers"]) for one in page["itineraries"]]
        page = ask("v6/plan", **question, numItineraries=2, maxItineraries=2, pageCursor=page["nextPageCursor"])
    assert [one for one in found if one[0] < f"{TUESDAY}T21:00:00Z"] == wanted
    assert len(wanted) > 3
