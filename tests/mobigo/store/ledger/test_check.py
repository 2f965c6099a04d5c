import random
import shutil
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from mobigo.security import is_signed
from mobigo.store.base import migrate, open_engine, transaction
from mobigo.store.ledger.books import Books, append
from mobigo.store.ledger.chain import tree_head
from mobigo.store.ledger.check import check_books
from mobigo.store.ledger.heads import KEPT_WIDTH, seal
from mobigo.store.ledger.rows import ACCOUNT, BALANCE, ENTRY, POSTING, TREE_HEAD, TREE_NODE
from socle.accounting import reversal_of
from tests.worlds.books import ANNE, BASILE, NOON, REGION, decided, granted, reserved
from tests.worlds.tampering import TABLES, check_both_ways, tamper

N = 12


@pytest.fixture
def full(books, keys):
    """Twelve entries, two heads, a reversal among them."""
    some = [decided(f"c{number}", 100 + number, (ANNE, BASILE)[number % 2]) for number in range(8)]
    with transaction(books) as session:
        append(session, [granted(5_000), reserved("r1", 700), *some[:4]], NOON)
    with transaction(books) as session:
        seal(session, date(2026, 3, 4), keys)
    with transaction(books) as session:
        append(session, [*some[4:], reversal_of(some[0], "c0:undone", NOON), reserved("r2", 3)], NOON)
    with transaction(books) as session:
        seal(session, date(2026, 3, 5), keys)
    return books


def codes(checked):
    return {finding.code for finding in checked.findings}


def test_sound_books_have_no_fault(full):
    checked = check_both_ways(full)
    assert checked.findings == ()
    assert checked.first_bad_seq is None
    with full.connect() as connection:
        rows = connection.execute(select(ENTRY.c.hash, ENTRY.c.chain).order_by(ENTRY.c.seq)).all()
    assert checked.n_entries == N == len(rows)
    assert checked.root == tree_head([bytes(row[0]) for row in rows])
    assert checked.chain == bytes(rows[-1][1])
    assert [(head.day.day, head.size, head.root) for head in checked.heads] == [
        (5, N, checked.root),
        (4, 6, tree_head([bytes(row[0]) for row in rows[:6]])),
    ]


def test_empty_books_are_sound(engine):
    checked = check_both_ways(engine)
    assert (checked.findings, checked.n_entries, checked.heads) == ((), 0, ())


SWAPPED = (
    "CREATE TEMPORARY TABLE a AS SELECT * FROM entry WHERE seq IN (3, 4)",
    "UPDATE entry SET bytes = (SELECT bytes FROM a WHERE a.seq <> entry.seq) WHERE seq IN (3, 4)",
    "UPDATE entry SET hash = (SELECT hash FROM a WHERE a.seq <> entry.seq) WHERE seq IN (3, 4)",
    "DROP TABLE a",
)
COPY = "INSERT INTO entry SELECT {seq}, '{key}', body_sha256, bytes, hash, chain, NULL FROM entry WHERE seq = 3"

STRANGE_ACCOUNT = "INSERT INTO account SELECT 7, 'a', 'assets', NULL, NULL, hash FROM entry WHERE seq = 1"


