"""Rides that two operators share: two Mobigos, each with drivers and passengers, over HTTP, on both databases."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from mobigo.services.covoiturage import booking as bookings
from mobigo.services.covoiturage.booking import BookingState, Party
from mobigo.services.covoiturage.elsewhere import open_journey, seal_journey
from mobigo.services.covoiturage.telling import TELL_JOB, tell
from mobigo.store.base import reading
from mobigo.store.covoiturage.bookings import find_booking
from mobigo.store.covoiturage.partners import list_partners
from mobigo.store.jobs import Claim, JobState
from socle.errors import BadInput, Conflict
from tests.worlds import meeting
from tests.worlds.databases import KINDS
from tests.worlds.meeting import BEN, BESANCON, NOW, SEVEN, VESOUL, publish
from tests.worlds.partners import ends
from tests.worlds.two_sites import HERE, THERE, two_sites

DAVID = "david7"
DAY = timedelta(days=1)
N_DAYS = iter(range(1, 300))


@pytest.fixture(scope="module", params=KINDS)
def sites(request, tmp_path_factory):
    with two_sites(request.param, tmp_path_factory.mktemp("two")) as both:
        yield both


@pytest.fixture
def shared(sites):
    """Both sites, and a car of the other one's on a day of its own, with a seat at 2 euros."""
    ours, theirs = sites
    at = SEVEN + next(N_DAYS) * DAY
    offer = publish(theirs.engine, DAVID, key=f"offer {at}", leaves=at, seats=1, price_cents=200, detour_min=0).offer
    found = ours.find(BEN, at).journeys
    assert [one.document["driver"]["id"] for one in found] == [offer.offer_id]
    return ours, theirs, found[0].document


def last(site, who):
    return site.mine(who)[-1]


def ask(shared, passenger=BEN, key=None):
    """A passenger of ours asks for the seat; the booking on both sides."""
    ours, theirs, journey = shared
    own = ours.book_elsewhere(passenger, key or f"book {journey['id']}", journey).booking
    assert ours.work()[-1] == ("booking", JobState.DONE)
    return own, last(theirs, DAVID)


def answer(theirs, booking, state):
    moved = bookings.move(theirs.engine, booking.booking_id, state, DAVID, f"person:{DAVID}", NOW)
    assert theirs.work()[-1] == ("status", JobState.DONE)
    return moved


def status_of(site, booking):
    """Where a booking stands for the standard."""
    with reading(site.engine) as session:
        return find_booking(session, booking.partner_key).document.split('"status":"')[1].split('"')[0]


def test_a_seat_of_a_partner_is_asked_for_confirmed_by_its_driver_and_cancelled(shared):
    ours, theirs, journey = shared
    own, there = ask(shared)
    assert (own.state, own.operator, own.theirs, own.price_cents) == ("asked", THERE, Party.DRIVER, 200)
    assert (there.state, there.operator, there.theirs) == ("asked", HERE, Party.PASSENGER)
    assert (there.offer_id, there.board_name) == (journey["driver"]["id"], VESOUL.name)
    assert (there.taken.board.instant, there.seats) == (own.taken.board.instant, 1)
    assert BEN not in str(there)
    answer(theirs, there, BookingState.CONFIRMED)
    assert last(ours, BEN).state == "confirmed"
    (words,) = said(ours, own, BEN)  # what the passenger says when boarding
    assert words == (
        False,
        f"Le conducteur vous prend. Référence à dire en montant : {there.reference}.".replace(
            " :", "\N{NO-BREAK SPACE}:"
        ),
    )
    assert {status_of(site, one) for site, one in ((ours, own), (theirs, there))} == {"CONFIRMED"}
    bookings.move(ours.engine, own.booking_id, BookingState.CANCELLED, BEN, f"person:{BEN}", NOW)
    ours.work()
    assert last(theirs, DAVID).state == "cancelled"
    assert {status_of(site, one) for site, one in ((ours, own), (theirs, there))} == {"CANCELLED"}
    assert [one.seats for one in ours.find(BEN, met_at(journey)).journeys] == [1]  # the seat is free again


