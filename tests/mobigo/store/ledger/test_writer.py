import asyncio
import random
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, select, text

from mobigo.store.audit import AuditFilter, AuditLine, list_lines, record
from mobigo.store.base import is_sqlite, open_engine, reading, transaction
from mobigo.store.ledger.books import append, prepare
from mobigo.store.ledger.rows import ENTRY
from mobigo.store.ledger.writer import MOST_UNITS, Writer
from socle.accounting import Account, AccountKind
from socle.errors import Conflict, Unavailable
from tests.worlds.books import ANNE, BASILE, BUDGET, EXPENSE, GRANTED, NOON, REGION, RESERVE, decided, granted, reserved

WAIT_S = 60


@pytest.fixture
def writer(engine):
    with Writer(engine) as writer:
        writer.post([], NOON, REGION).result(WAIT_S)
        yield writer


def keys(engine):
    with engine.connect() as connection:
        return list(connection.execute(select(ENTRY.c.key).order_by(ENTRY.c.seq)).scalars())


def balance_cents(writer, code):
    return writer.run(lambda _session, books: books.balance_cents(code)).result(WAIT_S)


class Held:
    """A unit that keeps the writer busy until it is let go, so that others wait together."""

    def __init__(self, writer):
        self._begun, self._go = threading.Event(), threading.Event()
        self._answer = writer.run(self._work)
        assert self._begun.wait(WAIT_S)

    def _work(self, _session, _books):
        self._begun.set()
        assert self._go.wait(WAIT_S)

    def let_go(self):
        self._go.set()
        self._answer.result(WAIT_S)


def test_an_answer_comes_when_the_entry_can_be_read_by_everybody(engine, writer):
    (recorded,) = writer.post([decided("a")], NOON).result(WAIT_S)
    assert (recorded.seq, recorded.replayed) == (1, False)
    assert keys(engine) == ["a"]


def test_units_that_wait_together_share_a_commit(engine, writer):
    held = Held(writer)
    commits = Counter()
    event.listen(engine, "commit", lambda _connection: commits.update(["commit"]))
    waiting = [writer.post([decided(f"a{number}")], NOON) for number in range(MOST_UNITS + 1)]
    held.let_go()
    assert [answer.result(WAIT_S)[0].seq for answer in waiting] == list(range(1, MOST_UNITS + 2))
    assert commits["commit"] == 3  # the one that was held, a full one, the one too many


def test_a_unit_that_fails_harms_nobody_beside_it(engine, writer):
    held = Held(writer)

    def change_enter_and_fall(session, books):
        record(session, AuditLine(NOON, "system:test", "ledger.fallen"))
        session.flush()
        books.append([prepare(decided("fallen"))], NOON)
        raise ZeroDivisionError

    def break_a_rule_of_the_database(session, books):
        session.connection().execute(text("UPDATE entry SET key = 'z' WHERE seq = 1"))

    def leave_what_the_database_refuses(session, books):
        books.append([prepare(decided("refused"))], NOON)
        record(session, AuditLine(NOON, "system:test", "ledger.refused", facts={"n": float("nan")}))
        session.connection().execute(text("INSERT INTO balance VALUES (99, 0, 0)"))

    good = [writer.post([decided("a")], NOON)]
    refused = [
        writer.run(change_enter_and_fall),
        writer.post([decided("x"), decided("a", 1)], NOON),
        writer.run(leave_what_the_database_refuses),
        writer.post([reserved("y", 1)], NOON),
        writer.post([granted(1)], NOON, [Account("new", AccountKind.ASSETS, pending_of="absent")]),
    ]
    good.append(writer.run(lambda session, books: tell(session, books, "b")))
    held.let_go()
    assert [answer.result(WAIT_S)[0].seq for answer in good] == [1, 2]
    refused.append(writer.run(break_a_rule_of_the_database))
    kinds = [type(answer.exception(WAIT_S)).__name__ for answer in refused]
    assert kinds[0] == "ZeroDivisionError"
    assert [kinds[1], *kinds[3:5]] == ["Conflict", "Conflict", "NotFound"]
    assert {kinds[2], kinds[5]} == {"IntegrityError"} if is_sqlite(engine) else {"IntegrityError", "ProgrammingError"}
    assert keys(engine) == ["a", "b"]
    with reading(engine) as session:
        assert [one.line.action for one in list_lines(session, AuditFilter(), limit=9)] == ["ledger.told"]
    assert balance_cents(writer, EXPENSE) == 860


