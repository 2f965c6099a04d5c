"""What is put right after it was decided: the books end where deciding the final facts once would have ended them."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from covoiturage.correction import Correction, RideChange
from mobigo.services.covoiturage.correcting import bring_back, correct
from mobigo.services.covoiturage.declaring import cancel
from mobigo.services.covoiturage.mine import get_own_money
from mobigo.services.covoiturage.paying import approve_batch, prepare_batch
from mobigo.services.covoiturage.settling import settle
from mobigo.services.ledger.proving import verify
from mobigo.store.base import reading, transaction
from mobigo.store.covoiturage.carpools import get_carpool
from mobigo.store.covoiturage.decisions import last_decision
from mobigo.store.covoiturage.revisions import list_revisions
from mobigo.store.ledger.books import Books
from socle.errors import BadInput, Conflict, Forbidden, NotFound
from tests.worlds.carpools import MORNING, carpool
from tests.worlds.decided import LATER, SOON, balances, declared, grant

CLERK, APPROVER = "person:clerk", "person:approver"
STRUCK = RideChange(struck=True)


def amounts(engine, *carpool_ids):
    with reading(engine) as session:
        return [last_decision(session, one).amount_cents for one in carpool_ids]


def put_right(engine, carpool_id, now=LATER, measured_m=None, **rides):
    changes = {f"{carpool_id}-{name}": one for name, one in rides.items()}
    return correct(engine, carpool_id, Correction(measured_m, changes), "appel du conducteur", CLERK, now)


@pytest.mark.parametrize("budget", [None, 10_000])
def test_one_of_two_passengers_cancelled_after_posting_takes_back_one_euro_and_one_fare(engine, budget):
    """The worked example of the rule: 5.30 then -1.00, fares 3.00 then -1.50, net +2.80."""
    if budget:
        grant(engine, budget)
    declared(engine, carpool(passengers=("p1", "p2")))
    assert settle(engine, "2026-03", LATER).subsidy_cents == 530
    done = put_right(engine, "C1", p2=STRUCK)
    assert [(one.before_cents, one.after_cents, one.n_entries) for one in done.redecided] == [(530, 430, 3)]
    after = balances(engine)
    assert (after["driver:d1:payable"], after["passenger:p1:receivable"]) == (-430, 150)
    assert "passenger:p2:receivable" not in after
    assert after["region:subsidy_expense:bfc-lignes"] + after["region:fare_revenue"] == 280
    assert after.get("region:budget:bfc-lignes") == (budget - 430 if budget else None)
    assert (get_own_money(engine, "p2").owing_cents, get_own_money(engine, "d1").owed_cents) == (0, 430)
    assert verify(engine).findings == ()


def test_every_version_of_the_facts_and_every_decision_stays_to_be_read(engine):
    declared(engine, carpool(passengers=("p1", "p2")))
    settle(engine, "2026-03", LATER)
    put_right(engine, "C1", p2=STRUCK)
    put_right(engine, "C1", p2=RideChange(), p1=RideChange(seats=2))
    with reading(engine) as session:
        versions, decision = list_revisions(session, "C1"), last_decision(session, "C1")
        kept = get_carpool(session, "C1")
    assert [(one.number, one.corrected_by) for one in versions] == [(0, ""), (1, CLERK), (2, CLERK)]
    assert (versions[2].facts, versions[2].facts_sha256) == (kept.facts, decision.facts_sha256)
    assert (decision.number, decision.amount_cents, decision.fare_cents) == (3, 630, 450)
    assert balances(engine)["passenger:p1:receivable"] == 300
    assert get_own_money(engine, "p1").carpools[0].amount_cents == -300


def test_metres_put_right_within_a_tenth_of_the_line_are_paid(engine):
    declared(engine, carpool())
    settle(engine, "2026-03", LATER)
    put_right(engine, "C1", measured_m=40_000)
    assert balances(engine)["driver:d1:payable"] == -463  # 36.3 km, and one passenger


def test_a_ride_that_people_vouch_for_is_paid_after_all(engine):
    declared(engine, carpool(proven=False))
    assert settle(engine, "2026-03", LATER).refused == 1
    put_right(engine, "C1", p1=RideChange(vouched=True))
    assert balances(engine)["driver:d1:payable"] == -430


def test_a_debt_after_the_pay_out_is_shown_and_set_against_the_next_month(engine):
    hours = [MORNING + timedelta(hours=2 * n) for n in range(3)]
    declared(engine, *(carpool(f"C{n}", at=at) for n, at in enumerate(hours)), now=SOON + timedelta(hours=4))
    settle(engine, "2026-03", LATER)
    prepare_batch(engine, "2026-03", CLERK, LATER)
    approve_batch(engine, "2026-03", APPROVER, LATER)
    cancel(engine, "C0", CLERK, "n’a pas eu lieu", LATER)
    cancel(engine, "C1", CLERK, "n’a pas eu lieu", LATER)
    assert get_own_money(engine, "d1").owed_cents == -860
    april = MORNING + timedelta(days=31)
    for n, at in enumerate(april + timedelta(days=n) for n in range(5)):
        declared(engine, carpool(f"A{n}", at=at), now=at + timedelta(hours=1))
    settle(engine, "2026-04", april + timedelta(days=9))
    batch = prepare_batch(engine, "2026-04", CLERK, april + timedelta(days=30))
    assert [item.item.cents for item in batch.items] == [5 * 430 - 860]


def test_a_carpool_of_a_full_day_that_was_none_makes_room_for_the_one_after_it(engine):
    hours = [MORNING + timedelta(hours=2 * n) for n in range(5)]
    declared(
        engine,
        *(carpool(f"C{n}", at=at, passengers=(f"p{n}",)) for n, at in enumerate(hours)),
        now=hours[4] + timedelta(hours=1),
    )
    assert settle(engine, "2026-03", LATER).subsidy_cents == 4 * 430
    cancel(engine, "C1", CLERK, "n’a pas eu lieu", LATER)
    assert amounts(engine, "C0", "C2", "C3", "C4") == [430] * 4
    assert balances(engine)["driver:d1:payable"] == -4 * 430


def test_room_made_for_one_driver_is_room_lost_for_a_passenger_of_theirs_later_that_day(engine):
    """p has four rides a day: a ride of d1 that comes to be paid takes the place of p's last one, with d2."""
    hours = [MORNING + timedelta(hours=2 * n) for n in range(8)]
    first = [carpool(f"C{n}", at=hours[n], passengers=(f"q{n}",)) for n in range(4)]
    fifth = carpool("C4", at=hours[4], passengers=("p",))
    others = [
        carpool(f"D{n}", driver="d2", at=MORNING + timedelta(hours=at), passengers=("p",))
        for n, at in enumerate((1, 3, 5, 11))
    ]
    declared(engine, *first, fifth, *others, now=MORNING + timedelta(hours=12))
    settle(engine, "2026-03", LATER)
    assert balances(engine)["driver:d2:payable"] == -4 * 430
    assert amounts(engine, "C4", "D2", "D3") == [0, 430, 430]
    cancel(engine, "C0", CLERK, "n’a pas eu lieu", LATER)
    assert amounts(engine, "C4", "D2", "D3") == [430, 430, 0]


