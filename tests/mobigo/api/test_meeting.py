"""Offers, searches, bookings and messages through HTTP."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from mobigo.security import Role
from mobigo.services.people import api_keys
from tests.worlds.accounts import NOON
from tests.worlds.valley import valley
from tests.worlds.visiting import place

ROOT = "/api/covoiturage"
AT = (NOON + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
VESOUL = {"name": "Vesoul", "lat": 47.62, "lon": 6.15}
RIOZ = {"name": "Rioz", "lat": 47.42, "lon": 6.07}
BESANCON = {"name": "Besançon", "lat": 47.24, "lon": 6.02}
OFFER = {"origin": VESOUL, "destination": BESANCON, "at": AT, "seats": 3, "detour_minutes": 15, "price_cents": 200}
SEARCH = {"from": "47.42,6.07", "to": "47.24,6.02", "at": AT}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with place(valley(), tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def callers(site):
    """A driver, a passenger and somebody else, each with a key."""
    found = {}
    for name in ("driver", "passenger", "other"):
        principal = site.people.principal(Role.TRAVELLER, f"Nom {name}", f"{name}@exemple.test")
        wish = api_keys.KeyWish("clé", sorted(principal.permissions), 600, 1)
        _, secret = api_keys.make_key(site.people.engine, site.people.keys, principal, wish, NOON)
        headers = {"Authorization": f"Bearer {secret}"}
        found[name] = httpx.Client(base_url=f"{site.address}{ROOT}", timeout=60, headers=headers)
    yield found
    for client in found.values():
        client.close()


def post(client, path, body, key="k"):
    return client.post(path, json=body, headers={"Idempotency-Key": key})


def told(answer, status=200):
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_ride_is_offered_found_booked_and_spoken_about(callers):
    driver, passenger, other = callers.values()
    offer = told(post(driver, "/offers", OFFER), 201)["offer"]
    assert told(post(driver, "/offers", OFFER), 201)["offer"] == offer  # the same message twice
    assert told(post(driver, "/offers", OFFER | {"seats": 1}), 409)["code"] == "key_used_otherwise"
    (match,) = told(httpx.get(f"{driver.base_url}search", params=SEARCH))["matches"]
    assert (match["offer_id"], match["free_seats"], match["price_cents"]) == (offer["offer_id"], 3, 200)
    body = {"offer_id": match["offer_id"], "day": match["day"], "origin": RIOZ, "destination": BESANCON, "at": AT}
    booked = told(post(passenger, "/bookings", body | {"board_at": match["board"]["at"]}), 201)
    assert (booked["state"], booked["role"], len(booked["reference"])) == ("asked", "passenger", 4)
    address = f"/bookings/{booked['booking_id']}"
    assert told(passenger.patch(address, json={"state": "confirmed"}), 403)["code"] == "not_your_step"
    assert told(driver.patch(address, json={"state": "confirmed"}))["state"] == "confirmed"
    assert told(passenger.get(address))["state"] == "confirmed"
    messages = told(post(passenger, f"{address}/messages", {"text": "Je serai devant la gare."}), 201)["messages"]
    assert told(driver.get(f"{address}/messages"))["messages"] == [messages[0] | {"mine": False}]
    for path in (address, f"{address}/messages"):
        assert told(other.get(path), 404)["code"] == "unknown_booking"
    assert [one["role"] for one in told(driver.get("/bookings"))["bookings"]] == ["driver"]
    assert told(driver.delete(f"/offers/{offer['offer_id']}")) == {"cancelled": 1}
    assert told(passenger.get(address))["state"] == "cancelled"


def test_a_line_is_driven_now_and_who_waits_is_taken_along(callers):
    driver, passenger, _ = callers.values()
    stops = {"line_id": "CV6", "from_stop": "CV6-baume-les-dames", "to_stop": "CV6-avoudrey"}
    now = NOON.strftime("%Y-%m-%dT%H:%M:%SZ")
    waiting = told(post(passenger, "/requests", stops | {"at": now}), 201)
    assert (waiting["state"], waiting["booked"]) == ("open", None)
    assert len(told(passenger.get("/requests"))["requests"]) == 1
    (booked,) = told(post(driver, "/offers", stops | {"now": True, "seats": 2}, "now"), 201)["booked"]
    assert (booked["state"], booked["price_cents"], booked["line_id"]) == ("confirmed", 150, "CV6")
    assert told(passenger.get("/requests"))["requests"] == []


def test_a_weekly_offer_is_changed_and_rests(callers):
    driver = callers["driver"]
    weeks = {"weekdays": [0, 1, 2, 3, 4, 5, 6], "clock": "07:00:00", "first": "2026-11-23"}
    body = {name: value for name, value in OFFER.items() if name != "at"} | {"weeks": weeks}
    offer = told(post(driver, "/offers", body, "weekly"), 201)["offer"]
    address = f"/offers/{offer['offer_id']}"
    assert told(driver.patch(address, json={"seats": 2}))["seats"] == 2
    assert told(post(driver, f"{address}/rests", {"day": "2026-11-24"})) == {"cancelled": 0}
    assert told(post(driver, f"{address}/rests", {"day": "2026-11-24"}), 409)["code"] == "offer_gone"
    assert offer["offer_id"] in {one["offer_id"] for one in told(driver.get("/offers"))["offers"]}
    told(driver.delete(address))


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"seats": 0}, 400, "bad_seats"),
        ({"at": "2020-01-01T00:00:00Z"}, 400, "offer_in_past"),
        ({"at": "2026-11-24T07:00:00"}, 400, "bad_field"),
        ({"at": None}, 400, "one_of_two"),
        ({"origin": VESOUL | {"lat": 91}}, 400, "bad_coordinates"),
        ({"origin": VESOUL | {"name": ""}}, 400, "bad_place_name"),
        ({"destination": VESOUL}, 400, "ends_too_near"),
        ({"line_id": "CV9"}, 404, "unknown_line"),
        ({"line_id": "CV6", "from_stop": "x", "to_stop": "y"}, 404, "unknown_line_stop"),
        ({"unknown": 1}, 400, "bad_field"),
        ({"price_cents": 10**9}, 400, "price_above_cost"),
    ],
)
def test_an_offer_that_makes_no_sense_is_a_problem(callers, change, status, code):
    answer = post(callers["driver"], "/offers", OFFER | change, "odd")
    problem = told(answer, status)
    assert (problem["code"], answer.headers["content-type"]) == (code, "application/problem+json")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"from": "nowhere"}, 404, "unknown_stop"),
        ({"from": "91,0"}, 400, "bad_coordinates"),
        ({"at": "tomorrow"}, 400, "bad_field"),
        ({"at": "2026-11-24T07:00:00"}, 400, "bad_field"),
        ({"seats": "0"}, 400, "bad_seats"),
        ({"toleranceMinutes": "100000"}, 400, "bad_tolerance"),
    ],
)
def test_a_search_that_makes_no_sense_is_a_problem(site, change, status, code):
    answer = httpx.get(f"{site.address}{ROOT}/search", params=SEARCH | change)
    assert told(answer, status)["code"] == code


def test_what_nobody_has_is_missing_and_a_key_is_asked_for(callers):
    driver = callers["driver"]
    assert told(driver.post("/offers", json=OFFER), 400)["code"] == "bad_key"
    for path in ("/offers/none", "/requests/none"):
        assert told(driver.delete(path), 404)["code"].startswith("unknown_")
    assert told(driver.patch("/bookings/none", json={"state": "aboard"}), 404)["code"] == "unknown_booking"
    assert told(driver.patch("/bookings/none", json={"state": "wet"}), 400)["code"] == "unknown_step"