def tell(session, books, key):
    record(session, AuditLine(NOON, "system:test", "ledger.told"))
    return books.append([prepare(decided(key))], NOON)


def test_a_change_and_its_entries_stand_together(engine, writer):
    assert writer.run(lambda session, books: tell(session, books, "a")).result(WAIT_S)[0].seq == 1
    again = writer.run(lambda _session, books: books.append([prepare(decided("a"))], NOON)).result(WAIT_S)
    assert again[0].replayed
    with reading(engine) as session:
        assert len(list_lines(session, AuditFilter(), limit=9)) == 1


def test_a_caller_who_stops_waiting_has_it_entered_all_the_same(engine, writer):
    held = Held(writer)
    left = writer.post([decided("a")], NOON)
    for wait in (left.result, left.exception):
        with pytest.raises(TimeoutError):
            wait(0)
    held.let_go()
    assert [left.result(WAIT_S)[0].seq, left.result(WAIT_S)[0].seq] == [1, 1]
    assert keys(engine) == ["a"]


def test_coroutines_are_answered_without_a_thread_each(engine, writer):
    async def enter(number):
        (recorded,) = await writer.post([decided(f"c{number}")], NOON)
        return recorded.seq

    async def all_of_them():
        refused = writer.post([reserved("too-much", 1)], NOON)
        with pytest.raises(Conflict, match="balance_too_low"):
            await refused
        seqs = await asyncio.gather(*map(enter, range(100)))
        known = writer.post([decided("c0")], NOON)
        assert known.result(WAIT_S) == await known  # known before it is awaited
        return seqs

    assert sorted(asyncio.run(all_of_them())) == list(range(1, 101))


def test_a_coroutine_that_is_cancelled_or_whose_loop_is_gone_hinders_nobody(engine, writer):
    held = Held(writer)

    async def leave(answer):
        waiting = asyncio.ensure_future(answer)
        await asyncio.sleep(0)
        return waiting

    left = [writer.post([decided(f"c{number}")], NOON) for number in range(3)]
    loops = [asyncio.new_event_loop() for _ in left]
    kept = [loop.run_until_complete(leave(answer)) for loop, answer in zip(loops, left, strict=True)]
    loops[0].close()
    kept[1].cancel()
    held.let_go()
    assert [answer.result(WAIT_S)[0].seq for answer in left] == [1, 2, 3]
    assert loops[2].run_until_complete(kept[2])[0].seq == 3
    loops[1].run_until_complete(asyncio.wait([kept[1]]))
    assert kept[1].cancelled()
    for loop in loops:
        loop.close()


def test_a_unit_that_ends_its_thread_ends_only_itself(engine, writer):
    def leave(_session, _books):
        raise SystemExit

    assert isinstance(writer.run(leave).exception(WAIT_S), SystemExit)
    assert writer.post([decided("a")], NOON).result(WAIT_S)[0].seq == 1


def test_closing_finishes_what_waits_and_refuses_the_rest(engine):
    with Writer(engine) as writer:
        held = Held(writer)
        waiting = [writer.post([], NOON, REGION), writer.post([decided("a")], NOON)]
        closing = threading.Thread(target=writer.close)
        closing.start()
        held.let_go()
        closing.join(WAIT_S)
        assert waiting[1].result(0)[0].seq == 1
        with pytest.raises(Unavailable, match="ledger_closed"):
            writer.post([decided("b")], NOON)


