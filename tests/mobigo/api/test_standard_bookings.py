"""Bookings, events and messages of carpool operators, rule by rule, on both databases."""

import json

import pytest

from mobigo.store.covoiturage.bookings import MessageRow
from tests.worlds import contracts
from tests.worlds.operators import (
    CONTRACT,
    NO_SUCH,
    bring,
    judged,
)
from tests.worlds.partners import (
    OTHERS,
    booking,
    driver_journey,
    event,
    message,
    user,
)

# --- bookings -------------------------------------------------------------------------------


def test_a_booking_begins_is_told_and_is_not_begun_twice(anybody):
    body = booking(car={"brand": "Renault"}, driverJourneyId="j1", duration=60)
    assert judged("booking", anybody.book(body).json()) == body
    assert anybody.told(body["id"]) == body
    assert anybody.told(body["id"].upper()) == body
    anybody.book(body, 400)
    anybody.book(body | {"id": body["id"].upper()}, 400)


@pytest.mark.parametrize("status", ["CONFIRMED", "CANCELLED", "COMPLETED_PENDING_VALIDATION", "VALIDATED"])
def test_a_booking_begins_at_the_beginning(anybody, status):
    anybody.book(booking(status=status), 400)


def test_what_the_contract_accepts_is_accepted(anybody):
    nobody = {"id": "", "operator": "", "alias": ""}
    body = booking(driver=nobody, passenger=nobody, price={}, passengerPickupDate=-0.5)
    body["id"] = "FFFFFFFF-ffff-ffff-FFFF-ffffffffffff"
    anybody.book(body | {"unknown": {"deep": [1]}, "driver": nobody | {"iban": "FR76"}})
    assert anybody.told(body["id"]) == body
    whole = booking(duration=60.0, distance=1e3)
    assert anybody.book(whole).json()["distance"] == 1000


BAD_BOOKINGS = [
    {"id": "42"}, {"id": None}, {"id": "{7a1c0a1e-0000-4000-8000-000000000000}"}, {"driver": None}, {"driver": {}},
    {"driver": user() | {"grade": 6}}, {"driver": user() | {"grade": 2.5}}, {"driver": user() | {"gender": "X"}},
    {"driver": user() | {"alias": None}}, {"status": "BROKEN"}, {"status": 1}, {"price": None}, {"price": []},
    {"price": {"amount": "1.5"}}, {"price": {"amount": True}}, {"price": {"type": "free"}},
    {"passengerPickupDate": "2026-11-21"}, {"passengerPickupLat": "47"}, {"passengerPickupLat": True},
    {"distance": 1.5}, {"webUrl": 1}, {"driverJourneyId": ""}, {"driverJourneyId": "x" * 256}, {"car": "Zoé"},
]  # fmt: skip


@pytest.mark.parametrize("wrong", BAD_BOOKINGS, ids=lambda wrong: json.dumps(wrong)[:60])
def test_what_the_contract_refuses_is_refused_and_the_field_named(anybody, wrong):
    error = anybody.book(booking() | wrong, 400).json()["error"]
    assert next(iter(wrong)) in error
    if CONTRACT.exists() and wrong != {"id": "{7a1c0a1e-0000-4000-8000-000000000000}"}:
        assert contracts.find_faults(CONTRACT, contracts.named("Booking"), booking() | wrong)


@pytest.mark.parametrize(
    "name", ["id", "driver", "passenger", "status", "price", "passengerPickupDate", "passengerDropLng"]
)
def test_a_booking_without_what_is_required_is_refused(anybody, name):
    body = booking()
    del body[name]
    assert name in anybody.book(body, 400).json()["error"]


BODIES = [b"", b"[", b"null", b"[]", b'"x"', b"\xff\xfe", b"{" * 100_000, b"[" * 100_000, b'{"id":NaN}', b'{"a":1e999}',
          b'{"id":' + b"9" * 10_000 + b"}"]  # fmt: skip