def met_at(journey):
    return datetime.fromtimestamp(journey["passengerPickupDate"], UTC)


@pytest.mark.parametrize(("first", "second"), [("refused", "refused"), ("confirmed", "cancelled")])
def test_what_the_driver_answers_reaches_the_passenger(shared, first, second):
    ours, theirs, _ = shared
    _, there = ask(shared)
    there = answer(theirs, there, BookingState(first))
    if second != first:
        answer(theirs, there, BookingState(second))
    assert last(ours, BEN).state == second


def test_the_same_form_twice_asks_once_and_another_under_its_key_is_refused(shared):
    ours, theirs, journey = shared
    own, _ = ask(shared, key="form")
    again = ours.book_elsewhere(BEN, "form", journey)
    assert (again.replayed, again.booking.booking_id) == (True, own.booking_id)
    with pytest.raises(Conflict) as refused:
        ours.book_elsewhere(BEN, "form", journey | {"price": {"type": "FREE"}})
    assert refused.value.code == "key_used_otherwise"
    with pytest.raises(Conflict) as refused:
        ours.book_elsewhere(BEN, "another form", journey)
    assert refused.value.code == "booked_meanwhile"
    assert len([one for one in theirs.mine(DAVID) if one.partner_key == last(theirs, DAVID).partner_key]) == 1


def test_a_seat_that_is_gone_by_then_is_refused_and_the_passenger_told(shared):
    ours, theirs, journey = shared
    at = met_at(journey)
    mine = meeting.book(
        theirs.engine, journey["driver"]["id"], "cleo7", key=f"c{at}", day=at.date(), origin=VESOUL, at=at
    )
    assert mine.booking.state == "asked"
    ours.book_elsewhere(BEN, f"late {at}", journey)
    assert ours.work()[-1] == ("booking", JobState.DEAD)
    assert last(ours, BEN).state == "refused"


def test_an_answer_that_was_lost_on_the_way_is_no_second_booking(shared):
    ours, theirs, _ = shared
    own, there = ask(shared)
    told = {"operator": THERE, "what": "booking", "booking": own.partner_key, "status": "WAITING_CONFIRMATION"}
    claim = Claim(1, "again", TELL_JOB, told, NOW, 1, 1, "token", NOW)
    tell(ours.engine, ours.keys, f"https://{HERE}", claim, NOW)
    assert (last(ours, BEN).state, last(theirs, DAVID).booking_id) == ("asked", there.booking_id)
    assert own.state == "asked"


def test_passengers_of_both_sides_race_for_one_seat_and_one_gets_it(shared):
    ours, theirs, journey = shared
    at, operator = met_at(journey), theirs.operator
    got = []

    def here(n):
        with suppress(Conflict):
            meeting.book(theirs.engine, journey["driver"]["id"], f"p{n}", key="k", day=at.date(), origin=VESOUL, at=at)
            got.append(f"p{n}")

    def there(n):
        body = standard_booking(journey, f"x{n}", n)
        shown = key_of(ours)
        answered = raw(theirs, shown, body)
        assert answered.status_code in {201, 400}, answered.text
        if answered.status_code == 201:
            got.append(f"x{n}")

    racing = [threading.Thread(target=do, args=(n,)) for n in range(3) for do in (here, there)]
    for one in racing:
        one.start()
    for one in racing:
        one.join()
    assert len(got) == 1, got
    assert operator == THERE


def key_of(site):
    """What a site shows its partner."""
    with reading(site.engine) as session:
        (partner,) = list_partners(session)
    return site.keys.open(partner.sealed_key, f"partner.key:{partner.operator}")


def raw(site, key, body, method="POST", path="/bookings", **more):
    with httpx.Client(base_url=f"{site.address}/standard-covoiturage/v1", headers={"X-API-Key": key}) as client:
        return client.request(method, path, json=body, **more)


