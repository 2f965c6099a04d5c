"""A coach's morning on both databases: cards, ticks, double taps, two drivers, who is aboard, an empty coach."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from mobigo.security import Keys
from mobigo.services.scolaire import boarding, carding
from mobigo.services.scolaire.boarding import tick, validate_number
from mobigo.services.scolaire.boards import open_board
from mobigo.services.scolaire.coaches import find_coach, list_runs
from mobigo.services.scolaire.noting import Teller
from mobigo.services.scolaire.registering import Acting
from mobigo.store.audit import AuditFilter, list_lines
from mobigo.store.base import reading
from mobigo.store.scolaire import boardings as store
from mobigo.store.scolaire.boardings import Stage
from scolaire.boarding import Answer, Why
from scolaire.calendar import has_school
from scolaire.cards import CardState, number_of
from socle.errors import BadInput, Conflict, NotFound
from tests.worlds.school_office import CARRIER, CIRCUIT, RUN, SECTOR, under_contract

KEYS = Keys.of("k" * 32)
MONDAY = date(2026, 11, 16)
MORNING = datetime(2026, 11, 16, 6, 40, tzinfo=UTC)
CLERK, DRIVER, OTHER = "person:clerk", "person:driver", "person:other"
OFFICE = Acting(CLERK, "clerk", is_office=True)
COACHES, STRANGERS = Teller(DRIVER, (CARRIER,)), Teller(DRIVER, ("autocars",))


def equip(engine):
    """The sector under contract, its two pupils with cards that were sent."""
    under_contract(engine, KEYS, CLERK, MORNING - timedelta(days=60))
    assert carding.order_missing(engine, KEYS, OFFICE, SECTOR, MORNING - timedelta(days=50)) == (2, 0)
    assert carding.deliver(engine, OFFICE, SECTOR, MORNING - timedelta(days=40)) == 2


@pytest.fixture
def office(engine):
    equip(engine)
    return engine


def coach(engine, by=COACHES, day=MONDAY):
    return find_coach(engine, KEYS, day, CIRCUIT, RUN, by)


def numbers(engine):
    """The numbers of the cards of who waits at the town hall and at the church."""
    pupils = [one.pupil_id for one in coach(engine).expected]
    holders = carding.list_cards(engine, KEYS, OFFICE, SECTOR, "", 10, 0, MORNING).holders
    cards = {one.pupil: one.card for one in holders}
    return [cards[pupil].number for pupil in pupils]


def show(engine, number, event="event-01", stop="s1", by=COACHES):
    return validate_number(engine, KEYS, coach(engine), number, stop, event, by, MORNING)


def board(engine, by=COACHES, now=MORNING):
    return open_board(engine, KEYS, MONDAY, CIRCUIT, RUN, by, now)


def test_a_card_of_this_coach_is_green_and_in_use_from_then_on(office):
    first, _second = numbers(office)
    told = show(office, f"{first[:3]} {first[3:]}")
    assert (told.answer, told.why) == (Answer.GREEN, Why.EXPECTED)
    holders = carding.list_cards(office, KEYS, OFFICE, SECTOR, "active", 10, 0, MORNING)
    assert (holders.n, holders.counts) == (1, {"active": 1, "delivered": 1})
    seen = board(office)
    assert (seen.n_expected, seen.n_boarded, seen.n_aboard) == (2, 1, 1)
    assert [[one.is_aboard for one in halt.up] for halt in seen.halts] == [[True], [False], []]


def test_a_double_tap_and_a_form_sent_again_count_once(office):
    first, _second = numbers(office)
    assert [show(office, first).why for _ in range(3)] == [Why.EXPECTED] * 3
    assert show(office, first, "event-02").why is Why.ALREADY
    assert board(office).n_boarded == 1
    with reading(office) as session:
        assert len(store.list_of_run(session, coach(office).on)) == 2


def test_two_telephones_on_one_coach_are_one_list(office):
    first, second = numbers(office)
    assert show(office, first).answer is Answer.GREEN
    assert show(office, first, "event-other", by=Teller(OTHER, (CARRIER,))).why is Why.ALREADY
    assert show(office, second, "event-third", by=Teller(OTHER, (CARRIER,))).why is Why.OTHER_STOP
    assert board(office).n_aboard == 2


def test_a_blocked_a_lost_and_a_strangers_card_are_red_and_nobody_gets_on(office):
    first, second = numbers(office)
    cards = {
        one.card.number: one.card for one in carding.list_cards(office, KEYS, OFFICE, SECTOR, "", 9, 0, MORNING).holders
    }
    carding.set_state(office, KEYS, OFFICE, cards[first].card_id, "blocked", "photo d’un autre", MORNING)
    carding.set_state(office, KEYS, OFFICE, cards[second].card_id, "lost", "", MORNING)
    free = next(one for one in map(number_of, range(9)) if one not in cards)
    answers = [show(office, one, f"event-{one}").why for one in (first, second, free)]
    assert answers == [Why.CARD_BLOCKED, Why.CARD_LOST, Why.UNKNOWN_CARD]
    assert board(office).n_aboard == 0
    with pytest.raises(BadInput, match="card_number"):
        show(office, "123", "event-short")


def test_children_are_ticked_on_the_list_and_get_off_at_school(office):
    told = tick(office, KEYS, coach(office), [0, 1, 0], "", "form-1234", COACHES, MORNING)
    assert [one.why for one in told] == [Why.EXPECTED, Why.EXPECTED]
    assert tick(office, KEYS, coach(office), [0, 1], "", "form-1234", COACHES, MORNING) == told
    assert board(office).n_aboard == 2
    assert boarding.alight(office, KEYS, coach(office), 2, None, "form-5678", COACHES, MORNING) == 2
    assert boarding.alight(office, KEYS, coach(office), 2, None, "form-5678", COACHES, MORNING) == 0
    assert (board(office).n_aboard, board(office).n_boarded) == (0, 2)
    with pytest.raises(BadInput, match="boarding_pupil"):
        tick(office, KEYS, coach(office), [7], "", "form-9999", COACHES, MORNING)


def test_somebody_without_registration_is_counted_aboard(office):
    for event in ("guest-001", "guest-001", "guest-002"):
        boarding.count_guest(office, coach(office), "s1", event, COACHES, MORNING)
    boarding.count_guest(office, coach(office), "", "guest-003", COACHES, MORNING, is_off=True)
    assert (board(office).n_guests, board(office).n_aboard, board(office).n_boarded) == (1, 1, 0)


def test_a_coach_that_nobody_checked_is_told_to_carrier_and_office(office):
    after = MORNING + timedelta(hours=3)
    (run,) = list_runs(office, KEYS, MONDAY, COACHES, after)
    assert (run.stage, run.is_overdue, run.n_expected) == (None, False, 2)  # nobody began it here
    tick(office, KEYS, coach(office), [0], "", "form-1234", COACHES, MORNING)
    board(office)
    (run,) = list_runs(office, KEYS, MONDAY, Teller(CLERK), after)
    assert (run.stage, run.is_overdue, run.n_aboard) == (Stage.OPENED, True, 1)
    boarding.end_run(office, coach(office), "end-0001", COACHES, MORNING, is_empty=False)
    assert list_runs(office, KEYS, MONDAY, COACHES, MORNING)[0].is_overdue
    boarding.end_run(office, coach(office), "end-0002", COACHES, after, is_empty=True)
    boarding.end_run(office, coach(office), "end-0002", COACHES, after, is_empty=True)
    (run,) = list_runs(office, KEYS, MONDAY, Teller(CLERK), after)
    assert (run.stage, run.is_overdue, run.n_aboard) == (Stage.EMPTY, False, 0)


def test_a_coach_said_to_be_empty_is_so_no_more_once_somebody_gets_on(office):
    later = MORNING + timedelta(minutes=2)
    tick(office, KEYS, coach(office), [0], "", "form-1234", COACHES, MORNING)
    boarding.end_run(office, coach(office), "end-0001", COACHES, MORNING, is_empty=True)
    assert (board(office).stage, board(office).n_aboard) == (Stage.EMPTY, 0)
    tick(office, KEYS, coach(office), [1], "", "form-5678", COACHES, later)
    assert (board(office).stage, board(office).n_aboard) == (Stage.OPENED, 1)
    tick(office, KEYS, coach(office), [0], "", "form-9012", COACHES, later)  # validated before, and is back
    assert [run.n_aboard for run in list_runs(office, KEYS, MONDAY, COACHES, later)] == [2]


def test_a_carrier_sees_the_runs_of_its_own_contracts_alone(office):
    assert list_runs(office, KEYS, MONDAY, STRANGERS, MORNING) == []
    assert list_runs(office, KEYS, MONDAY, Teller(DRIVER, ()), MORNING) == []
    for look in (board, coach):
        with pytest.raises(NotFound, match="run_not_ordered"):
            look(office, STRANGERS)
    for circuit, run in (("haut-doubs/C9", RUN), (CIRCUIT, "C9"), ("autre/C001", RUN), ("C001", RUN)):
        with pytest.raises(NotFound, match="run_not_ordered"):
            find_coach(office, KEYS, MONDAY, circuit, run, COACHES)
    with pytest.raises(NotFound, match="run_not_ordered"):
        coach(office, day=MONDAY + timedelta(days=2))  # a Wednesday


def test_nothing_is_validated_on_another_day_at_another_stop_or_without_a_name(office):
    first, _second = numbers(office)
    for event, stop, now, code in (
        ("event-01", "s1", MORNING + timedelta(days=1), "boarding_day"),
        ("event-01", "s9", MORNING, "boarding_stop"),
        ("x", "s1", MORNING, "event_id"),
    ):
        with pytest.raises(BadInput, match=code):
            validate_number(office, KEYS, coach(office), first, stop, event, COACHES, now)
    show(office, first)
    other = replace(coach(office), on=replace(coach(office).on, run_id="C001-S"))
    with pytest.raises(Conflict, match="event_of_other_run"):
        validate_number(office, KEYS, other, first, "s1", "event-01", COACHES, MORNING)
    with pytest.raises(BadInput, match="boarding_day"):
        board(office, now=MORNING + timedelta(days=9))


def test_who_looks_at_a_list_of_children_is_a_line_of_the_log_once_a_run(office):
    for _ in range(3):
        board(office)
    board(office, Teller(CLERK))
    with reading(office) as session:
        lines = list_lines(session, AuditFilter(action="school.board_read"), limit=9)
    assert [one.line.actor for one in lines] == [CLERK, DRIVER]


DAYS = [
    day for day in (MONDAY + timedelta(days=n) for n in range(200)) if day.weekday() in (0, 1, 3) and has_school(day)
]


class Morning(RuleBasedStateMachine):
    """Drivers tap at random on a day of its own, twice at times, beside plain sets."""

    def __init__(self, engine, day):
        super().__init__()
        self.engine, self.day = engine, day
        self.now = datetime(day.year, day.month, day.day, 6, 40, tzinfo=UTC)
        self.coach = coach(engine, day=day)
        self.numbers = numbers(engine)
        self.blocked, self.boarded, self.aboard, self.guests, self.events = set(), set(), set(), 0, {}

    def name(self, word):
        return f"{self.day}-{word}"

    def expect(self, name, rider, told, *, has_card):
        if name in self.events:
            assert told.why is self.events[name]
            return
        self.events[name] = told.why
        if has_card and rider in self.blocked:
            assert told.why is Why.CARD_BLOCKED
            return
        assert told.why is (Why.ALREADY if rider in self.boarded else Why.EXPECTED)
        self.boarded.add(rider)
        self.aboard.add(rider)

    @rule(rider=st.integers(0, 1), event=st.integers(0, 3))
    def show(self, rider, event):
        name = self.name(f"show-{rider}-{event}")
        told = validate_number(self.engine, KEYS, self.coach, self.numbers[rider], "", name, COACHES, self.now)
        self.expect(name, rider, told, has_card=True)

    @rule(rider=st.integers(0, 1), event=st.integers(0, 3))
    def tick(self, rider, event):
        name = self.name(f"tick-{event}")
        (told,) = tick(self.engine, KEYS, self.coach, [rider], "", name, COACHES, self.now)
        self.expect(f"{name}-{rider}", rider, told, has_card=False)

    @rule(event=st.integers(0, 3))
    def all_off(self, event):
        name = self.name(f"alight-{event}")
        off = {rider for rider in self.aboard if (name, rider) not in self.events}
        assert boarding.alight(self.engine, KEYS, self.coach, 2, None, name, COACHES, self.now) == len(off)
        self.events |= {(name, rider): None for rider in off}
        self.aboard -= off

    @rule(event=st.integers(0, 3))
    def guest(self, event):
        name = self.name(f"guest-{event}")
        boarding.count_guest(self.engine, self.coach, "", name, COACHES, self.now)
        self.guests += name not in self.events
        self.events[name] = None

    @rule(rider=st.integers(0, 1))
    def block(self, rider):
        holders = carding.list_cards(self.engine, KEYS, OFFICE, SECTOR, "", 9, 0, self.now).holders
        card = next(one.card for one in holders if one.card.number == self.numbers[rider])
        wanted = "active" if card.state is CardState.BLOCKED else "blocked"
        carding.set_state(self.engine, KEYS, OFFICE, card.card_id, wanted, "essai", self.now)
        self.blocked ^= {rider}

    @invariant()
    def the_list_is_the_set(self):
        seen = open_board(self.engine, KEYS, self.day, CIRCUIT, RUN, COACHES, self.now)
        inside = {one.rider for halt in seen.halts for one in halt.up if one.is_aboard}
        assert (inside, seen.n_guests, seen.n_boarded) == (self.aboard, self.guests, len(self.boarded))

    def teardown(self):
        for rider in sorted(self.blocked):
            self.block(rider)


def test_whatever_drivers_tap_the_list_is_that_of_plain_sets(office):
    days = iter(DAYS)
    run_state_machine_as_test(
        lambda: Morning(office, next(days)),
        settings=settings(max_examples=8, stateful_step_count=20, deadline=None, phases=(Phase.generate,)),
    )