@pytest.mark.parametrize(
    ("statements", "seq", "code"),
    [
        (["DELETE FROM posting WHERE entry_seq = 5", "DELETE FROM entry WHERE seq = 5"], 5, "ledger_missing"),
        (["DELETE FROM posting WHERE entry_seq = 1", "DELETE FROM entry WHERE seq = 1"], 1, "ledger_missing"),
        ([f"DELETE FROM posting WHERE entry_seq = {N}", f"DELETE FROM entry WHERE seq = {N}"], N, "ledger_missing"),
        (["DELETE FROM posting", "DELETE FROM entry"], 1, "ledger_missing"),
        (["DELETE FROM posting WHERE entry_seq = 7"], 7, "ledger_postings"),
        (["DELETE FROM posting WHERE entry_seq = 7 AND cents > 0"], 7, "ledger_postings"),
        (["INSERT INTO posting VALUES (7, 3, 5)"], 7, "ledger_postings"),
        (["INSERT INTO posting VALUES (99, 3, 5)"], 99, "ledger_postings"),
        (["UPDATE posting SET cents = cents + 1 WHERE entry_seq = 8 AND cents > 0"], 8, "ledger_postings"),
        (["UPDATE posting SET cents = cents * 2 WHERE entry_seq = 8"], 8, "ledger_postings"),
        (["UPDATE posting SET account_id = 3 WHERE entry_seq = 8 AND cents > 0"], 8, "ledger_postings"),
        (["UPDATE entry SET key = 'other' WHERE seq = 4"], 4, "ledger_columns"),
        (["UPDATE entry SET reverses = NULL WHERE seq = 11"], 11, "ledger_columns"),
        (["UPDATE entry SET reverses = 'c1' WHERE seq = 4"], 4, "ledger_columns"),
        (["UPDATE entry SET body_sha256 = hash WHERE seq = 4"], 4, "ledger_columns"),
        (["UPDATE entry SET hash = chain WHERE seq = 4"], 4, "ledger_bytes"),
        (["UPDATE entry SET chain = hash WHERE seq = 4"], 4, "ledger_chain"),
        (["UPDATE entry SET bytes = hash WHERE seq = 4"], 4, "ledger_bytes"),
        (SWAPPED, 3, "ledger_chain"),
        ([COPY.format(seq=99, key="z")], N + 1, "ledger_missing"),
        ([COPY.format(seq=N + 1, key="z")], N + 1, "ledger_chain"),
        ([COPY.format(seq=-5, key="z")], -5, "ledger_postings"),
        (["UPDATE balance SET cents = cents + 1 WHERE account_id = 2"], None, "ledger_balance"),
        (["UPDATE balance SET entry_seq = 2 WHERE account_id = 1"], None, "ledger_balance"),
        (["DELETE FROM balance WHERE account_id = 2"], None, "ledger_balance"),
        (["INSERT INTO balance VALUES (77, 0, 0)"], None, "ledger_balance"),
        (["UPDATE account SET min_balance_cents = NULL WHERE id = 3"], None, "ledger_account"),
        (["UPDATE account SET kind = 'equity' WHERE id = 3"], None, "ledger_account"),
        (["UPDATE account SET kind = 'nothing' WHERE id = 3"], None, "ledger_account"),
        (["UPDATE account SET pending_of = NULL WHERE id = 4"], None, "ledger_account"),
        (["UPDATE account SET chain = chain WHERE id = 4", "DELETE FROM account WHERE id = 4"], 2, "ledger_postings"),
        (["UPDATE account SET code = 'driver:eve:payable' WHERE id = 5"], 3, "ledger_postings"),
        ([STRANGE_ACCOUNT], None, "ledger_account"),
        (["UPDATE tree_head SET root = chain WHERE size = 6"], None, "ledger_head"),
        (["UPDATE tree_head SET size = 7 WHERE size = 6"], None, "ledger_head"),
        (["UPDATE tree_head SET size = 99 WHERE size = 12"], None, "ledger_head"),
        (["UPDATE tree_head SET size = -1 WHERE size = 12"], None, "ledger_head"),
        (["UPDATE tree_head SET day = '2026-03-03' WHERE size = 6"], None, "ledger_signature"),
        (["UPDATE tree_head SET signature = root WHERE size = 6"], None, "ledger_signature"),
        (["UPDATE tree_head SET public_key = root WHERE size = 6"], None, "ledger_signature"),
        (["INSERT INTO tree_node VALUES (8, 0, (SELECT hash FROM entry WHERE seq = 1))"], None, "ledger_node"),
    ],
)  # fmt: skip
def test_what_was_altered_is_found_and_the_first_bad_entry_named(full, statements, seq, code):
    tamper(full, *statements)
    checked = check_both_ways(full)
    assert code in codes(checked)
    assert checked.first_bad_seq == seq


@pytest.mark.parametrize("table", ["entry", "posting", "account", "tree_head", "tree_node"])
def test_a_trigger_that_was_taken_away_is_missed(full, table):
    with full.begin() as connection:
        if full.dialect.name == "sqlite":
            connection.exec_driver_sql(f"DROP TRIGGER {table}_update")
        else:
            connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER {table}_change")
    (finding,) = check_both_ways(full).findings
    assert (finding.code, finding.facts["what"].startswith(table)) == ("ledger_trigger", True)


def test_a_trigger_that_says_something_else_is_told(full):
    if full.dialect.name == "sqlite":
        change = ["DROP TRIGGER entry_update", "CREATE TRIGGER entry_update BEFORE UPDATE ON entry BEGIN SELECT 1; END"]
    else:
        change = [
            "CREATE OR REPLACE FUNCTION entry_refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$"
        ]
    with full.begin() as connection:
        for statement in change:
            connection.exec_driver_sql(statement)
    assert codes(check_both_ways(full)) == {"ledger_trigger"}


