"""Heads: the head of the tree signed for each day, and proofs against it.

Whoever keeps a head, a few lines, can tell later that nothing under it was changed: an entry is
shown to be in the books, and later books to continue earlier ones, by some dozens of hashes. The
heads of complete subtrees of 256, 65,536 … entries are kept, so that making a proof reads some
hundreds of hashes, however long the books are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Protocol

from sqlalchemy import Connection, func, insert, select
from sqlmodel import Session

from mobigo.store.ledger.chain import (
    EMPTY_TREE,
    GENESIS,
    Subtree,
    consistency_proof,
    cut_of,
    inclusion_proof,
    node_hash,
    tree_head,
)
from mobigo.store.ledger.reads import Kept, get_entry
from mobigo.store.ledger.rows import ENTRY, TREE_HEAD, TREE_NODE
from socle.errors import Conflict, NotFound

PURPOSE: Final = "ledger heads"  # of the keys that sign
KEPT_BITS: Final = 8  # nodes are kept every so many levels
KEPT_WIDTH: Final = 1 << KEPT_BITS


_LATEST_FIRST = (TREE_HEAD.c.size.desc(), TREE_HEAD.c.day.desc())


class Signs(Protocol):
    """The keys that sign (`mobigo.security.Keys`)."""

    def sign(self, purpose: str, message: bytes) -> tuple[bytes, bytes]:
        """The public key for `purpose`, and its signature under `message`."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of the first `size` entries, as signed for `day`."""

    day: date
    size: int
    root: bytes
    chain: bytes
    public_key: bytes
    signature: bytes

    def message(self) -> bytes:
        """What is signed."""
        return head_message(self.day, self.size, self.root, self.chain)

    def as_dict(self) -> dict[str, str | int]:
        """The head as plain values, for JSON."""
        return {
            "chain": self.chain.hex(),
            "day": self.day.isoformat(),
            "public_key": self.public_key.hex(),
            "root": self.root.hex(),
            "signature": self.signature.hex(),
            "size": self.size,
        }


def head_message(day: date, size: int, root: bytes, chain: bytes) -> bytes:
    """What is signed of a head: JSON, sorted keys, no spaces."""
    told = {"chain": chain.hex(), "day": day.isoformat(), "root": root.hex(), "size": size}
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Inclusion:
    """An entry, a head over it, and the hashes that lead from the one to the other."""

    entry: Kept
    head: Head
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Continuity:
    """Two heads, and the hashes that show that the later books begin with the earlier ones."""

    first: Head
    second: Head
    path: tuple[bytes, ...]


def seal(session: Session, day: date, keys: Signs) -> Head:
    """Sign the head of all that stands in the books, for `day`; a day that was signed keeps its head.

    Heads are in the order of what they cover. A day of the future, signed while a clock was wrong, is
    followed by the days that come, and hinders nothing.
    """
    for head in list_heads(session.connection()):
        if head.day == day:
            return head
    connection = session.connection()
    last = connection.execute(select(ENTRY.c.seq, ENTRY.c.chain).order_by(ENTRY.c.seq.desc()).limit(1)).one_or_none()
    size, chain = (0, GENESIS) if last is None else (int(last[0]), bytes(last[1]))
    _keep_nodes(session, size)
    root = subtrees_kept(session)(0, size)
    public_key, signature = keys.sign(PURPOSE, head_message(day, size, root, chain))
    head = Head(day, size, root, chain, public_key, signature)
    values = {name: getattr(head, name) for name in ("day", "size", "root", "chain", "public_key", "signature")}
    connection.execute(insert(TREE_HEAD), values)
    return head


def list_heads(connection: Connection) -> Sequence[Head]:
    """Every head, the latest first: the one over most entries."""
    rows = connection.execute(select(TREE_HEAD).order_by(*_LATEST_FIRST))
    return [_head(row) for row in rows]