def standard_booking(journey, user="u1", n=0, **more):
    """What another program of our operator asks for."""
    places = {name: journey[name] for name in journey if name.endswith(("Lat", "Lng"))}
    return {
        "id": f"7a1c0a1e-0000-4000-8000-{hash((journey['id'], user, n)) % 16**12:012x}",
        "driver": journey["driver"],
        "passenger": {"id": user, "operator": HERE, "alias": "Zoé"},
        "status": "WAITING_CONFIRMATION",
        "price": {},
        "passengerPickupDate": journey["passengerPickupDate"],
        **places,
    } | more


ODD = {
    "another operator's passenger": lambda body: body | {"passenger": {"id": "u", "operator": "x.org", "alias": ""}},
    "a passenger of no operator": lambda body: body | {"passenger": {"id": "u", "operator": "", "alias": ""}},
    "another price": lambda body: body | {"price": {"type": "PAYING", "amount": 0.01, "currency": "EUR"}},
    "for nothing": lambda body: body | {"price": {"type": "FREE"}},
    "in dollars": lambda body: body | {"price": {"type": "PAYING", "amount": 2, "currency": "USD"}},
    "an hour later": lambda body: body | {"passengerPickupDate": body["passengerPickupDate"] + 3600},
    "yesterday": lambda body: body | {"passengerPickupDate": NOW.timestamp() - 86_400},
    "in a thousand years": lambda body: body | {"passengerPickupDate": 10**15},
    "at no instant": lambda body: body | {"passengerPickupDate": -1e300},
    "off the earth": lambda body: body | {"passengerPickupLat": 91},
    "from elsewhere": lambda body: body | {"passengerPickupLat": 43.3},
    "the other way": lambda body: body | ends(BESANCON.at, VESOUL.at),
    "with a driver who offers nothing": lambda body: body | {"driver": body["driver"] | {"id": "nobody"}},
    "with a line": lambda body: body | {"driver": body["driver"] | {"id": "CV6"}},
    "confirmed at once": lambda body: body | {"status": "CONFIRMED"},
}


@pytest.mark.parametrize("wrong", ODD)
def test_what_is_no_booking_of_that_seat_is_refused_and_takes_none(shared, wrong):
    ours, theirs, journey = shared
    shown = key_of(ours)
    answered = raw(theirs, shown, ODD[wrong](standard_booking(journey)))
    assert answered.status_code == 400, answered.text
    assert list(answered.json()) == ["error"]
    assert raw(theirs, shown, standard_booking(journey)).status_code == 201


def test_a_known_id_books_nothing_more_whatever_its_body(shared):
    ours, theirs, journey = shared
    shown, body = key_of(ours), standard_booking(journey, alias="x")
    body.pop("alias")
    first = raw(theirs, shown, body)
    assert (first.status_code, first.json()["price"]["amount"]) == (201, 2)
    n = len(theirs.mine(DAVID))
    assert raw(theirs, shown, body).status_code == 400
    assert raw(theirs, shown, body | {"passenger": {"id": "u2", "operator": HERE, "alias": ""}}).status_code == 400
    assert len(theirs.mine(DAVID)) == n
    there = raw(theirs, shown, None, "GET", f"/bookings/{body['id']}").json()
    assert there == first.json()


@pytest.mark.parametrize("status", ["CONFIRMED", "COMPLETED_PENDING_VALIDATION", "VALIDATED"])
def test_nobody_answers_for_the_driver(shared, status):
    ours, theirs, journey = shared
    shown, body = key_of(ours), standard_booking(journey)
    assert raw(theirs, shown, body).status_code == 201
    path = f"/bookings/{body['id']}"
    assert raw(theirs, shown, None, "PATCH", path, params={"status": status}).status_code == 400
    assert last(theirs, DAVID).state == "asked"
    assert raw(theirs, shown, None, "PATCH", path, params={"status": "CANCELLED"}).status_code == 200
    assert last(theirs, DAVID).state == "cancelled"
    assert raw(theirs, shown, None, "PATCH", path, params={"status": "CANCELLED"}).status_code == 409