def test_a_carpool_decided_late_takes_its_place_in_the_order_of_the_day(engine):
    hours = [MORNING + timedelta(hours=2 * n) for n in range(5)]
    late, *others = [carpool(f"C{n}", at=at, passengers=(f"p{n}",)) for n, at in enumerate(hours)]
    declared(engine, *others, now=hours[4] + timedelta(hours=1))
    settle(engine, "2026-03", LATER)
    declared(engine, late)
    settle(engine, "2026-03", LATER + timedelta(hours=1))
    assert amounts(engine, *(f"C{n}" for n in range(5))) == [430, 430, 430, 430, 0]


def test_a_cancelled_carpool_that_was_so_after_all_is_paid_again(engine):
    grant(engine, 1_000)
    declared(engine, carpool(passengers=("p1", "p2")))
    settle(engine, "2026-03", LATER)
    before = balances(engine)
    cancel(engine, "C1", CLERK, "erreur", LATER)
    with transaction(engine) as session:
        books = Books(session)
        bring_back(session, books, "C1", LATER)
        books.flush()
    assert balances(engine) == before
    cancel(engine, "C1", CLERK, "erreur", LATER)
    assert balances(engine) == {"region:budget:bfc-lignes": 1_000, "region:budget_granted:bfc-lignes": -1_000}
    assert verify(engine).findings == ()


