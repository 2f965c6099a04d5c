"""Who takes whom along: by example on one road, and against the slow twin on many."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from covoiturage.drives import FARTHER, straight_ways
from covoiturage.matching import OfferIndex
from covoiturage.offers import KEPT_S, Halt, Meeting, Offer, Taken, Weekly, Wish, leaving_at
from socle.errors import BadInput
from socle.geo import LatLon
from socle.matrix import NEVER, TravelMatrix
from socle.times import PARIS
from tests.oracles.carpool_matching import find_all
from tests.worlds.examples import random_examples

MONDAY = date(2026, 11, 23)
A_KM = 1 / 111.195  # degrees of latitude


def at_km(km, east_km=0.0):
    """A place on a road that leads north, or east of it."""
    return LatLon(47 + km * A_KM, 5 + east_km * A_KM / np.cos(np.radians(47)))


def road(origins, destinations, within_s=None):
    """Ways along streets north and east only, at 60 km/h: a kilometre takes a minute. Not farther than is asked."""
    one, other = np.array(origins).reshape(-1, 1, 2), np.array(destinations).reshape(1, -1, 2)
    away = np.abs(one - other) / A_KM * np.array([1, np.cos(np.radians(47))])
    km = away.sum(axis=2)
    seconds, metres = np.rint(km * 60).astype(np.int32), np.rint(km * 1000).astype(np.int32)
    if within_s is not None:
        is_farther = seconds > within_s
        seconds[is_farther] = metres[is_farther] = FARTHER
    return TravelMatrix(seconds, metres)


def offer(leaves, *, km=20, seats=3, detour_min=0, detour_km=0, offer_id="o", driver="drives"):
    """Along the road from kilometre 0."""
    halts = (Halt("Start", at_km(0), 0, 0), Halt("End", at_km(km), km * 60, km * 1000))
    return Offer(offer_id, driver, halts, leaves, seats, detour_min * 60, detour_km * 1000)


def line(leaves, *kms, seats=3, offer_id="l", driver="drives"):
    """A line with a stop at each of these kilometres."""
    halts = tuple(Halt(f"km {km}", at_km(km), (km - kms[0]) * 60, (km - kms[0]) * 1000, f"s{km}") for km in kms)
    return Offer(offer_id, driver, halts, leaves, seats, line_id="line")


def clock(instant):
    """When, as one reads it on the wall."""
    return datetime.fromtimestamp(instant, PARIS).strftime("%a %H:%M")


def wish(origin, destination, at, **more):
    return Wish(origin, destination, at, **({"walk_m": 500, "tolerance_s": 1800} | more))


SEVEN = leaving_at(MONDAY, time(7))


def test_the_driver_comes_for_a_passenger_beside_the_road_within_the_detour():
    index = OfferIndex(road, [offer(SEVEN, detour_min=5, detour_km=5)])
    [found] = index.search(wish(at_km(5, 2), at_km(15), SEVEN))
    assert (clock(found.board.instant), clock(found.alight.instant)) == ("Mon 07:07", "Mon 07:19")
    assert (found.detour_s, found.detour_m, found.ride_m) == pytest.approx((240, 4000, 12_000), abs=1)
    assert index.search(wish(at_km(5, 3), at_km(15), SEVEN)) == []  # six minutes and kilometres


def test_a_driver_without_detour_takes_who_walks_to_the_ends():
    index = OfferIndex(road, [offer(SEVEN)])
    [found] = index.search(wish(at_km(0, 0.4), at_km(20, -0.3), SEVEN))
    assert (found.board.halt, found.alight.halt) == (0, 1)
    assert (found.board.walk_m, found.alight.walk_m) == pytest.approx((400, 300), abs=1)
    assert index.search(wish(at_km(0, 0.6), at_km(20), SEVEN)) == []
    assert index.search(wish(at_km(20), at_km(0), SEVEN)) == []  # the other way round


def test_a_line_is_ridden_from_stop_to_stop_in_its_direction():
    index = OfferIndex(road, [line(SEVEN, 0, 8, 20, 33)])
    [found] = index.search(wish(at_km(8, 0.2), at_km(33), SEVEN))
    assert (found.board.halt, found.alight.halt, clock(found.board.instant)) == (1, 3, "Mon 07:08")
    assert (found.ride_m, found.detour_s) == (25_000, 0)
    assert index.search(wish(at_km(12), at_km(33), SEVEN)) == []


def test_seats_are_counted_on_each_stretch():
    index = OfferIndex(road, [line(SEVEN, 0, 10, 20, 30, seats=2)])
    two = Taken("b", 2, Meeting(at_km(10), SEVEN + 600, 1), Meeting(at_km(20), SEVEN + 1200, 2), (SEVEN, SEVEN))
    index.take("l", MONDAY, [two])

    def n_free(first_km, last_km, seats=1):
        return [one.n_free for one in index.search(wish(at_km(first_km), at_km(last_km), SEVEN, seats=seats))]

    assert (n_free(0, 10), n_free(0, 20), n_free(10, 20), n_free(20, 30)) == ([2], [], [], [2])
    assert n_free(0, 10, seats=3) == []
    index.take("l", MONDAY, [replace(two, seats=1)])
    assert (n_free(0, 30), n_free(0, 30, seats=2)) == ([1], [])


def test_who_was_promised_an_instant_is_met_five_minutes_later_at_most():
    index = OfferIndex(road, [offer(SEVEN, detour_min=30, detour_km=30)])
    [first] = index.search(wish(at_km(10), at_km(20), SEVEN))
    index.take("o", MONDAY, [Taken("b", 1, first.board, first.alight, (first.board.instant, first.alight.instant))])
    [second] = index.search(wish(at_km(5, 2), at_km(15), SEVEN))
    board_at, alight_at = second.moved["b"]
    assert (board_at - first.board.instant, alight_at - first.alight.instant) == (240, 240)
    assert KEPT_S == 300
    assert index.search(wish(at_km(5, 3), at_km(15), SEVEN)) == []  # six minutes


def test_a_trip_that_leaves_before_midnight_is_found_on_the_next_day():
    weekly = Weekly(frozenset({6}), time(23, 50), date(2026, 11, 1))
    index = OfferIndex(road, [line(weekly, 0, 20, 40)])
    [found] = index.search(wish(at_km(20), at_km(40), leaving_at(MONDAY, time(0, 10))))
    assert (found.day, clock(found.board.instant)) == (date(2026, 11, 22), "Mon 00:10")
    assert index.search(wish(at_km(20), at_km(40), leaving_at(MONDAY + timedelta(days=1), time(0, 10)))) == []


@pytest.mark.parametrize(
    ("day", "leaves", "arrives"),
    [
        (date(2026, 10, 25), "Sun 01:50", "Sun 02:10"),  # the hour from 2 to 3 comes twice: an hour, not two
        (date(2026, 3, 29), "Sun 01:50", "Sun 03:10"),  # and here not at all
    ],
)
def test_a_trip_across_a_clock_change_takes_as_long_as_any(day, leaves, arrives):
    weekly = Weekly(frozenset({6}), time(1, 50), date(2026, 1, 1))
    index = OfferIndex(road, [offer(weekly)])
    [found] = index.search(wish(at_km(0), at_km(20), leaving_at(day, time(1, 50))))
    assert (clock(found.board.instant), clock(found.alight.instant)) == (leaves, arrives)
    assert found.alight.instant - found.board.instant == 1200


def test_an_hour_that_the_clock_skips_is_the_hour_after_it():
    index = OfferIndex(road, [offer(Weekly(frozenset({6}), time(2, 30), date(2026, 1, 1)))])
    [found] = index.search(wish(at_km(0), at_km(20), leaving_at(date(2026, 3, 29), time(3, 30))))
    assert clock(found.board.instant) == "Sun 03:30"


def test_a_weekly_offer_rests_before_its_first_day_after_its_last_and_where_it_says_so():
    days = Weekly(
        frozenset({0, 1}), time(7), MONDAY, MONDAY + timedelta(days=8), frozenset({MONDAY + timedelta(days=7)})
    )
    index = OfferIndex(road, [offer(days)])
    on = [
        n
        for n in range(-7, 16)
        if index.search(wish(at_km(0), at_km(20), leaving_at(MONDAY + timedelta(days=n), time(7))))
    ]
    assert on == [0, 1, 8]


def test_nobody_rides_with_oneself_nor_in_a_car_that_has_left():
    index = OfferIndex(road, [offer(SEVEN)])
    asked = wish(at_km(0), at_km(20), SEVEN)
    assert index.search(replace(asked, passenger="drives")) == []
    assert index.search(replace(asked, not_before=SEVEN + 1)) == []
    assert len(index.search(replace(asked, not_before=SEVEN, passenger="rides"))) == 1


def test_who_wants_to_arrive_by_an_hour_is_told_by_the_arrival():
    index = OfferIndex(road, [offer(SEVEN, km=60)])
    asked = wish(at_km(0), at_km(60), leaving_at(MONDAY, time(8)), arrive_by=True, tolerance_s=0)
    assert [clock(one.alight.instant) for one in index.search(asked)] == ["Mon 08:00"]
    assert index.search(replace(asked, arrive_by=False)) == []


def test_the_least_effort_comes_first_and_ties_go_by_name():
    offers = [
        offer(SEVEN + 600, offer_id="later"),
        offer(SEVEN, offer_id="b"),
        offer(SEVEN, offer_id="a"),
        offer(SEVEN, offer_id="comes", detour_min=5, detour_km=5),
    ]
    index = OfferIndex(road, offers)
    asked = wish(at_km(0), at_km(20, 0.4), SEVEN)
    assert [one.offer.offer_id for one in index.search(asked)] == ["comes", "a", "b", "later"]
    assert [one.offer.offer_id for one in index.search(asked, limit=1)] == ["comes"]


def test_an_offer_that_was_withdrawn_or_changed_is_found_so():
    index = OfferIndex(road, [offer(SEVEN)])
    asked = wish(at_km(0), at_km(20), SEVEN)
    index.put(offer(SEVEN + 60))
    assert [one.leave_at for one in index.search(asked)] == [SEVEN + 60]
    index.remove("o")
    index.remove("o")
    assert (index.search(asked), len(index)) == ([], 0)
    index.put(offer(SEVEN))
    assert len(index.search(asked)) == 1


def test_where_no_street_leads_one_goes_straight():
    def nowhere(origins, destinations, _within_s=None):
        never = np.full((len(origins), len(destinations)), NEVER, np.int32)
        return TravelMatrix(never, never)

    asked = wish(at_km(5, 1), at_km(15), SEVEN)
    told = [
        OfferIndex(ways, [offer(SEVEN, detour_min=9, detour_km=9)]).search(asked) for ways in (nowhere, straight_ways)
    ]
    assert told[0] == told[1] != []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"seats": 0}, "bad_seats"),
        ({"seats": 9}, "bad_seats"),
        ({"halts": (Halt("Start", at_km(0), 0, 0),)}, "bad_halts"),
        ({"halts": (Halt("Start", at_km(0), 0, 0), Halt("End", at_km(0), 0, 0))}, "bad_halts"),
        ({"halts": (Halt("Start", at_km(0), 0, 0), Halt("End", at_km(9), 13 * 3600, 9000))}, "bad_halts"),
        ({"detour_s": -1}, "bad_detour"),
        ({"detour_m": 10**9}, "bad_detour"),
        ({"price_cents": -1}, "bad_price"),
    ],
)
def test_an_offer_that_cannot_be_driven_is_refused(change, code):
    with pytest.raises(BadInput) as refused:
        replace(offer(SEVEN), **change)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("days", "last", "code"),
    [((), None, "no_weekday"), ((7,), None, "no_weekday"), ((0,), MONDAY - timedelta(days=1), "ends_before_first_day")],
)
def test_weeks_without_a_day_are_refused(days, last, code):
    with pytest.raises(BadInput) as refused:
        Weekly(frozenset(days), time(7), MONDAY, last)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("change", "code"),
    [({"seats": 0}, "bad_seats"), ({"tolerance_s": 10**6}, "bad_tolerance"), ({"walk_m": -1}, "bad_walk")],
)
def test_a_wish_that_nobody_has_is_refused(change, code):
    with pytest.raises(BadInput) as refused:
        wish(at_km(0), at_km(20), SEVEN, **change)
    assert refused.value.code == code


# --- against the twin ---------------------------------------------------------------------------

places = st.builds(at_km, st.integers(0, 30), st.integers(-6, 6))
clocks = st.builds(time, st.sampled_from([0, 1, 2, 3, 7, 22, 23]), st.sampled_from([0, 10, 20, 30, 50]))
days = st.sampled_from(
    [date(2026, 3, 28), date(2026, 3, 29), date(2026, 10, 24), date(2026, 10, 25), date(2026, 10, 26)]
)


@st.composite
def offers(draw):
    """Some offers near one road, around the days on which clocks change."""
    found = []
    for n in range(draw(st.integers(1, 6))):
        if draw(st.booleans()):
            leaves = leaving_at(draw(days), draw(clocks))
        else:
            on = draw(st.frozensets(st.integers(0, 6), min_size=1))
            leaves = Weekly(
                on, draw(clocks), draw(days) - timedelta(days=1), but_not=draw(st.frozensets(days, max_size=1))
            )
        seats, driver = draw(st.integers(1, 3)), draw(st.sampled_from(["d0", "d1"]))
        if draw(st.booleans()):
            kms = sorted(draw(st.lists(st.integers(0, 30), min_size=2, max_size=5, unique=True)))
            found.append(replace(line(leaves, *kms, seats=seats), offer_id=f"o{n}", driver=driver))
            continue
        first, last = draw(st.lists(places, min_size=2, max_size=2, unique=True))
        seconds, metres = (int(table[0, 0]) for table in (road([first], [last]).seconds, road([first], [last]).metres))
        halts = (Halt("Start", first, 0, 0), Halt("End", last, seconds, metres))
        detour = draw(st.sampled_from([(0, 0), (300, 5_000), (900, 20_000), (1800, 9_000)]))
        found.append(Offer(f"o{n}", driver, halts, leaves, seats, *detour))
    return found


@st.composite
def worlds(draw):
    """Offers, and wishes of people who stand near the way of one of them about when it passes."""
    around = draw(offers())
    wishes = []
    for _ in range(draw(st.integers(1, 6))):
        chosen = draw(st.sampled_from(around))
        if isinstance(chosen.leaves, Weekly):
            near = [
                day for n in range(8) if (day := chosen.leaves.first + timedelta(days=n)) and chosen.leaves.is_on(day)
            ]
            leave_at = leaving_at(draw(st.sampled_from(near or [chosen.leaves.first])), chosen.leaves.clock)
        else:
            leave_at = chosen.leaves
        one, other = sorted(draw(st.lists(st.sampled_from([0, 0, 0.2, 0.5, 0.8, 1, 1]), min_size=2, max_size=2)))
        wishes.append(
            Wish(
                draw(beside(chosen, one)),
                draw(beside(chosen, other)),
                leave_at + draw(st.sampled_from([-1800, 0, 0, 600, 3600])),
                arrive_by=draw(st.booleans()),
                tolerance_s=draw(st.sampled_from([600, 3600, 7200])),
                seats=draw(st.sampled_from([1, 1, 2])),
                walk_m=draw(st.sampled_from([0, 1000, 3000])),
                passenger=draw(st.sampled_from(["", "d0", "rides", "rides"])),
            )
        )
    return around, wishes


@st.composite
def beside(draw, chosen, part):
    """A place so far along the way of an offer, or some kilometres beside it."""
    if draw(st.booleans()):
        return draw(st.sampled_from(chosen.halts)).at
    first, last = chosen.halts[0].at, chosen.halts[-1].at
    lat, lon = (begin + part * (end - begin) for begin, end in zip(first, last, strict=True))
    north_km, east_km = draw(st.sampled_from([0, 1, -2])), draw(st.sampled_from([0, 1, -3]))
    return LatLon(lat + north_km * A_KM, lon + east_km * A_KM)


@random_examples(150)
@given(worlds(), st.sampled_from([road, straight_ways]))
def test_the_index_finds_what_driving_every_order_finds(world, ways):
    """Each wish is searched, and the best match is taken before the next one is."""
    given_offers, asked = world
    index, taken = OfferIndex(ways, given_offers), {}
    for n, one in enumerate(asked):
        found = index.search(one, limit=100)
        assert [match.rank(one) for match in found] == find_all(given_offers, taken, one, ways)
        if not found:
            continue
        best = found[0]
        key = best.offer.offer_id, best.day
        held = [_moved(each, best.moved) for each in taken.get(key, ())]
        promised = best.board.instant, best.alight.instant
        taken[key] = [*held, Taken(f"b{n}", one.seats, best.board, best.alight, promised)]
        index.take(*key, taken[key])


def _moved(one, moved):
    board_at, alight_at = moved.get(one.key, (one.board.instant, one.alight.instant))
    return replace(one, board=replace(one.board, instant=board_at), alight=replace(one.alight, instant=alight_at))
