import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from mobigo.store.base import is_sqlite, transaction
from mobigo.store.ledger.books import TURN, Books, append, prepare
from mobigo.store.ledger.chain import GENESIS, account_bytes, entry_hash, next_chain
from mobigo.store.ledger.rows import ACCOUNT, BALANCE, ENTRY, POSTING, TREE_HEAD
from socle.accounting import Account, AccountKind, Entry, Posting, read_recorded, reversal_of
from socle.errors import BadInput, Conflict, NotFound
from tests.worlds.books import ANNE, BASILE, BUDGET, EXPENSE, GRANTED, NOON, REGION, RESERVE, decided, granted, reserved


def enter(engine, *entries):
    with transaction(engine) as session:
        return append(session, entries, NOON)


def rows(engine, table):
    with engine.connect() as connection:
        return connection.execute(select(table).order_by(*table.primary_key)).mappings().all()


def balances(engine):
    with engine.connect() as connection:
        joined = select(ACCOUNT.c.code, BALANCE.c.cents).join(BALANCE, BALANCE.c.account_id == ACCOUNT.c.id)
        return {code: cents for code, cents in connection.execute(joined) if cents}


def test_entries_are_numbered_chained_and_summed(books):
    first, second = enter(books, decided("a", 430), decided("b", 120, BASILE))
    (third,) = enter(books, decided("c", 70))
    kept = rows(books, ENTRY)
    chain = GENESIS
    for seq, row in enumerate(kept, 1):
        assert row["seq"] == seq == read_recorded(row["bytes"]).seq
        assert row["hash"] == entry_hash(row["bytes"])
        chain = next_chain(chain, row["hash"])
        assert row["chain"] == chain
    assert [(one.seq, one.hash, one.replayed) for one in (first, second, third)] == [
        (row["seq"], row["hash"], False) for row in kept
    ]
    assert balances(books) == {EXPENSE: 620, ANNE: -500, BASILE: -120}
    assert {(row["entry_seq"], row["account_id"], row["cents"]) for row in rows(books, POSTING)} == {
        (1, 1, 430),
        (1, 5, -430),
        (2, 1, 120),
        (2, 6, -120),
        (3, 1, 70),
        (3, 5, -70),
    }


def test_accounts_are_chained_and_opened_once(books):
    with transaction(books) as session:
        opened = Books(session)
        opened.open(REGION)
        opened.open([Account("a", AccountKind.ASSETS), Account("a", AccountKind.ASSETS)])
        opened.flush()
    chain = GENESIS
    for row, account in zip(rows(books, ACCOUNT), (*REGION, Account("a", AccountKind.ASSETS)), strict=True):
        chain = next_chain(chain, entry_hash(account_bytes(account, row["id"])))
        assert row["chain"] == chain


def test_an_account_never_changes_its_terms(books):
    for other in (
        Account(BUDGET, AccountKind.ASSETS, min_balance_cents=-1),
        Account(BUDGET, AccountKind.ASSETS),
        Account(BUDGET, AccountKind.EQUITY, min_balance_cents=0),
        Account(ANNE, AccountKind.LIABILITIES, pending_of=BASILE),
    ):
        with pytest.raises(Conflict, match="account_differs"), transaction(books) as session:
            Books(session).open([other])
    with pytest.raises(NotFound, match="unknown_account"), transaction(books) as session:
        Books(session).open([Account("b", AccountKind.ASSETS, pending_of="absent")])


def test_the_same_entry_sent_again_is_answered_alike_and_entered_once(books):
    sent = decided("a")
    (first,) = enter(books, sent)
    twice = enter(books, sent, sent)
    assert [(one.seq, one.hash, one.replayed) for one in twice] == [(1, first.hash, True)] * 2
    assert enter(books, decided("b"), decided("b"))[1].replayed
    assert balances(books) == {EXPENSE: 860, ANNE: -860}


@pytest.mark.parametrize("other", [decided("a", 431), decided("a", 430, BASILE), reserved("a", 430)])
def test_a_key_never_names_another_entry(books, other):
    enter(books, decided("a"))
    with pytest.raises(Conflict) as refusal:
        enter(books, other)
    assert (refusal.value.code, refusal.value.facts) == ("entry_key_reused", {"key": "a"})
    with pytest.raises(Conflict, match="entry_key_reused"):
        enter(books, decided("b"), decided("b", 1))
    assert balances(books) == {EXPENSE: 430, ANNE: -430}


def test_a_bounded_account_stops_at_its_minimum_and_not_a_cent_before(books):
    enter(books, granted(1_000), reserved("r1", 600))
    with pytest.raises(Conflict) as refusal:
        enter(books, reserved("r2", 401))
    assert (refusal.value.code, refusal.value.facts) == (
        "balance_too_low",
        {"account": BUDGET, "balance_cents": -1, "min_balance_cents": 0},
    )
    enter(books, reserved("r2", 400))
    assert balances(books) == {GRANTED: -1_000, RESERVE: 1_000}