# --- messages -----------------------------------------------------------------------------------


def said(site, booking, who):
    return [(one.is_mine, one.text) for one in bookings.read_messages(site.engine, site.keys, booking.booking_id, who)]


def write(site, booking, who, words, key):
    return bookings.write_message(site.engine, site.keys, booking.booking_id, who, words, key, NOW)


def test_driver_and_passenger_write_each_other_from_one_site_to_the_other(shared):
    ours, theirs, _ = shared
    own, there = ask(shared)
    write(ours, own, BEN, "Je serai devant la gare.", "m1")
    assert ours.work()[-1] == ("message", JobState.DONE)
    write(theirs, there, DAVID, "Voiture bleue.", "m1")
    assert theirs.work()[-1] == ("message", JobState.DONE)
    assert said(ours, own, BEN) == [(True, "Je serai devant la gare."), (False, "Voiture bleue.")]
    assert said(theirs, there, DAVID) == [(False, "Je serai devant la gare."), (True, "Voiture bleue.")]
    for site in (ours, theirs):
        with site.engine.connect() as connection:
            kept = connection.exec_driver_sql("SELECT sealed FROM carpool_message").all()
            told = connection.exec_driver_sql("SELECT payload FROM job").all()
        assert "gare" not in str(kept) + str(told)


def test_a_question_before_any_booking_reaches_the_driver_and_is_answered(shared):
    ours, theirs, journey = shared
    shown = key_of(ours)
    message = {
        "from": {"id": "zoe", "operator": HERE, "alias": "Zoé"},
        "to": journey["driver"],
        "message": "Prenez-vous un chien ?",
        "recipientCarpoolerType": "DRIVER",
    }
    assert raw(theirs, shown, message, path="/messages").status_code == 201
    assert raw(theirs, shown, message, path="/messages").status_code == 201  # sent again: the same message
    (asked,) = [one for one in theirs.mine(DAVID) if one.offer_id == journey["driver"]["id"]]
    assert asked.state == "question"
    assert said(theirs, asked, DAVID) == [(False, "Prenez-vous un chien ?")]
    assert [one.seats for one in ours.find(BEN, met_at(journey)).journeys] == [1]  # it holds no seat
    for step in (BookingState.CONFIRMED, BookingState.CANCELLED):
        with pytest.raises(Conflict):
            bookings.move(theirs.engine, asked.booking_id, step, DAVID, f"person:{DAVID}", NOW)
    write(theirs, asked, DAVID, "S’il est petit.", "m")
    assert theirs.work()[-1] == ("message", JobState.DEAD)  # nobody of that name there: told to the clerk of jobs
    wrong = [
        (message | {"from": {"id": "zoe", "operator": "x.org", "alias": ""}}, 400),
        (message | {"to": journey["driver"] | {"id": "nobody"}}, 404),
        (message | {"message": "  "}, 400),
        (message | {"message": "x" * 501}, 400),
    ]
    for body, status in wrong:
        assert raw(theirs, shown, body, path="/messages").status_code == status
    assert len(said(theirs, asked, DAVID)) == 2


# --- on board -----------------------------------------------------------------------------------


def test_what_was_shown_long_ago_or_made_up_is_not_booked(shared):
    ours, _, journey = shared
    shown = seal_journey(ours.keys, journey, NOW)
    assert open_journey(ours.keys, shown, NOW)["id"] == journey["id"]
    for written, now in ((shown, NOW + timedelta(minutes=31)), (shown[:-2] + "xx", NOW), ("", NOW), ("é", NOW)):
        with pytest.raises(BadInput):
            open_journey(ours.keys, written, now)
    assert seal_journey(ours.keys, journey | {"passengerPickupAddress": "x" * 5000}, NOW) == ""