def test_before_it_is_decided_a_correction_changes_what_is_promised(engine):
    grant(engine, 1_000)
    declared(engine, carpool(passengers=("p1", "p2")))
    assert balances(engine)["reserve:bfc-lignes"] == 530
    put_right(engine, "C1", now=SOON, p2=STRUCK)
    assert balances(engine)["reserve:bfc-lignes"] == 430
    put_right(engine, "C1", now=SOON, p2=RideChange())
    assert balances(engine)["reserve:bfc-lignes"] == 530
    assert settle(engine, "2026-03", LATER).subsidy_cents == 530
    assert balances(engine)["region:budget:bfc-lignes"] == 470


def test_a_correction_upwards_is_paid_as_far_as_the_budget_goes(engine):
    grant(engine, 500)
    declared(engine, carpool(passengers=("p1", "p2")))
    assert settle(engine, "2026-03", LATER).subsidy_cents == 500
    put_right(engine, "C1", p2=STRUCK)
    assert balances(engine)["region:budget:bfc-lignes"] == 70
    put_right(engine, "C1", p2=RideChange(seats=2))
    after = balances(engine)
    assert (after["driver:d1:payable"], after.get("region:budget:bfc-lignes", 0)) == (-500, 0)


@pytest.mark.parametrize(
    ("carpool_id", "rides", "measured_m", "by", "code"),
    [
        ("C9", {}, None, CLERK, "unknown_carpool"),
        ("C1", {"C1-px": STRUCK}, None, CLERK, "unknown_ride"),
        ("C1", {}, None, CLERK, "nothing_corrected"),
        ("C1", {"C1-p1": RideChange(seats=1)}, None, CLERK, "nothing_corrected"),
        ("C1", {"C1-p1": RideChange(seats=0)}, None, CLERK, "bad_correction"),
        ("C1", {"C1-p1": RideChange(distance_m=-1)}, None, CLERK, "bad_correction"),
        ("C1", {}, 10**9, CLERK, "bad_correction"),
        ("C1", {"C1-p1": STRUCK}, None, "person:d1", "own_carpool"),
        ("C1", {"C1-p1": STRUCK}, None, "person:p1", "own_carpool"),
    ],
)
def test_what_cannot_be_put_right_changes_nothing(engine, carpool_id, rides, measured_m, by, code):
    declared(engine, carpool())
    settle(engine, "2026-03", LATER)
    before = balances(engine)
    with pytest.raises((BadInput, NotFound, Forbidden), match=code):
        correct(engine, carpool_id, Correction(measured_m, rides), "appel", by, LATER)
    with pytest.raises(BadInput, match="why_missing"):
        correct(engine, "C1", Correction(None, {"C1-p1": STRUCK}), " ", CLERK, LATER)
    assert balances(engine) == before
    cancel(engine, "C1", CLERK, "erreur", LATER)
    with pytest.raises(Conflict, match="cancelled_already"):
        put_right(engine, "C1", p1=STRUCK)


# --- any history ends where its final facts do ---------------------------------------------------

N_CARS, DRIVERS, RIDERS = 9, ("a", "a", "b"), ("p", "q", "r")  # more cars than a driver or rider is paid for
_SPACING = timedelta(minutes=75)  # two cars of the same pair within half an hour would be held
_DAWN = MORNING - timedelta(hours=2)
_HISTORY = count()

_CAR = st.tuples(st.sampled_from(DRIVERS), st.lists(st.sampled_from(RIDERS), min_size=1, max_size=2, unique=True))
_ACT = st.one_of(
    st.tuples(st.just("strike"), st.sampled_from(RIDERS)),
    st.tuples(st.just("restore"), st.sampled_from(RIDERS)),
    st.tuples(st.just("metres"), st.sampled_from([2_500, 20_000, 33_333])),
    st.tuples(st.just("seats"), st.sampled_from([1, 2, 3])),
    st.tuples(st.just("cancel"), st.none()),
    st.tuples(st.just("settle"), st.none()),
)