COLUMNS = [(table, column) for table in (ENTRY, POSTING, ACCOUNT, BALANCE, TREE_HEAD) for column in table.columns]


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=[f"{table}-{column.name}" for table, column in COLUMNS])
def test_one_flipped_byte_in_any_column_is_found_and_located(full, table, column):
    draws = random.Random(f"{table}{column}")
    with full.connect() as connection:
        rows = connection.execute(select(table).order_by(*table.primary_key)).mappings().all()
    row = draws.choice([row for row in rows if row[column.name] is not None])
    value = row[column.name]
    changed = flipped(value, draws)
    where = " AND ".join(f"{key.name} = :{key.name}" for key in table.primary_key)
    keys = {key.name: row[key.name] for key in table.primary_key}
    old = {name: (told.isoformat() if isinstance(told, date) else told) for name, told in keys.items()}
    if isinstance(changed, date):
        changed = changed.isoformat()
    tamper(full, f"UPDATE {table} SET {column.name} = :changed WHERE {where}", changed=changed, **old)
    checked = check_both_ways(full)
    assert checked.findings
    if table is ENTRY and column.name != "seq":
        assert checked.first_bad_seq == row["seq"]
    if table is POSTING and column.name != "entry_seq":
        assert checked.first_bad_seq == row["entry_seq"]


def flipped(value, draws):
    """`value` with one bit of one byte changed, to something that no other row is."""
    if isinstance(value, int):
        return value ^ 128
    if isinstance(value, date):
        return value.replace(day=value.day ^ 1 << draws.randrange(3, 5))
    if isinstance(value, str):
        return chr(ord(value[0]) ^ 1 << draws.randrange(3)) + value[1:]
    at = draws.randrange(len(value))
    return value[:at] + bytes([value[at] ^ 1 << draws.randrange(8)]) + value[at + 1 :]


@pytest.fixture
def file(tmp_path, keys):
    """A SQLite file with so many entries that most of it is the books, closed."""
    path = tmp_path / "mobigo.sqlite3"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    with transaction(engine) as session:
        opened = Books(session)
        opened.open(REGION)
        opened.flush()
        append(session, [decided(f"c{number}", 1 + number) for number in range(3 * KEPT_WIDTH + 50)], NOON)
        seal(session, date(2026, 3, 4), keys)
    engine.dispose()
    return path


def dump(path):
    """Everything that the books tell, read without indexes; None when they cannot be read."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.text_factory = bytes
            own = ", ".join(f"'{table}'" for table in TABLES)
            schema = connection.execute(
                f"SELECT name, sql FROM sqlite_master WHERE tbl_name IN ({own}) ORDER BY name"
            ).fetchall()
            return schema, [connection.execute(f"SELECT * FROM {table} NOT INDEXED").fetchall() for table in TABLES]
    except sqlite3.Error:
        return None


@pytest.mark.parametrize("series", range(4))
def test_one_flipped_byte_anywhere_in_a_copied_file_is_found_or_changes_nothing_of_the_books(file, series):
    draws = random.Random(series)
    whole, size = dump(file), file.stat().st_size
    n_found = 0
    for number in range(60):
        copy = shutil.copy(file, file.with_name(f"copy{number}.sqlite3"))
        at = draws.randrange(size)
        with copy.open("r+b") as opened:
            opened.seek(at)
            byte = opened.read(1)[0]
            opened.seek(at)
            opened.write(bytes([byte ^ 1 << draws.randrange(8)]))
        engine = open_engine(f"sqlite:///{copy}")
        # What a damaged index hides is told of more than one thing, or of fewer when nothing is asked through it.
        found = check_books(engine, is_signed).findings
        found_by_stretches = check_books(engine, is_signed, few=0).findings
        engine.dispose()
        assert (found and found_by_stretches) or dump(copy) == whole, f"byte {at} was changed unseen"
        n_found += bool(found)
    assert n_found > 6  # most of the file is empty tables of others, more of them with each migration


def test_trees_wider_than_a_kept_node_are_read_alike(books, keys):
    n = 2 * KEPT_WIDTH + 77
    days = iter(range(1, 20))
    for begin in range(0, n, 100):
        with transaction(books) as session:
            append(session, [decided(f"c{number}") for number in range(begin, min(n, begin + 100))], NOON)
            seal(session, date(2026, 3, next(days)), keys)
    checked = check_both_ways(books)
    assert (checked.findings, checked.n_entries, len(checked.heads)) == ((), n, 6)
    with books.connect() as connection:
        assert connection.execute(select(TREE_NODE.c.level, TREE_NODE.c.number)).all() == [(8, 0), (8, 1)]
    tamper(books, "UPDATE tree_node SET hash = (SELECT hash FROM entry WHERE seq = 1) WHERE number = 1")
    assert [finding.facts["what"] for finding in check_both_ways(books).findings] == ["8/1"]


@pytest.mark.parametrize("few", [20_000, 0])
def test_books_that_were_moved_away_are_unreadable_and_none_are_made_in_their_place(full, few, tmp_path):
    if full.dialect.name != "sqlite":
        pytest.skip("a file can be moved, a server's database cannot")
    file = Path(full.url.database)
    full.dispose()
    for part in file.parent.glob(f"{file.name}*"):
        part.rename(tmp_path / f"moved-{part.name}")
    checked = check_books(full, is_signed, few=few)
    assert codes(checked) == {"ledger_unreadable"}
    assert not file.exists()
