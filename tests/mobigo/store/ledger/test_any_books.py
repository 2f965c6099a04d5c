"""Any sequence of what callers do, against books of thirty lines that sum a list."""

import uuid
from datetime import timedelta

from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from mobigo.store.base import reading
from mobigo.store.ledger.reads import each_entry, list_balances
from mobigo.store.ledger.writer import Writer
from socle.accounting import Account, AccountKind, Entry, Posting, reversal_of
from socle.errors import MobigoError
from tests.oracles.books import PlainBooks
from tests.worlds.books import NOON
from tests.worlds.examples import random_examples
from tests.worlds.tampering import check_both_ways

WAIT_S = 60
LEAST = {"a": None, "b": 0, "c": -2, "d": 1}


@st.composite
def legs(draw):
    """Some cents from account to account; few cents, so that bounds are met to the cent, and `e` is never opened."""
    names = draw(st.lists(st.sampled_from("aaabbbcccddde"), min_size=2, max_size=3, unique=True))
    cents = draw(st.lists(st.integers(-3, 3).filter(bool), min_size=len(names) - 1, max_size=len(names) - 1))
    assume(sum(cents))
    return dict(zip(names, [*cents, -sum(cents)], strict=True))


class Callers(RuleBasedStateMachine):
    """Callers of one writer. Each example has accounts and keys of its own, in the same database as all others."""

    engine = None

    def __init__(self):
        super().__init__()
        self.mine = uuid.uuid4().hex
        self.plain = PlainBooks()
        self.now = NOON
        self.writer = Writer(self.engine)
        self.waiting = []  # answers, each with what it should be
        self.sent = []

    def teardown(self):
        self.answered()
        self.writer.close()
        checked = check_both_ways(self.engine)
        assert checked.findings == ()

    def code(self, name):
        return f"{self.mine}:{name}"

    def entry(self, number, legs):
        """An entry of those legs, under a key of its own or, for some numbers, under one that may be used."""
        key = number if number < 4 else uuid.uuid4().hex
        return Entry(f"{self.mine}:{key}", "moved", NOON, tuple(Posting(self.code(n), c) for n, c in legs.items()))

    def send(self, entries):
        """Let the writer and the plain books enter them; the answers are compared when somebody looks."""
        self.sent += entries
        self.waiting.append((self.writer.post(entries, self.now), self.plain.enter(entries)))

    def answered(self):
        for answer, expected in self.waiting:
            try:
                told = [not one.replayed for one in answer.result(WAIT_S)]
            except MobigoError as refusal:
                told = refusal.code
            assert told == expected
        self.waiting.clear()

    @initialize()
    def open_accounts(self):
        accounts = [Account(self.code(name), AccountKind.ASSETS, least) for name, least in LEAST.items()]
        self.writer.post([], NOON, accounts).result(WAIT_S)
        self.plain.accounts = {account.code: account for account in accounts}

    @rule(wanted=st.lists(st.tuples(st.integers(0, 20), legs()), min_size=1, max_size=4))
    def enter(self, wanted):
        self.send([self.entry(number, legs) for number, legs in wanted])

    @precondition(lambda self: self.sent)
    @rule(draws=st.data(), n=st.integers(1, 5))
    def send_again(self, draws, n):
        for _ in range(n):
            self.send([draws.draw(st.sampled_from(self.sent))])

    @precondition(lambda self: self.sent)
    @rule(draws=st.data(), times=st.integers(1, 2))
    def reverse(self, draws, times):
        """Whatever it was that was sent: some of it was refused, some reversed before, some is a reversal."""
        wrong = draws.draw(st.sampled_from(self.sent[-8:]))
        self.send([reversal_of(wrong, f"{wrong.key}:{draws.draw(st.integers(0, 3))}", NOON) for _ in range(times)])

    @rule(seconds=st.integers(-100_000, 100_000))
    def the_clock_moves(self, seconds):
        """It may jump back: what is recorded then still comes after what was recorded before."""
        self.now += timedelta(seconds=seconds)

    @rule()
    def come_back_in_another_process(self):
        self.answered()
        self.writer.close()
        self.writer = Writer(self.engine)

    @rule()
    def look(self):
        self.answered()
        with reading(self.engine) as session:
            stands = {one.account.code: one.available_cents for one in list_balances(session)}
            kept = [
                told.entry
                for told in (one.read() for one in each_entry(session))
                if told.entry.key.startswith(self.mine)
            ]
        assert kept == self.plain.entries
        mine = {code: cents for code, cents in stands.items() if code.startswith(self.mine)}
        assert mine == {code: self.plain.cents(code) for code in self.plain.accounts}
        assert sum(stands.values()) == 0


def test_the_books_answer_and_hold_what_a_list_of_entries_would(engine):
    class Here(Callers):
        pass

    Here.engine = engine
    run_state_machine_as_test(Here, settings=settings(random_examples(40), stateful_step_count=25))