@pytest.mark.parametrize("path", ["/bookings", "/booking_events", "/messages"])
@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:12]))
def test_a_body_that_is_none_is_refused(anybody, path, body):
    anybody.send("POST", path, 400, content=body, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("path", ["/bookings", "/booking_events", "/messages"])
def test_a_body_of_another_type_or_too_large_is_refused(anybody, path):
    anybody.send("POST", path, 400, content=b"{}", headers={"Content-Type": "text/plain"})
    large = json.dumps({"x": "y" * (9 << 20)}).encode()
    anybody.send("POST", path, 400, content=large, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize(
    "word", ["x" * 1_000_000, "\0", "'; DROP TABLE partner_booking; --", "\u202e<script>", "é" * 9000]
)
def test_words_of_any_kind_are_kept_as_they_are(anybody, word):
    body = booking(driver=user(word, word, firstName=word), webUrl=word)
    anybody.book(body)
    assert anybody.told(body["id"]) == body
    anybody.write(message(user(word, word)))


def test_half_a_letter_is_refused(anybody):
    body = json.dumps(booking(webUrl="x")).replace('"x"', '"\\ud800"').encode()
    anybody.send("POST", "/bookings", 400, content=body, headers={"Content-Type": "application/json"})


def test_a_booking_that_nobody_knows_is_missing(anybody):
    answer = anybody.send("GET", f"/bookings/{NO_SUCH}", 404)
    assert answer.json() == {"error": "missing_booking"}
    assert anybody.change(NO_SUCH, "CONFIRMED", 404).json() == {"error": "missing_booking"}


@pytest.mark.parametrize(
    "bad", ["42", "x" * 10_000, "7a1c0a1e00004000800000000000000", "%00", "' OR 1=1", NO_SUCH + "0"]
)
def test_an_id_that_is_no_uuid_is_refused(anybody, bad):
    anybody.send("GET", f"/bookings/{bad}", 400)
    anybody.change(bad, "CONFIRMED", 400)


LADDER = ["WAITING_CONFIRMATION", "CONFIRMED", "COMPLETED_PENDING_VALIDATION", "VALIDATED", "CANCELLED"]


@pytest.mark.parametrize("before", range(5))
@pytest.mark.parametrize("after", range(5))
def test_a_booking_goes_up_the_ladder_and_may_skip(anybody, before, after):
    body = booking()
    anybody.book(body)
    if before:
        assert anybody.change(body["id"], LADDER[before]).content == b""
    if after > before:
        assert anybody.change(body["id"], LADDER[after]).content == b""
        assert anybody.told(body["id"])["status"] == LADDER[after]
    else:
        assert anybody.change(body["id"], LADDER[after], 409).json() == {"error": "status_already_set"}
        assert anybody.told(body["id"])["status"] == LADDER[before]


@pytest.mark.parametrize("asked", [{}, {"status": ""}, {"status": "confirmed"}, {"status": "BROKEN"},
                                   {"status": "CONFIRMED", "message": "x" * 501}])  # fmt: skip
def test_a_change_that_is_none_is_refused_even_of_what_is_missing(anybody, asked):
    anybody.send("PATCH", f"/bookings/{NO_SUCH}", 400, params=asked)


def test_what_is_said_with_a_change_is_kept(left_open, anybody):
    body = booking()
    anybody.book(body)
    anybody.change(body["id"], "CANCELLED", message="Voiture en panne, désolée. " + "é" * 400)
    with left_open.state.engine.connect() as connection:
        (document,) = connection.execute(MessageRow.__table__.select()).scalars("document")
    assert json.loads(document)["message"].startswith("Voiture en panne")


# --- events ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "other"), [("driver", "passenger"), ("passenger", "driver")])
@pytest.mark.parametrize("status", LADDER)
def test_an_event_makes_a_booking_known_with_nobody_on_the_other_side(anybody, side, other, status):
    told = event(status, side)
    assert anybody.tell(told).content == b""
    kept = anybody.told(told["data"]["id"])
    assert kept[other] == {"id": "", "operator": "", "alias": ""}
    assert kept[side] == told["data"][side]
    assert (kept["status"], kept["price"]) == (status, told["data"].get("price", {}))


def test_an_event_moves_a_known_booking_up_and_never_down(anybody):
    body = booking()
    anybody.book(body)
    anybody.tell(event("CONFIRMED", id=body["id"]))
    anybody.tell(event("CONFIRMED", id=body["id"]), 400)
    anybody.tell(event("WAITING_CONFIRMATION", id=body["id"]), 400)
    anybody.tell(event("VALIDATED", id=body["id"], distance=31_500))
    kept = anybody.told(body["id"])
    assert kept == body | {"status": "VALIDATED", "distance": 31_500, "webUrl": "https://covoit.exemple.test/b"}


def test_the_other_side_is_named_by_its_own_event(anybody):
    first = event("WAITING_CONFIRMATION", "passenger")
    anybody.tell(first)
    second = event("CONFIRMED", "driver", id=first["data"]["id"])
    anybody.tell(second)
    kept = anybody.told(first["data"]["id"])
    assert (kept["driver"], kept["passenger"]) == (second["data"]["driver"], first["data"]["passenger"])
    assert kept["price"] == {"type": "FREE"}


def test_the_same_event_again_changes_nothing_and_another_of_its_id_is_refused(anybody):
    told = event("CONFIRMED")
    anybody.tell(told)
    anybody.change(told["data"]["id"], "VALIDATED")
    for _ in range(3):
        anybody.tell(told)
    anybody.tell(told | {"id": told["id"].upper(), "idToken": "a new one"})
    anybody.tell(told | {"data": told["data"] | {"status": "CANCELLED"}}, 400)
    anybody.tell(told | {"data": event("CANCELLED")["data"]}, 400)
    assert anybody.told(told["data"]["id"])["status"] == "VALIDATED"


def test_an_event_may_speak_of_a_booking_whose_id_is_any_word(anybody):
    for word in ("", "réservation 7", "x" * 100_000):
        anybody.tell(event("CONFIRMED", id=word))
        anybody.tell(event("CONFIRMED", id=word), 400)


BAD_EVENTS = [
    lambda told: told.pop("id"),
    lambda told: told.update(id="7"),
    lambda told: told.pop("idToken"),
    lambda told: told.update(idToken=None),
    lambda told: told.pop("data"),
    lambda told: told.update(data=[]),
    lambda told: told["data"].pop("webUrl"),
    lambda told: told["data"].pop("driver"),
    lambda told: told["data"].pop("price"),
    lambda told: told["data"].update(status="BROKEN"),
    lambda told: told["data"].update(passenger=user()),
]


@pytest.mark.parametrize("spoil", BAD_EVENTS)
def test_an_event_that_is_none_is_refused(anybody, spoil):
    told = event()
    spoil(told)
    anybody.tell(told, 400)
    if CONTRACT.exists():
        assert contracts.find_faults(CONTRACT, contracts.named("CarpoolBookingEvent"), told)


# --- messages -------------------------------------------------------------------------------


def test_a_message_reaches_whoever_offers_books_or_was_named(left_open, anybody):
    bring(left_open, driverJourneys=[driver_journey(driver=user("offers"))], users=[user("named")])
    anybody.book(booking(passenger=user("books")))
    for known in ("offers", "named", "books"):
        assert anybody.write(message(user(known))).content == b""
    assert anybody.write(message(user("nobody")), 404).json() == {"error": "missing_user"}
    assert anybody.write(message(user("named", OTHERS)), 404).json() == {"error": "missing_user"}
    assert anybody.write(message({"id": "", "operator": "", "alias": ""}), 404)


BAD_MESSAGES = [{"message": "x" * 501}, {"message": None}, {"recipientCarpoolerType": "CAT"}, {"from": {}},
                {"to": None}, {"bookingId": "42"}, {"driverJourneyId": ""},
                {"passengerJourneyId": "x" * 256}]  # fmt: skip


@pytest.mark.parametrize("wrong", BAD_MESSAGES, ids=lambda wrong: json.dumps(wrong)[:40])
def test_a_message_that_is_none_is_refused(left_open, anybody, wrong):
    bring(left_open, users=[user("named")])
    anybody.write(message(user("named")) | wrong, 400)


@pytest.mark.parametrize("name", ["from", "to", "message", "recipientCarpoolerType"])
def test_a_message_without_what_is_required_is_refused(left_open, anybody, name):
    bring(left_open, users=[user("named")])
    told = message(user("named"), bookingId=NO_SUCH, driverJourneyId="j")
    anybody.write(told)
    del told[name]
    anybody.write(told, 400)


def test_the_longest_message_has_500_letters_and_may_be_empty(left_open, anybody):
    bring(left_open, users=[user("named")])
    anybody.write(message(user("named"), message="🚗" * 500))
    anybody.write(message(user("named"), message=""))
