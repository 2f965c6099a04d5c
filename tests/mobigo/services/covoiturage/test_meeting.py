"""Drivers offer, passengers ask, both agree: on both databases, also when many want the last seat."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from covoiturage.bookings import BookingState
from covoiturage.drives import straight_ways
from mobigo.security import Keys
from mobigo.services.covoiturage import booking, finding, notifying, offering, requesting
from mobigo.services.covoiturage.answering import Answers
from mobigo.services.covoiturage.standard import OfferBoards
from mobigo.store.base import reading, transaction
from mobigo.store.holdings import erase_person
from mobigo.store.jobs import JobRow
from mobigo.store.personal import Whose
from socle.errors import BadInput, Conflict, Forbidden, MobigoError, NotFound
from tests.worlds.meeting import (
    ANNA,
    BEN,
    BESANCON,
    CLEO,
    DAVID,
    MONDAY,
    NOW,
    RIOZ,
    SEVEN,
    VESOUL,
    WEEKS,
    ask,
    baume,
    book,
    publish,
    wish,
)

KEYS = Keys.of("k" * 40)


def letters(engine):
    """Who is to be written what, in order."""
    with reading(engine) as session:
        wanted = select(JobRow).where(JobRow.kind == notifying.LETTER_JOB).order_by(col(JobRow.id))
        return [(row.payload["person"], row.payload["letter"]) for row in session.exec(wanted)]


def found(search, asked, now=NOW):
    return [(one.offer.offer_id, one.n_free) for one in search.search(straight_ways, asked, now)]


def refused(code, what, *values, **named):
    with pytest.raises(MobigoError) as error:
        what(*values, **named)
    assert error.value.code == code


def test_an_offer_is_found_booked_confirmed_and_its_seat_gone(engine):
    search = finding.OfferSearch(engine)
    assert found(search, wish()) == []
    offer = publish(engine, seats=1).offer
    assert found(search, wish()) == [(offer.offer_id, 1)]
    booked = book(engine, offer.offer_id).booking
    assert (booked.state, booked.driver, booked.board_name) == (BookingState.ASKED, ANNA, "Rioz")
    assert found(search, wish(CLEO)) == []
    moved = booking.move(engine, booked.booking_id, BookingState.CONFIRMED, ANNA, "person:anna7", NOW)
    assert moved.state is BookingState.CONFIRMED
    assert letters(engine) == [(ANNA, "asked"), (BEN, "confirmed")]
    refused("seats_gone", book, engine, offer.offer_id, CLEO)


def test_who_got_ready_before_anybody_asks_reads_nothing_more_until_something_changes(engine):
    offer = publish(engine, seats=1).offer
    search = finding.OfferSearch(engine)
    answers = Answers(engine, OfferBoards(engine), search)
    answers.get_ready(straight_ways, NOW)
    assert search.ask(straight_ways, NOW, list) == [offer]
    assert found(search, wish()) == [(offer.offer_id, 1)]
    publish(engine, CLEO)
    answers.get_ready(straight_ways, NOW)
    assert len(found(search, wish())) == 2


def test_a_seat_that_is_refused_or_cancelled_is_free_again(engine):
    search = finding.OfferSearch(engine)
    offer = publish(engine, seats=1).offer
    for number, (step, who) in enumerate([("refused", ANNA), ("cancelled", BEN), ("cancelled", ANNA)]):
        booked = book(engine, offer.offer_id, key=f"b{number}").booking
        assert found(search, wish(CLEO)) == []
        booking.move(engine, booked.booking_id, BookingState(step), who, f"person:{who}", NOW)
        assert found(search, wish(CLEO)) == [(offer.offer_id, 1)]
        assert letters(engine)[-1] == (BEN if who == ANNA else ANNA, step)


def test_what_is_sent_twice_is_there_once_and_a_changed_body_is_refused(engine):
    first, again = publish(engine), publish(engine)
    assert (again.replayed, again.offer) == (True, first.offer)
    refused("key_used_otherwise", publish, engine, seats=2)
    assert publish(engine, CLEO).offer.offer_id != first.offer.offer_id  # the key is the driver's own
    booked, same = book(engine, first.offer.offer_id), book(engine, first.offer.offer_id)
    assert (same.replayed, same.booking) == (True, booked.booking)
    refused("key_used_otherwise", book, engine, first.offer.offer_id, seats=2)
    assert ask(engine, CLEO).request.request_id == ask(engine, CLEO).request.request_id
    refused("key_used_otherwise", ask, engine, CLEO, seats=2)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"seats": 0}, "bad_seats"),
        ({"leaves": NOW - timedelta(days=1)}, "offer_in_past"),
        ({"leaves": NOW + timedelta(days=400)}, "offer_too_far"),
        ({"destination": VESOUL}, "ends_too_near"),
        ({"price_cents": 10**9}, "price_above_cost"),
        ({"detour_min": 10**6}, "bad_detour"),
        ({"origin": None}, "one_of_two"),
        ({"key": "é"}, "bad_key"),
        ({"line": baume(), "from_stop": "nowhere", "to_stop": "x"}, "unknown_line_stop"),
    ],
)
def test_an_offer_that_makes_no_sense_is_refused_and_nothing_kept(engine, given, code):
    refused(code, publish, engine, **given)
    assert offering.list_own_offers(engine, ANNA, NOW) == []


def test_what_passengers_pay_never_exceeds_the_cost_of_the_trip(engine):
    offer = publish(engine).offer
    most = offer.length_m * 529 // 10_000 // 3
    assert publish(engine, key="k2", price_cents=most).offer.price_cents == most
    refused("price_above_cost", publish, engine, key="k3", price_cents=most + 1)


def test_a_driver_does_not_ride_with_oneself_nor_a_passenger_in_two_cars_at_once(engine):
    one, other = publish(engine).offer, publish(engine, CLEO).offer
    refused("own_offer", book, engine, one.offer_id, ANNA)
    book(engine, one.offer_id)
    refused("booked_meanwhile", book, engine, other.offer_id, key="b2")
    refused("unknown_offer", book, engine, "nothing", key="b3")


def test_a_weekly_offer_is_booked_day_by_day_and_may_rest_on_one(engine):
    search = finding.OfferSearch(engine)
    offer = publish(engine, leaves=WEEKS, seats=1).offer
    tuesday = SEVEN + timedelta(days=1)
    booked = book(engine, offer.offer_id).booking
    assert found(search, wish(CLEO)) == []
    assert found(search, wish(CLEO, at=tuesday)) == [(offer.offer_id, 1)]
    assert offering.rest_on(engine, offer.offer_id, ANNA, MONDAY, "person:anna7", NOW) == 1
    assert booking.get_own_booking(engine, booked.booking_id, BEN).state is BookingState.CANCELLED
    assert found(search, wish(CLEO)) == []
    assert found(search, wish(CLEO, at=tuesday)) == [(offer.offer_id, 1)]
    refused("offer_gone", book, engine, offer.offer_id, CLEO)


def test_an_offer_that_is_withdrawn_calls_its_bookings_off(engine):
    search = finding.OfferSearch(engine)
    offer = publish(engine).offer
    found(search, wish())
    booked = book(engine, offer.offer_id).booking
    refused("not_yours", offering.withdraw, engine, offer.offer_id, BEN, "person:ben7", NOW)
    assert offering.withdraw(engine, offer.offer_id, ANNA, "person:anna7", NOW) == 1
    refused("offer_gone", offering.withdraw, engine, offer.offer_id, ANNA, "person:anna7", NOW)
    assert booking.get_own_booking(engine, booked.booking_id, BEN).state is BookingState.CANCELLED
    assert (found(search, wish()), letters(engine)[-1]) == ([], (BEN, "cancelled"))


def test_seats_are_changed_but_not_below_what_is_held(engine):
    offer = publish(engine).offer
    book(engine, offer.offer_id, seats=2)
    refused("seats_held", offering.change_seats, engine, offer.offer_id, ANNA, 1, "person:anna7", NOW)
    refused("bad_seats", offering.change_seats, engine, offer.offer_id, ANNA, 0, "person:anna7", NOW)
    offering.change_seats(engine, offer.offer_id, ANNA, 2, "person:anna7", NOW)
    assert found(finding.OfferSearch(engine), wish(CLEO)) == []


def test_a_second_passenger_moves_the_first_by_what_is_told(engine):
    offer = publish(engine, detour_min=30).offer
    near = RIOZ.at._replace(lat=47.55)
    first = book(engine, offer.offer_id).booking
    second = book(engine, offer.offer_id, CLEO, origin=RIOZ.__class__("Beside", near)).booking
    now_met = booking.get_own_booking(engine, first.booking_id, BEN).taken
    later = now_met.board.instant - first.taken.board.instant
    assert 0 < later <= 300
    assert now_met.promised == first.taken.promised
    assert second.taken.board.instant < now_met.board.instant
    assert found(finding.OfferSearch(engine), wish(DAVID))[0][1] == 1


def test_what_was_shown_and_is_no_longer_so_is_not_booked(engine):
    offer = publish(engine).offer
    (match,) = finding.OfferSearch(engine).search(straight_ways, wish(), NOW)
    refused("match_changed", book, engine, offer.offer_id, board_at=match.board.instant - 301)
    assert book(engine, offer.offer_id, board_at=match.board.instant).booking.taken.board == match.board
    refused("seats_gone", book, engine, offer.offer_id, CLEO, key="late", now=SEVEN + timedelta(hours=3))


def test_many_race_for_the_last_seats_and_no_seat_is_given_twice(engine):
    offer = publish(engine, seats=2, detour_min=0, origin=VESOUL, destination=BESANCON).offer
    answers: list[str] = []

    def try_to_book(number):
        try:
            book(engine, offer.offer_id, f"rider{number}", origin=VESOUL)
            answers.append("booked")
        except Conflict as full:
            answers.append(full.code)

    racers = [threading.Thread(target=try_to_book, args=(number,)) for number in range(8)]
    for one in racers:
        one.start()
    for one in racers:
        one.join()
    assert sorted(answers) == ["booked"] * 2 + ["seats_gone"] * 6


def test_only_the_right_one_takes_each_step(engine):
    offer = publish(engine).offer
    booked = book(engine, offer.offer_id).booking
    move = (booking.move, engine, booked.booking_id)
    refused("not_your_step", *move, BookingState.CONFIRMED, BEN, "person:ben7", NOW)
    refused("unknown_booking", *move, BookingState.CANCELLED, CLEO, "person:cleo7", NOW)
    refused("unknown_step", *move, BookingState.ABOARD, ANNA, "person:anna7", NOW)
    refused("ride_over", *move, BookingState.CONFIRMED, ANNA, "person:anna7", SEVEN + timedelta(hours=2))
    booking.move(engine, booked.booking_id, BookingState.CONFIRMED, ANNA, "person:anna7", NOW)
    refused("booking_settled", *move, BookingState.REFUSED, ANNA, "person:anna7", NOW)
    refused("ride_to_come", *move, BookingState.ABSENT, ANNA, "person:anna7", NOW)
    booking.move(engine, booked.booking_id, BookingState.ABSENT, ANNA, "person:anna7", SEVEN + timedelta(hours=1))


def test_the_outing_moves_bookings_on_and_nobody_cancels_who_is_aboard(engine):
    offer = publish(engine).offer
    booked = book(engine, offer.offer_id).booking
    booking.move(engine, booked.booking_id, BookingState.CONFIRMED, ANNA, "person:anna7", NOW)
    with reading(engine) as session:
        assert [one.booking_id for one in booking.list_of_driver(session, ANNA, SEVEN)] == [booked.booking_id]
        assert booking.list_of_driver(session, ANNA, NOW) == []
    with transaction(engine) as session:
        assert booking.note_boarded(session, booked.booking_id, SEVEN).state is BookingState.ABOARD
    refused(
        "booking_settled", booking.move, engine, booked.booking_id, BookingState.CANCELLED, BEN, "person:ben7", SEVEN
    )
    with transaction(engine) as session:
        assert booking.note_alighted(session, booked.booking_id, SEVEN).state is BookingState.DONE


def test_the_two_of_a_booking_write_each_other_and_nobody_else_reads(engine):
    offer = publish(engine).offer
    booked = book(engine, offer.offer_id).booking

    def write(who, text, key, now=NOW):
        return booking.write_message(engine, KEYS, booked.booking_id, who, text, key, now)

    assert write(BEN, " Je serai devant la mairie ", "m1")
    assert not write(BEN, "Je serai devant la mairie", "m1")
    assert write(ANNA, "Très bien", "m1")  # a key is the writer's own
    read = booking.read_messages(engine, KEYS, booked.booking_id, BEN)
    assert [(one.is_mine, one.text) for one in read] == [(True, "Je serai devant la mairie"), (False, "Très bien")]
    assert letters(engine)[-2:] == [(ANNA, "message"), (BEN, "message")]
    refused("key_used_otherwise", write, BEN, "Autre chose", "m1")
    refused("message_empty", write, BEN, "  ", "m2")
    refused("message_long", write, BEN, "x" * 501, "m2")
    refused("unknown_booking", write, CLEO, "Bonjour", "m1")
    refused("unknown_booking", booking.read_messages, engine, KEYS, booked.booking_id, CLEO)
    refused("booking_settled", write, BEN, "Mon parapluie ?", "m3", SEVEN + timedelta(days=9))
    for number in range(58):
        write(BEN, "encore", f"more{number}")
    refused("too_many_messages", write, BEN, "encore", "last")


def test_a_new_offer_is_told_to_those_who_look_for_such_a_ride(engine):
    ask(engine)
    ask(engine, CLEO, origin=BESANCON, destination=VESOUL)
    assert publish(engine).n_told == 1
    assert letters(engine) == [(BEN, "request_met")]
    assert [one.wish.passenger for one in requesting.list_own_requests(engine, BEN, NOW)] == [BEN]


def test_who_books_looks_no_more_and_so_does_who_gives_up(engine):
    offer = publish(engine).offer
    ask(engine)
    book(engine, offer.offer_id)
    assert requesting.list_own_requests(engine, BEN, NOW) == []
    asked = ask(engine, CLEO).request
    with pytest.raises(Forbidden):
        requesting.give_up(engine, asked.request_id, BEN)
    requesting.give_up(engine, asked.request_id, CLEO)
    assert requesting.list_own_requests(engine, CLEO, NOW) == []
    with pytest.raises(NotFound):
        requesting.give_up(engine, "nothing", CLEO)


def test_a_driver_who_leaves_now_takes_along_who_waits_longest_at_the_stops(engine):
    line = baume()
    first, last = line.stops[0].stop_id, line.stops[-1].stop_id
    middle = line.stops[len(line.stops) // 2].stop_id
    waits = {"line": line, "line_id": line.line_id, "at": NOW}
    for minute, (who, from_stop, to_stop) in enumerate(
        [(BEN, middle, last), (CLEO, first, last), (DAVID, last, first), ("eve7", first, last)]
    ):
        ask(engine, who, from_stop=from_stop, to_stop=to_stop, now=NOW + timedelta(minutes=minute), **waits)
    now = NOW + timedelta(minutes=10)
    leaves = {"line": line, "line_id": line.line_id, "from_stop": first, "to_stop": last, "at_once": True}
    published = publish(engine, leaves=now, seats=2, now=now, **leaves)
    assert [(one.passenger, one.state) for one in published.booked] == [
        (BEN, BookingState.CONFIRMED),
        (CLEO, BookingState.CONFIRMED),
    ]
    assert {(BEN, "confirmed"), (ANNA, "taken")} <= set(letters(engine))
    assert published.booked[0].price_cents == line.fare_cents
    assert [one.wish.passenger for one in requesting.list_own_requests(engine, "eve7", now)] == ["eve7"]


def test_who_comes_to_a_stop_is_taken_along_by_the_car_that_is_still_to_pass(engine):
    line = baume()
    first, last = line.stops[0].stop_id, line.stops[-1].stop_id
    leaves = {"line": line, "line_id": line.line_id, "from_stop": first, "to_stop": last, "at_once": True}
    publish(engine, leaves=NOW, seats=1, **leaves)
    middle = line.stops[len(line.stops) // 2].stop_id
    later = NOW + timedelta(minutes=2)
    waits = {"line": line, "line_id": line.line_id, "at": later, "now": later}
    assert ask(engine, CLEO, from_stop=first, to_stop=last, **waits).booked is None  # it has left there
    booked = ask(engine, BEN, from_stop=middle, to_stop=last, **waits).booked
    assert booked is not None
    assert (booked.driver, booked.state, booked.line_id) == (ANNA, BookingState.CONFIRMED, line.line_id)


def test_whoever_is_erased_is_found_no_more_by_any_process(engine):
    search = finding.OfferSearch(engine)
    offer = publish(engine).offer
    assert found(search, wish()) == [(offer.offer_id, 3)]
    with transaction(engine) as session:
        erase_person(session, Whose("id of anna", ANNA))
    assert found(search, wish()) == []


def test_there_is_an_end_to_what_one_may_offer_and_ask(engine, monkeypatch):
    monkeypatch.setattr(offering, "MOST_OFFERS", 1)
    monkeypatch.setattr(requesting, "MOST_REQUESTS", 1)
    publish(engine)
    ask(engine)
    refused("too_many_offers", publish, engine, key="k2")
    refused("too_many_requests", ask, engine, key="r2")
    with pytest.raises(BadInput):
        ask(engine, at=NOW - timedelta(days=1), key="r3")


def test_instants_are_told_in_utc():
    assert finding.utc(0) == datetime(1970, 1, 1, tzinfo=UTC)
