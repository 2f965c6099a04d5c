"""An outing as it happens: who may board and alight, what is refused and why, and the carpool it ends as."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from covoiturage.boarding import (
    MOST_SEATS,
    Again,
    Event,
    How,
    Outing,
    Refused,
    State,
    Step,
    Why,
    alight,
    board,
    close,
    finish,
    give_up,
    note_seen,
)
from covoiturage.carpool import Kind, Side
from covoiturage.policy.shipped import find_in_force, shipped_policies
from covoiturage.proof import ProofClass, judge_proof
from socle.times import PARIS
from tests.worlds.examples import FACTOR
from tests.worlds.outings import PLACE_OF, SEVEN, after, minutes, opened, shown

QUARTER_PAST, HALF_PAST = SEVEN + minutes(15), SEVEN + minutes(30)
ARRIVED = SEVEN + minutes(32)


def ridden(outing, passenger="p1", up="baume", down="avoudrey", **proof):
    """`passenger` boards at a quarter past and alights at half past."""
    outing = after(outing, board(outing, passenger, shown(QUARTER_PAST, **proof), up, QUARTER_PAST))
    return after(outing, alight(outing, passenger, shown(HALF_PAST, **proof), down, HALF_PAST))


def arrived(outing, at=ARRIVED, stop="", place=None, set_down=None):
    event = Event(Step.CLOSED, at, outing.driver, stop, device="phone-d1", place=place)
    closed = close(outing, event, set_down or {}, at)
    return closed if isinstance(closed, Refused) else outing.with_events(*closed)


def class_of(outing):
    carpool = finish(arrived(outing))
    return judge_proof(carpool, carpool.rides[0])


def test_a_ride_scanned_at_both_ends_is_a_carpool_of_class_b():
    carpool = finish(arrived(ridden(opened())))
    (ride,) = carpool.rides
    assert (carpool.start_at, carpool.end_at, carpool.official_m) == (SEVEN, HALF_PAST, 33_000)
    assert (ride.passenger, ride.board_at, ride.alight_at, ride.distance_m) == ("p1", QUARTER_PAST, HALF_PAST, 33_000)
    assert judge_proof(carpool, ride) is ProofClass.B
    assert ride.id.isalnum()
    assert ride.id.islower()


def test_with_the_places_of_both_at_both_ends_it_is_of_class_c():
    outing = opened(at=SEVEN, place=PLACE_OF["baume"])
    outing = after(outing, board(outing, "p1", shown(SEVEN + minutes(1), place=PLACE_OF["baume"]), "baume", HALF_PAST))
    down = shown(HALF_PAST, place=PLACE_OF["avoudrey"])
    outing = after(outing, alight(outing, "p1", down, "avoudrey", HALF_PAST))
    outing = after(outing, note_seen(outing, "d1", HALF_PAST, "phone-d1", PLACE_OF["avoudrey"], HALF_PAST))
    assert class_of(outing) is ProofClass.C


def test_one_place_never_stands_for_both_ends_of_a_short_ride():
    outing = ridden(opened())
    outing = after(outing, note_seen(outing, "d1", HALF_PAST, "phone-d1", PLACE_OF["avoudrey"], HALF_PAST))
    (ride,) = finish(arrived(outing)).rides
    placed = [one.side for one in ride.evidence if one.place is not None]
    assert placed == [Side.ALIGHT]


def test_on_the_driver_s_own_device_a_ride_is_of_class_a_and_not_paid():
    assert class_of(ridden(opened(), device="phone-d1")) is ProofClass.A


def test_a_code_sent_to_a_passenger_and_typed_by_the_driver_proves_as_a_scan_does():
    outing = ridden(opened(), device=None, how=How.SMS)
    assert class_of(outing) is ProofClass.B
    (ride,) = finish(arrived(outing)).rides
    assert {one.kind for one in ride.evidence if one.by == "p1"} == {Kind.SMS}


def test_the_plate_of_a_car_is_proven_by_the_passenger_s_device_though_the_driver_has_none():
    event = Event(Step.OPENED, SEVEN, "p1", "baume", device="phone-p1")
    outing = replace(opened(), events=(event,))
    assert class_of(ridden(outing, how=How.PLATE)) is ProofClass.B


def test_the_driver_s_word_for_an_alighting_proves_nothing_and_adds_no_metres():
    outing = opened()
    outing = after(outing, board(outing, "p1", shown(QUARTER_PAST), "vercel", QUARTER_PAST))
    ride_id = outing.riders["p1"].ride_id
    carpool = finish(arrived(outing, set_down={ride_id: "avoudrey"}))
    assert judge_proof(carpool, carpool.rides[0]) is ProofClass.A
    assert carpool.official_m == 0


def test_the_driver_s_own_stops_count_when_a_device_was_near_them():
    outing = ridden(opened(place=PLACE_OF["baume"]), up="pont", down="vercel")
    at_the_end = {"at": SEVEN + minutes(50), "stop": "avoudrey"}
    assert finish(arrived(outing, **at_the_end, place=PLACE_OF["avoudrey"])).official_m == 33_000
    assert finish(arrived(outing, **at_the_end, place=PLACE_OF["avoudrey"])).end_at == SEVEN + minutes(50)
    assert finish(arrived(outing, **at_the_end, place=PLACE_OF["pont"])).official_m == 24_000  # Vercel to Baume
    assert finish(arrived(outing, **at_the_end)).official_m == 24_000
    late = at_the_end | {"at": SEVEN + minutes(31 + 120)}
    assert finish(arrived(outing, **late, place=PLACE_OF["avoudrey"])).official_m == 24_000


def test_an_outing_in_which_nobody_rode_or_that_was_cancelled_is_no_carpool():
    assert finish(arrived(opened())) is None
    cancelled = ridden(opened()).with_events(Event(Step.CANCELLED, HALF_PAST, "d1"))
    assert cancelled.state is State.CANCELLED
    assert finish(cancelled) is None
    assert finish(opened()) is None


def test_an_outing_that_nobody_closed_leaves_who_is_aboard_where_they_boarded():
    outing = opened()
    outing = after(outing, board(outing, "p1", shown(QUARTER_PAST), "baume", QUARTER_PAST))
    outing = ridden(outing, "p2", device="phone-p2")
    given_up = outing.with_events(*give_up(outing, SEVEN + timedelta(hours=12)))
    carpool = finish(given_up)
    assert [(ride.passenger, ride.distance_m) for ride in carpool.rides] == [("p1", 0), ("p2", 33_000)]
    assert [judge_proof(carpool, ride) for ride in carpool.rides] == [ProofClass.A, ProofClass.B]
    assert carpool.end_at == HALF_PAST


# --- refusals --------------------------------------------------------------------------------


def why(answer):
    assert isinstance(answer, Refused), answer
    return answer.why


@pytest.mark.parametrize(
    ("stops", "stop", "reason"),
    [((), "baume", Why.TOO_FEW_STOPS), (None, "ailleurs", Why.UNKNOWN_STOP), (None, "", Why.UNKNOWN_STOP)],
)
def test_an_outing_goes_between_stops_it_has(stops, stop, reason):
    given = {} if stops is None else {"stops": stops}
    assert why(opened(stop=stop, **given)) is reason


def test_who_may_not_board_is_told_why():
    outing = opened()
    at = SEVEN + minutes(10)

    def boarding(passenger="p1", stop="pont", proof=None, now=at, seats=1, of=outing):
        return why(board(of, passenger, proof or shown(at), stop, now, seats))

    assert boarding("d1") is Why.IS_DRIVER
    assert boarding(stop="ailleurs") is Why.UNKNOWN_STOP
    assert boarding(proof=shown(SEVEN - minutes(6))) is Why.BAD_INSTANT
    assert boarding(proof=shown(at + minutes(6))) is Why.BAD_INSTANT
    assert boarding(now=SEVEN + timedelta(hours=13)) is Why.OVER
    assert boarding(of=arrived(outing)) is Why.NOT_OPEN
    assert [boarding(seats=n) for n in (0, -1, MOST_SEATS + 1)] == [Why.BAD_SEATS] * 3
    full = after(outing, board(outing, "p9", shown(at, device="phone-p9"), "baume", at, MOST_SEATS))
    assert boarding(of=full) is Why.CAR_FULL


def test_nobody_boards_twice_but_the_same_code_shown_again_is_the_same_boarding():
    outing = opened()
    proof = shown(QUARTER_PAST, "code 1")
    event = board(outing, "p1", proof, "baume", QUARTER_PAST)
    outing = after(outing, event)
    assert board(outing, "p1", proof, "baume", SEVEN + minutes(20)) == Again(event)
    assert why(board(outing, "p1", shown(HALF_PAST, "code 2"), "baume", HALF_PAST)) is Why.ABOARD_ALREADY
    outing = after(outing, alight(outing, "p1", shown(HALF_PAST), "vercel", HALF_PAST))
    assert why(board(outing, "p1", shown(HALF_PAST, "code 3"), "vercel", HALF_PAST)) is Why.RODE_ALREADY
    assert board(arrived(outing), "p1", proof, "baume", HALF_PAST) == Again(event)


def test_who_may_not_alight_is_told_why():
    outing = opened()
    assert why(alight(outing, "p1", shown(QUARTER_PAST), "vercel", QUARTER_PAST)) is Why.NOT_ABOARD
    outing = after(outing, board(outing, "p1", shown(QUARTER_PAST), "pont", QUARTER_PAST))
    assert why(alight(outing, "p1", shown(HALF_PAST), "pont", HALF_PAST)) is Why.SAME_STOP
    assert why(alight(outing, "p1", shown(HALF_PAST), "ailleurs", HALF_PAST)) is Why.UNKNOWN_STOP
    proof = shown(HALF_PAST, "down")
    down = alight(outing, "p1", proof, "vercel", HALF_PAST)
    outing = after(outing, down)
    assert alight(outing, "p1", proof, "avoudrey", HALF_PAST) == Again(down)
    assert why(alight(outing, "p1", shown(HALF_PAST, "other"), "avoudrey", HALF_PAST)) is Why.NOT_ABOARD


def test_a_car_does_not_arrive_with_somebody_aboard_whose_stop_nobody_told():
    outing = opened()
    outing = after(outing, board(outing, "p1", shown(QUARTER_PAST), "baume", QUARTER_PAST))
    assert why(arrived(outing)) is Why.STILL_ABOARD
    ride_id = outing.riders["p1"].ride_id
    assert why(arrived(outing, set_down={ride_id: "ailleurs"})) is Why.UNKNOWN_STOP
    assert why(arrived(outing, set_down={ride_id: "baume"})) is Why.SAME_STOP
    assert why(arrived(outing, stop="ailleurs", set_down={ride_id: "vercel"})) is Why.UNKNOWN_STOP
    closed = arrived(outing, set_down={ride_id: "vercel"})
    assert why(arrived(closed)) is Why.NOT_OPEN


def test_only_who_is_or_was_aboard_tells_where_they_are():
    outing = ridden(opened())
    place = PLACE_OF["vercel"]
    assert isinstance(note_seen(outing, "p1", HALF_PAST, "phone-p1", place, HALF_PAST), Event)
    assert why(note_seen(outing, "p2", HALF_PAST, "phone-p2", place, HALF_PAST)) is Why.NOT_ABOARD
    instants = [HALF_PAST - timedelta(seconds=1 + n) for n in range(500)]
    crowded = outing.with_events(*[Event(Step.SEEN, at, "d1", place=place) for at in instants])
    assert why(note_seen(crowded, "d1", HALF_PAST, "phone-d1", place, HALF_PAST)) is Why.TOO_MANY_POSITIONS


# --- clocks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("skew", [-5, 5])
def test_clocks_that_differ_by_some_minutes_make_a_carpool_that_begins_and_ends_in_order(skew):
    outing = opened()
    outing = after(outing, board(outing, "p1", shown(SEVEN + minutes(skew)), "baume", SEVEN))
    outing = after(outing, alight(outing, "p1", shown(HALF_PAST + minutes(skew)), "vercel", HALF_PAST))
    carpool = finish(arrived(outing))
    assert carpool.start_at <= carpool.rides[0].board_at <= carpool.rides[0].alight_at <= carpool.end_at


@pytest.mark.parametrize(
    ("begin", "minutes_long", "policy"),
    [
        (datetime(2022, 12, 31, 22, 30, tzinfo=UTC), 20, "bfc-lignes-2020"),  # ends at 23:50 in Paris
        (datetime(2022, 12, 31, 22, 30, tzinfo=UTC), 40, "bfc-lignes"),  # ends at 00:10 of the new year
        (datetime(2026, 3, 29, 0, 45, tzinfo=UTC), 30, "bfc-lignes"),  # over the hour that spring takes
        (datetime(2026, 10, 25, 0, 45, tzinfo=UTC), 30, "bfc-lignes"),  # over the hour that autumn gives twice
    ],
)
def test_the_day_of_its_end_in_paris_says_which_policy_an_outing_has_and_minutes_are_real_ones(
    begin, minutes_long, policy
):
    outing = opened(at=begin)
    end = begin + minutes(minutes_long)
    outing = after(outing, board(outing, "p1", shown(begin), "baume", begin))
    outing = after(outing, alight(outing, "p1", shown(end), "avoudrey", end))
    carpool = finish(arrived(outing, at=end))
    day = carpool.end_at.astimezone(PARIS).date()
    assert find_in_force(shipped_policies().values(), day).id == policy
    assert carpool.end_at - carpool.start_at == minutes(minutes_long)


# --- any order of any actions ----------------------------------------------------------------

PEOPLE = ("d1", "p1", "p2", "p3")
STOP_IDS = (*PLACE_OF, "ailleurs")


class AnyOuting(RuleBasedStateMachine):
    """A dictionary of who is where agrees with the outing, whatever is tried in whatever order."""

    @initialize()
    def begin(self):
        self.outing: Outing = opened()
        self.now = SEVEN
        self.is_open = True
        self.where: dict[str, str] = {}  # passenger -> the stop they boarded at, or "" once they are out
        self.codes: dict[tuple[str, str], str] = {}  # (what, passenger) -> the code that did it

    @rule(n=st.integers(0, 45))
    def wait(self, n):
        self.now += minutes(n)

    @property
    def may_go_on(self):
        return self.is_open and self.now <= SEVEN + timedelta(hours=12)

    @rule(who=st.sampled_from(PEOPLE), stop=st.sampled_from(STOP_IDS), code=st.sampled_from("abc"))
    def board(self, who, stop, code):
        answer = board(self.outing, who, shown(self.now, code, f"phone-{who}"), stop, self.now)
        if self.codes.get(("up", who)) == code:
            assert isinstance(answer, Again)
        elif self.may_go_on and who != "d1" and who not in self.where and stop != "ailleurs":
            self.outing = after(self.outing, answer)
            self.where[who], self.codes["up", who] = stop, code
        else:
            assert isinstance(answer, Refused)

    @rule(who=st.sampled_from(PEOPLE), stop=st.sampled_from(STOP_IDS), code=st.sampled_from("abc"))
    def alight(self, who, stop, code):
        answer = alight(self.outing, who, shown(self.now, code, f"phone-{who}"), stop, self.now)
        if self.codes.get(("down", who)) == code:
            assert isinstance(answer, Again)
        elif self.may_go_on and self.where.get(who) and stop not in ("ailleurs", self.where[who]):
            self.outing = after(self.outing, answer)
            self.where[who], self.codes["down", who] = "", code
        else:
            assert isinstance(answer, Refused)

    @rule(stop=st.sampled_from(STOP_IDS))
    def close(self, stop):
        aboard = [who for who, at in self.where.items() if at]
        event = Event(Step.CLOSED, self.now, "d1")
        answer = close(self.outing, event, {}, self.now)
        if self.is_open and not aboard:
            self.outing = self.outing.with_events(*answer)
            self.is_open = False
        else:
            assert isinstance(answer, Refused)

    @rule()
    def forget(self):
        if self.is_open:
            self.outing = self.outing.with_events(*give_up(self.outing, self.now))
            self.is_open = False
            self.where = dict.fromkeys(self.where, "")

    @invariant()
    def agrees(self):
        aboard = {rider.passenger for rider in self.outing.aboard}
        assert aboard == {who for who, at in self.where.items() if at}
        assert (self.outing.state is State.OPEN) == self.is_open
        carpool = finish(self.outing)
        assert (carpool is not None) == (not self.is_open and bool(self.where))
        if carpool is not None:
            assert {ride.passenger for ride in carpool.rides} == set(self.where)
            assert carpool.official_m <= 33_000
            assert all(ride.distance_m <= 33_000 for ride in carpool.rides)


TestAnyOuting = AnyOuting.TestCase
TestAnyOuting.settings = settings(max_examples=60 * FACTOR, stateful_step_count=25, deadline=None)