HOLD = """
import sys
from mobigo.store.base import open_engine
from mobigo.store.ledger.writer import Writer
with Writer(open_engine(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_process_at_a_time_has_the_writer_of_a_sqlite_file(engine, database_address):
    if not is_sqlite(engine):
        database_address = database_address.replace("+psycopg", "")
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, database_address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout.readline() == "held\n"
    if is_sqlite(engine):
        with pytest.raises(Conflict, match="already_running"):
            Writer(engine)
    else:
        with Writer(engine) as writer:
            assert writer.post([decided("a")], NOON, REGION).result(WAIT_S)[0].seq == 1
    other.kill()
    other.communicate()
    with Writer(engine) as writer:
        assert not writer.post([decided("b")], NOON, REGION).exception(WAIT_S)


def test_a_database_that_goes_away_is_told_to_all_and_comes_back(engine, writer):
    (first,) = writer.post([decided("a")], NOON).result(WAIT_S)
    held = Held(writer)
    if is_sqlite(engine):
        full = text("PRAGMA max_page_count = 1")
        free = text("PRAGMA max_page_count = 1000000")
    else:
        full = text("SELECT pg_terminate_backend(pg_backend_pid())")
        free = text("SELECT 1")
    lost = [writer.run(lambda session, _books: session.connection().execute(full))]
    lost += [writer.post([decided(f"lost{n}" + "x" * 150)], NOON) for n in range(100)]
    held._go.set()
    assert {type(answer.exception(WAIT_S)) for answer in lost} <= {Unavailable, type(lost[0].exception(0))}
    writer.run(lambda session, _books: session.connection().execute(free)).result(WAIT_S)
    assert keys(engine) == ["a"]
    (again,) = writer.post([decided("a")], NOON).result(WAIT_S)
    assert (again.seq, again.hash, again.replayed) == (1, first.hash, True)
    assert writer.post([decided("b")], NOON).result(WAIT_S)[0].seq == 2


def test_every_request_sent_one_to_five_times_in_any_order_by_32_clients_counts_once(engine, writer):
    draws = random.Random(7)
    writer.post([granted(100_000)], NOON).result(WAIT_S)
    wanted = [decided(f"c{n}", draws.randint(1, 900), draws.choice([ANNE, BASILE])) for n in range(150)]
    wanted += [reserved(f"r{n}", draws.randint(1, 500)) for n in range(100)]
    sent = [entry for entry in wanted for _ in range(draws.randint(1, 5))]
    draws.shuffle(sent)
    with ThreadPoolExecutor(32) as clients:
        answers = list(clients.map(lambda entry: writer.post([entry], NOON).result(WAIT_S)[0], sent))
    first = [answer for answer in answers if not answer.replayed]
    assert sorted(answer.key for answer in first) == sorted(entry.key for entry in wanted)
    assert len({(answer.key, answer.seq, answer.hash) for answer in answers}) == len(wanted)
    assert Counter(keys(engine)) == Counter(["budget", *(entry.key for entry in wanted)])
    for code in (EXPENSE, ANNE, BASILE, BUDGET, RESERVE, GRANTED):
        told = sum(leg.cents for entry in [granted(100_000), *wanted] for leg in entry.postings if leg.account == code)
        assert balance_cents(writer, code) == told


def test_whoever_races_for_the_last_cents_of_a_budget_never_overspends_it(engine, database_address):
    """A writer with 32 clients, and beside it another one, or on SQLite transactions without a writer."""
    other_engine = open_engine(database_address)
    with Writer(engine) as writer:
        writer.post([granted(1_000)], NOON, REGION).result(WAIT_S)

        def by_writer(number):
            return writer.post([reserved(f"w{number}", 7)], NOON).result(WAIT_S)

        def by_other(number):
            with transaction(other_engine) as session:
                return append(session, [reserved(f"o{number}", 7)], NOON)

        def taken(call):
            try:
                return call[0](call[1])[0].key
            except Conflict as refusal:
                return None if refusal.code == "balance_too_low" else refusal.code

        calls = [(one, number) for number in range(100) for one in (by_writer, by_other)]
        if is_sqlite(engine):
            calls = [(by_writer, n) for n in range(150)] + [(by_other, n) for n in range(20)]
            random.Random(1).shuffle(calls)
        with ThreadPoolExecutor(32) as clients:
            got = [key for key in clients.map(taken, calls) if key]
        assert len(got) == 1_000 // 7
        assert {key[0] for key in got} == {"w", "o"}
        assert balance_cents(writer, BUDGET) == 1_000 % 7
    other_engine.dispose()