def get_head(session: Session, day: date | None = None) -> Head:
    """The head of `day`; the latest when no day is said.

    Raises:
        NotFound: `no_head`.
    """
    query = select(TREE_HEAD).order_by(*_LATEST_FIRST).limit(1)
    if day is not None:
        query = query.where(TREE_HEAD.c.day == day)
    row = session.connection().execute(query).one_or_none()
    if row is None:
        raise NotFound("no_head", day="" if day is None else day.isoformat())
    return _head(row)


def prove_inclusion(session: Session, key: str, day: date | None = None) -> Inclusion:
    """That the entry of that key is under the head of `day`, or under the latest.

    Raises:
        NotFound: `unknown_entry`, `no_head`.
        Conflict: `not_sealed_yet` when that head is older than the entry.
    """
    entry, head = get_entry(session, key), get_head(session, day)
    if entry.seq > head.size:
        raise Conflict("not_sealed_yet", key=key, day=head.day.isoformat())
    path = inclusion_proof(subtrees_kept(session), entry.seq - 1, head.size)
    return Inclusion(entry, head, tuple(path))


def prove_continuity(session: Session, first: date, second: date | None = None) -> Continuity:
    """That the books of day `second`, or of the latest head, begin with those of day `first`.

    Raises:
        NotFound: `no_head`.
        Conflict: `days_reversed`.
    """
    earlier, later = get_head(session, first), get_head(session, second)
    if earlier.size > later.size:
        raise Conflict("days_reversed", first=first.isoformat(), second=later.day.isoformat())
    path = consistency_proof(subtrees_kept(session), earlier.size, later.size) if earlier.size else []
    return Continuity(earlier, later, tuple(path))


def subtrees_kept(session: Session) -> Subtree:
    """The heads of subtrees of what was sealed: from the nodes that are kept, and from entries at the right edge."""

    def subtree(begin: int, end: int) -> bytes:
        width = end - begin
        if width <= KEPT_WIDTH:
            return tree_head(_read(session, 0, begin, end))
        if width & (width - 1):  # not perfect: only the right edge of a tree is not
            cut = begin + cut_of(width)
            return node_hash(subtree(begin, cut), subtree(cut, end))
        level = (width.bit_length() - 1) // KEPT_BITS * KEPT_BITS
        return tree_head(_read(session, level, begin >> level, end >> level))

    return lambda begin, end: EMPTY_TREE if begin == end else subtree(begin, end)


def _n_kept(session: Session) -> dict[int, int]:
    counted = select(TREE_NODE.c.level, func.max(TREE_NODE.c.number) + 1).group_by(TREE_NODE.c.level)
    return {level: int(n) for level, n in session.connection().execute(counted)}


def _keep_nodes(session: Session, size: int) -> None:
    """Keep the nodes that the first `size` entries complete, of what is not kept yet."""
    n_kept = _n_kept(session)
    level = KEPT_BITS
    while size >> level:
        first, n = n_kept.get(level, 0), size >> level
        rows = [
            {
                "level": level,
                "number": number,
                "hash": tree_head(_read(session, level - KEPT_BITS, number << KEPT_BITS, (number + 1) << KEPT_BITS)),
            }
            for number in range(first, n)
        ]
        if rows:
            session.connection().execute(insert(TREE_NODE), rows)
        level += KEPT_BITS


def _read(session: Session, level: int, begin: int, end: int) -> list[bytes]:
    """The nodes `begin` to `end` of a level, from 0; entries themselves are level 0, and numbered from 1."""
    if level:
        query = (
            select(TREE_NODE.c.hash)
            .where(TREE_NODE.c.level == level, TREE_NODE.c.number >= begin, TREE_NODE.c.number < end)
            .order_by(TREE_NODE.c.number)
        )
    else:
        query = select(ENTRY.c.hash).where(ENTRY.c.seq > begin, ENTRY.c.seq <= end).order_by(ENTRY.c.seq)
    return [bytes(hashed) for hashed in session.connection().execute(query).scalars()]


def _head(row: Any) -> Head:
    day, size, root, chain, public_key, signature = row
    return Head(day, int(size), bytes(root), bytes(chain), bytes(public_key), bytes(signature))
