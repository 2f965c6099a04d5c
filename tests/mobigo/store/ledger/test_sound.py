"""Books read in stretches: every way of cutting them says the same as reading them one entry after the other."""

from datetime import date
from itertools import pairwise

import pytest

from mobigo.security import is_signed
from mobigo.store.base import reading, transaction
from mobigo.store.ledger.books import append
from mobigo.store.ledger.chain import tree_head
from mobigo.store.ledger.check import check_books
from mobigo.store.ledger.heads import KEPT_WIDTH, seal
from mobigo.store.ledger.reread import Reread
from mobigo.store.ledger.sound import count_plain, has_no_stray_posting, read_sound
from socle.accounting import reversal_of
from tests.worlds.books import NOON, decided, granted, reserved
from tests.worlds.tampering import tamper

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
        return [read_sound(session.connection(), begin, end) for begin, end in pairwise(cuts)]


@pytest.mark.parametrize("cuts", [(0, N), (0, 5, N), (0, 9, 10, N), range(N + 1)])
def test_sound_books_are_sound_wherever_they_are_cut(full, cuts):
    found = stretches(full, cuts)
    leaves = [leaf for stretch in found for leaf in stretch.leaves]
    checked = check_books(full, is_signed)
    assert (tree_head(leaves), found[-1].chain_at(len(found[-1].leaves) - 1)) == (checked.root, checked.chain)


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ("UPDATE entry SET hash = chain WHERE seq = 5", 5),
        ("UPDATE entry SET bytes = hash WHERE seq = 5", 5),
        ("UPDATE entry SET body_sha256 = hash WHERE seq = 5", 5),
        ("UPDATE entry SET body_sha256 = hash WHERE seq = 11", 11),
        ("UPDATE entry SET key = 'other' WHERE seq = 5", 5),
        ("UPDATE entry SET reverses = NULL WHERE seq = 11", 11),
        ("UPDATE posting SET cents = cents * 2 WHERE entry_seq = 5", 5),
        ("INSERT INTO posting VALUES (5, 99, 0)", 5),  # of an account that there is not
    ],
)
def test_only_the_stretch_of_what_was_altered_is_unsound(full, statement, seq):
    tamper(full, statement)
    assert [number for number, found in enumerate(stretches(full, range(N + 1)), 1) if found is None] == [seq]
    assert check_books(full, is_signed).first_bad_seq == seq


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
    ("statement", "n"),
    [("SELECT 1", N), ("DELETE FROM entry WHERE seq = 1", None), ("UPDATE entry SET seq = -5 WHERE seq = 12", None)],
)
def test_entries_are_counted_when_they_are_numbered_without_gap(full, statement, n):
    tamper(full, statement)
    with reading(full) as session:
        assert count_plain(session.connection()) == n
        assert has_no_stray_posting(session.connection()) is (n == N)


def test_heads_in_the_middle_of_stretches_are_those_of_their_day(books, keys):
    sizes = (1, 100, KEPT_WIDTH - 1, KEPT_WIDTH, KEPT_WIDTH + 1, 2 * KEPT_WIDTH + 7)
    for day, (begin, end) in enumerate(pairwise((0, *sizes)), 1):
        with transaction(books) as session:
            append(session, [decided(f"c{number}") for number in range(begin, end)], NOON)
            seal(session, date(2026, 3, day), keys)
    entries = Reread(sizes)
    for stretch in stretches(books, (0, KEPT_WIDTH, 2 * KEPT_WIDTH, sizes[-1])):
        entries.add(stretch)
    checked = check_books(books, is_signed)
    assert [(head.root, head.chain) for head in checked.heads] == [entries.head_at(size) for size in reversed(sizes)]
    assert (checked.findings, checked.root, checked.n_entries) == ((), entries.root(), entries.n_entries)
