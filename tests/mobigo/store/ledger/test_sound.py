"""Books read in stretches: every way of cutting them says the same as reading them one entry after the other."""

from datetime import date
from itertools import pairwise

import pytest

from mobigo.store.base import reading, transaction
from mobigo.store.ledger.books import append
from mobigo.store.ledger.chain import tree_head
from mobigo.store.ledger.heads import KEPT_WIDTH, seal
from mobigo.store.ledger.reread import Reread
from mobigo.store.ledger.sound import read_accounts, read_sound
from socle.accounting import reversal_of
from tests.worlds.books import NOON, decided, granted, reserved
from tests.worlds.tampering import check_both_ways, tamper

N = 12


@pytest.fixture
def full(books):
    """Twelve entries: the number gains a digit among them, and the last but one is a reversal."""
    some = [decided(f"c{number}", 100 + number) for number in range(8)]
    with transaction(books) as session:
        append(session, [granted(5_000), reserved("r1", 700), *some], NOON)
        append(session, [reversal_of(some[0], "c0:undone", NOON), reserved("r2", 3)], NOON)
    return books


def stretches(engine, cuts):
    with reading(engine) as session:
        accounts = read_accounts(session.connection())
        return [read_sound(session.connection(), accounts, begin, end) for begin, end in pairwise(cuts)]


@pytest.mark.parametrize("cuts", [(0, N), (0, 5, N), (0, 9, 10, N), range(N + 1)])
def test_sound_books_are_sound_wherever_they_are_cut(full, cuts):
    found = stretches(full, cuts)
    leaves = [leaf for stretch in found for leaf in stretch.leaves(0, len(stretch))]
    checked = check_both_ways(full)
    with reading(full) as session:
        accounts = read_accounts(session.connection())
    for stretch in found:
        assert not accounts.are_balanced()
        accounts.add(stretch)
    assert accounts.are_balanced()
    assert (tree_head(leaves), found[-1].chain_at(len(found[-1]) - 1)) == (checked.root, checked.chain)


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ("UPDATE entry SET hash = chain WHERE seq = 5", 5),
        ("UPDATE entry SET bytes = hash WHERE seq = 5", 5),
        ("UPDATE entry SET body_sha256 = hash WHERE seq = 5", 5),
        ("UPDATE entry SET body_sha256 = hash WHERE seq = 11", 11),
        ("UPDATE entry SET key = 'other' WHERE seq = 5", 5),
        ("UPDATE entry SET reverses = NULL WHERE seq = 11", 11),
        ("UPDATE entry SET reverses = 'c1' WHERE seq = 5", 5),
        ("""UPDATE entry SET key = key || '"c4' WHERE seq = 5""", 5),
        ("""UPDATE entry SET reverses = reverses || '"12"c1' WHERE seq = 11""", 11),
        ("UPDATE posting SET cents = cents * 2 WHERE entry_seq = 5", 5),
        ("INSERT INTO posting VALUES (5, 99, 0)", 5),  # of an account that there is not
    ],
)
def test_only_the_stretch_of_what_was_altered_is_unsound(full, statement, seq):
    tamper(full, statement)
    assert [number for number, found in enumerate(stretches(full, range(N + 1)), 1) if found is None] == [seq]
    assert check_both_ways(full).first_bad_seq == seq


@pytest.mark.parametrize("seq", [5, N])
def test_an_altered_chain_makes_its_stretch_and_the_next_unsound(full, seq):
    tamper(full, f"UPDATE entry SET chain = hash WHERE seq = {seq}")
    found = stretches(full, range(N + 1))
    assert [number for number, one in enumerate(found, 1) if one is None] == [seq, seq + 1][: N + 1 - seq]


def test_words_are_not_taken_for_bytes(full):
    if full.dialect.name != "sqlite":
        pytest.skip("PostgreSQL keeps to the type of a column")
    tamper(full, "UPDATE entry SET bytes = CAST(bytes AS TEXT) WHERE seq = 5")
    assert [found is None for found in stretches(full, (0, 4, 5, N))] == [False, True, False]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM entry WHERE seq = 1",
        "UPDATE entry SET seq = -5 WHERE seq = 12",
        "INSERT INTO posting VALUES (13, 3, 5)",
        "INSERT INTO posting VALUES (0, 3, 5)",
        "DELETE FROM account WHERE id = 2",
        "DELETE FROM balance WHERE account_id = 2",
        "INSERT INTO balance VALUES (77, 0, 0)",
        "UPDATE account SET min_balance_cents = 0 WHERE id = 5",
    ],
)
def test_entries_and_accounts_are_read_when_they_are_numbered_without_gap(full, statement):
    with reading(full) as session:
        assert read_accounts(session.connection()).n_entries == N
    tamper(full, statement)
    with reading(full) as session:
        assert read_accounts(session.connection()) is None


def test_heads_in_the_middle_of_stretches_are_those_of_their_day(books, keys):
    sizes = (1, 100, KEPT_WIDTH - 1, KEPT_WIDTH, KEPT_WIDTH + 1, 2 * KEPT_WIDTH + 7)
    for day, (begin, end) in enumerate(pairwise((0, *sizes)), 1):
        with transaction(books) as session:
            append(session, [decided(f"c{number}") for number in range(begin, end)], NOON)
            seal(session, date(2026, 3, day), keys)
    entries, without_heads = Reread(sizes), Reread(())
    for stretch in stretches(books, (0, KEPT_WIDTH, 2 * KEPT_WIDTH, sizes[-1])):
        entries.add(stretch)
        without_heads.add(stretch)
    assert (without_heads.root(), without_heads.chain) == (entries.root(), entries.chain)
    checked = check_both_ways(books)
    assert [(head.root, head.chain) for head in checked.heads] == [entries.head_at(size) for size in reversed(sizes)]
    assert (checked.findings, checked.root, checked.n_entries) == ((), entries.root(), entries.n_entries)