def test_entries_given_together_are_entered_together_or_not_at_all(books):
    enter(books, granted(1_000))
    with transaction(books) as session:
        opened = Books(session)
        with pytest.raises(Conflict, match="balance_too_low"):
            opened.append([prepare(reserved("r1", 900)), prepare(reserved("r2", 900))], NOON)
        assert (opened.balance_cents(BUDGET), opened.balance_cents(RESERVE)) == (1_000, 0)
        opened.append([prepare(reserved("r2", 1_000))], NOON)
        opened.flush()
    assert [row["key"] for row in rows(books, ENTRY)] == ["budget", "r2"]
    assert balances(books) == {GRANTED: -1_000, RESERVE: 1_000}


def test_an_account_is_opened_before_it_is_used(books):
    strange = Entry("a", "moved", NOON, (Posting("absent", 1), Posting(ANNE, -1)))
    with pytest.raises(NotFound) as refusal:
        enter(books, strange)
    assert refusal.value.facts == {"account": "absent"}
    with pytest.raises(NotFound), transaction(books) as session:
        Books(session).balance_cents("absent")


def test_a_mistake_is_reversed_once_and_exactly(books):
    enter(books, granted(1_000), decided("a"))
    undone = reversal_of(decided("a"), "a:undone", NOON)
    for wrong, code in (
        (reversal_of(decided("a", 431), "x", NOON), "not_the_negation"),
        (reversal_of(decided("a", 430, BASILE), "x", NOON), "not_the_negation"),
        (reversal_of(decided("absent"), "x", NOON), "unknown_entry"),
    ):
        with pytest.raises((BadInput, NotFound), match=code):
            enter(books, wrong)
    assert not enter(books, undone)[0].replayed
    assert enter(books, undone)[0].replayed
    with pytest.raises(Conflict, match="reversed_already"):
        enter(books, reversal_of(decided("a"), "y", NOON))
    with pytest.raises(Conflict, match="reversal_of_reversal"):
        enter(books, reversal_of(undone, "z", NOON))
    assert balances(books) == {BUDGET: 1_000, GRANTED: -1_000}
    with pytest.raises(Conflict, match="reversed_already"):
        enter(
            books, decided("b"), reversal_of(decided("b"), "b:undone", NOON), reversal_of(decided("b"), "b:again", NOON)
        )
    enter(books, reserved("r", 900))
    with pytest.raises(Conflict, match="balance_too_low"):  # what is spent cannot be taken back by a reversal
        enter(books, reversal_of(granted(1_000), "budget:undone", NOON))


def is_free(engine):
    """Whether somebody else might enter now."""
    with closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        if not is_sqlite(engine):
            return cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (TURN,)).fetchone()[0]
        try:
            for statement in ("PRAGMA busy_timeout = 1", "BEGIN IMMEDIATE", "ROLLBACK"):
                cursor.execute(statement)
        except sqlite3.OperationalError:
            return False
        return True


def test_whoever_enters_is_alone(books):
    """SQLite lets one transaction write; on PostgreSQL an advisory lock is held until the commit."""
    with transaction(books) as session:
        Books(session)
        assert not is_free(books)
    assert is_free(books)


def test_sums_beyond_what_the_database_counts_are_refused(books):
    most = 10**15
    with pytest.raises(Conflict, match="balance_out_of_range"):
        enter(books, *(decided(f"a{number}", most) for number in range(9_224)))


CHANGES = (
    "UPDATE entry SET key = 'z' WHERE seq = 1",
    "DELETE FROM entry WHERE seq = 2",
    "UPDATE posting SET cents = 1",
    "DELETE FROM posting",
    "UPDATE account SET min_balance_cents = NULL",
    "DELETE FROM account WHERE id = 4",
    "UPDATE tree_head SET size = 1",
    "DELETE FROM tree_head",
)
CHANGES_OF = {
    "sqlite": (
        "INSERT OR REPLACE INTO entry SELECT 3, key, body_sha256, bytes, hash, chain, NULL FROM entry WHERE seq = 1",
        "INSERT OR REPLACE INTO entry SELECT 1, 'z', body_sha256, bytes, hash, chain, NULL FROM entry WHERE seq = 1",
        "INSERT OR REPLACE INTO posting VALUES (1, 1, 5)",
        "INSERT OR REPLACE INTO account VALUES (9, 'region:budget:bfc-lignes', 'assets', NULL, NULL, x'')",
    ),
    "postgresql": (
        "TRUNCATE entry CASCADE",
        "TRUNCATE tree_head",
        "INSERT INTO posting VALUES (1, 1, 5) ON CONFLICT (entry_seq, account_id) DO UPDATE SET cents = 5",
    ),
}


def test_the_database_itself_refuses_to_change_what_was_entered(books):
    enter(books, decided("a"), decided("b"))
    with transaction(books) as session:
        session.connection().execute(
            text("INSERT INTO tree_head VALUES ('2026-03-04', 2, :b, :b, :b, :b)"), {"b": b"\x00"}
        )
    before = [rows(books, table) for table in (ACCOUNT, ENTRY, POSTING, TREE_HEAD)]
    for change in (*CHANGES, *CHANGES_OF[books.dialect.name]):
        with pytest.raises(DatabaseError, match="append only"), books.begin() as connection:
            connection.execute(text(change))
        assert [rows(books, table) for table in (ACCOUNT, ENTRY, POSTING, TREE_HEAD)] == before, change