class History:
    """Cars of one day as they are declared, put right and cancelled, under names of their own."""

    def __init__(self, engine, name, cars):
        self.engine, self.name, self.cars = engine, name, cars
        self.rides = {}  # car -> rider -> seats, of those declared and not cancelled
        self.struck, self.metres, self.cancelled = {}, {}, set()

    def told(self, position):
        driver, riders = self.cars[position]
        at = _DAWN + position * _SPACING
        names = tuple(f"{self.name}{rider}" for rider in riders)
        return carpool(
            f"{self.name}C{position}", driver=f"{self.name}{driver}", passengers=names, metres=30_000 + position, at=at
        )

    def declare(self, position):
        declared(self.engine, self.told(position), now=MORNING + timedelta(hours=12))
        self.rides[position] = dict.fromkeys(self.cars[position][1], 1)
        self.struck[position] = {}

    def act(self, position, act, what):
        carpool_id, rides, struck = f"{self.name}C{position}", self.rides.get(position), self.struck.get(position)
        if act == "settle":
            assert settle(self.engine, "2026-03", LATER).held == 0
        elif rides is None:
            self.declare(position)
        elif position in self.cancelled:
            return
        elif act == "cancel":
            cancel(self.engine, carpool_id, CLERK, "erreur", LATER)
            self.cancelled.add(position)
        elif act == "metres" and self.metres.get(position) != what:
            self.metres[position] = what
            correct(self.engine, carpool_id, Correction(what), "mesure", CLERK, LATER)
        elif act == "strike" and what in rides:
            struck[what] = rides.pop(what)
            self._put_right(carpool_id, what, STRUCK)
        elif act == "restore" and what in struck:
            rides[what] = struck.pop(what)
            self._put_right(carpool_id, what, RideChange())
        elif act == "seats" and rides and rides[min(rides)] != what:
            rides[min(rides)] = what
            self._put_right(carpool_id, min(rides), RideChange(seats=what))

    def _put_right(self, carpool_id, rider, change):
        correct(
            self.engine,
            carpool_id,
            Correction(None, {f"{carpool_id}-{self.name}{rider}": change}),
            "appel",
            CLERK,
            LATER,
        )

    def decide_once(self, other):
        """The final facts of `other`, declared under these names and decided once."""
        for position, rides in sorted(other.rides.items()):
            if position in other.cancelled:
                continue
            told = self.told(position)
            told["rides"] = [one for one in told["rides"] if one["passenger"].removeprefix(self.name) in rides]
            for ride in told["rides"]:
                ride["seats"] = rides[ride["passenger"].removeprefix(self.name)]
            if position in other.metres:
                told["measured_m"] = other.metres[position]
            declared(self.engine, told, now=MORNING + timedelta(hours=12))
        settle(self.engine, "2026-03", LATER)

    def people(self):
        return {
            code.replace(f":{self.name}", ":"): cents
            for code, cents in balances(self.engine).items()
            if f":{self.name}" in code
        }


def of_the_region(engine):
    return {code: cents for code, cents in balances(engine).items() if code.startswith(("region:", "reserve:"))}


def since(before, after):
    moved = {code: after.get(code, 0) - before.get(code, 0) for code in {*before, *after}}
    return {code: cents for code, cents in moved.items() if cents}


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cars=st.lists(_CAR, min_size=N_CARS, max_size=N_CARS),
    late=st.sets(st.integers(0, N_CARS - 1), max_size=3),
    acts=st.lists(st.tuples(st.integers(0, N_CARS - 1), _ACT), min_size=2, max_size=25),
)
def test_any_sequence_of_declarations_corrections_and_cancellations_ends_as_deciding_the_final_facts_once(
    engine, cars, late, acts
):
    n = next(_HISTORY)
    if "region:budget_granted:bfc-lignes" not in balances(engine):
        grant(engine, 10_000_000)
    start = of_the_region(engine)
    history, once = History(engine, f"h{n}x", cars), History(engine, f"f{n}x", cars)
    for position in sorted(set(range(N_CARS)) - late):
        history.declare(position)
    history.act(0, "settle", None)
    for position, (act, what) in acts:
        history.act(position, act, what)
    settle(engine, "2026-03", LATER)
    between = of_the_region(engine)
    once.decide_once(history)
    assert history.people() == once.people()
    assert since(start, between) == since(between, of_the_region(engine))
