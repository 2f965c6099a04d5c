from datetime import date, timedelta

import pytest
from sqlalchemy import select

from mobigo.security import Keys, is_signed
from mobigo.store.base import reading, transaction
from mobigo.store.ledger.books import append
from mobigo.store.ledger.chain import EMPTY_TREE, GENESIS, tree_head, verify_consistency, verify_inclusion
from mobigo.store.ledger.check import check_books
from mobigo.store.ledger.heads import (
    KEPT_WIDTH,
    get_head,
    list_heads,
    prove_continuity,
    prove_inclusion,
    seal,
    subtrees_kept,
)
from mobigo.store.ledger.rows import TREE_NODE
from socle.errors import Conflict, NotFound
from tests.worlds.books import NOON, decided

DAY = date(2026, 3, 4)


def enter(engine, *keys):
    with transaction(engine) as session:
        return append(session, [decided(key) for key in keys], NOON)


def sealed(engine, day, keys):
    with transaction(engine) as session:
        return seal(session, day, keys)


def test_the_head_of_a_day_is_signed_over_all_that_was_entered(books, keys):
    hashes = [one.hash for one in enter(books, "a", "b", "c")]
    head = sealed(books, DAY, keys)
    assert (head.day, head.size, head.root) == (DAY, 3, tree_head(hashes))
    assert head.message() == (
        b'{"chain":"%b","day":"2026-03-04","root":"%b","size":3}'
        % (head.chain.hex().encode(), head.root.hex().encode())
    )
    assert is_signed(head.public_key, head.message(), head.signature)
    assert not is_signed(head.public_key, head.message() + b" ", head.signature)
    assert not is_signed(head.public_key, head.message(), head.signature[:-1])
    assert not is_signed(Keys.of("x" * 32).sign("ledger heads", b"")[0], head.message(), head.signature)


def test_a_day_is_sealed_once(books, keys):
    enter(books, "a")
    first = sealed(books, DAY, keys)
    enter(books, "b")
    assert sealed(books, DAY, keys) == first
    second = sealed(books, DAY + timedelta(days=3), keys)
    assert (first.size, second.size) == (1, 2)
    with reading(books) as session:
        assert list_heads(session.connection()) == [second, first]
        assert (get_head(session), get_head(session, DAY)) == (second, first)


def test_a_day_of_the_future_sealed_by_a_wrong_clock_hinders_no_day_that_comes(books, keys):
    enter(books, "a")
    early = sealed(books, DAY.replace(year=2099), keys)
    enter(books, "b")
    late = sealed(books, DAY, keys)
    with reading(books) as session:
        assert get_head(session) == late
        assert prove_inclusion(session, "b").head == late
        proof = prove_continuity(session, early.day, late.day)
    assert verify_consistency(early.size, late.size, early.root, late.root, proof.path)
    assert check_books(books, is_signed).findings == ()


def test_empty_books_have_a_head_too_and_a_day_without_head_is_said(books, keys):
    with pytest.raises(NotFound, match="no_head"), reading(books) as session:
        get_head(session)
    head = sealed(books, DAY, keys)
    assert (head.size, head.root, head.chain) == (0, EMPTY_TREE, GENESIS)
    enter(books, "a")
    sealed(books, DAY + timedelta(days=1), keys)
    with reading(books) as session:
        assert prove_continuity(session, DAY, DAY + timedelta(days=1)).path == ()
        with pytest.raises(NotFound, match="no_head"):
            get_head(session, DAY + timedelta(days=9))


def test_an_entry_is_proved_against_a_head_that_is_over_it(books, keys):
    enter(books, "a", "b")
    sealed(books, DAY, keys)
    enter(books, "c")
    with reading(books) as session:
        with pytest.raises(Conflict, match="not_sealed_yet"):
            prove_inclusion(session, "c")
        with pytest.raises(NotFound, match="unknown_entry"):
            prove_inclusion(session, "absent")
    sealed(books, DAY + timedelta(days=1), keys)
    with reading(books) as session:
        for key, day, size in (("a", DAY, 2), ("a", None, 3), ("c", None, 3)):
            proof = prove_inclusion(session, key, day)
            assert proof.head.size == size
            assert verify_inclusion(proof.entry.hash, proof.entry.seq - 1, size, proof.path, proof.head.root)
        with pytest.raises(Conflict, match="days_reversed"):
            prove_continuity(session, DAY + timedelta(days=1), DAY)


def test_proofs_from_kept_nodes_are_those_of_the_whole_tree(books, keys):
    """Over some hundreds of entries, sealed at uneven sizes: before, on and after the edges of kept nodes."""
    sizes = (1, KEPT_WIDTH - 1, KEPT_WIDTH, KEPT_WIDTH + 1, 2 * KEPT_WIDTH + 30, 4 * KEPT_WIDTH)
    hashes, heads = [], []
    for number, size in enumerate(sizes):
        hashes += [one.hash for one in enter(books, *(f"c{each}" for each in range(len(hashes), size)))]
        heads.append(sealed(books, DAY + timedelta(days=number), keys))
        assert heads[-1].root == tree_head(hashes)
    with books.connect() as connection:
        nodes = connection.execute(select(TREE_NODE.c.hash).order_by(TREE_NODE.c.number))
        kept = [bytes(told) for told in nodes.scalars()]
    assert kept == [tree_head(hashes[begin : begin + KEPT_WIDTH]) for begin in range(0, sizes[-1], KEPT_WIDTH)]
    with reading(books) as session:
        for seq in (1, 2, 255, 256, 257, 258, 511, 512, 513, 542, 1000, 1024):
            for head in heads:
                if seq <= head.size:
                    proof = prove_inclusion(session, f"c{seq - 1}", head.day)
                    assert verify_inclusion(hashes[seq - 1], seq - 1, head.size, proof.path, head.root)
        for first in heads:
            for second in heads:
                if first.day <= second.day:
                    path = prove_continuity(session, first.day, second.day).path
                    assert verify_consistency(first.size, second.size, first.root, second.root, path)
        subtree = subtrees_kept(session)
        assert subtree(0, 1024) == heads[-1].root
        assert subtree(512, 1024) == tree_head(hashes[512:])
