"""Reread: every entry hashed and chained again, some thousands at a time.

A piece that is as it should be is seen to be so at once; only a piece that is not is looked
through entry by entry. The chain goes on from what is written, so that one fault is not told of
every entry after it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection

from mobigo.store.bulk import fetch
from mobigo.store.ledger.chain import EMPTY_TREE, GENESIS, node_hash, tree_head
from mobigo.store.ledger.heads import KEPT_BITS, KEPT_WIDTH
from mobigo.store.ledger.sound import Stretch
from socle.accounting import body_of

_PIECE: Final = 16 * KEPT_WIDTH  # entries between two questions
_BEFORE_ALL: Final = -(2**63)  # no entry has such a number, and one that says so is to be seen
_ASKED = "SELECT seq, bytes, hash, chain, body_sha256 FROM entry WHERE seq > {} ORDER BY seq LIMIT {}"

Fault = tuple[str, int, None]


class Growth:
    """A tree as it grows: the heads of its perfect subtrees from the left, widest first."""

    def __init__(self) -> None:
        self._heads: list[tuple[int, bytes]] = []  # level and head
        self._kept: dict[int, list[bytes]] = {}  # level -> its nodes, of the levels that are kept

    def add(self, head: bytes, level: int) -> None:
        """Put a perfect subtree of 2**level leaves to the right."""
        while True:
            if level and level % KEPT_BITS == 0:
                self._kept.setdefault(level, []).append(head)
            if not self._heads or self._heads[-1][0] != level:
                self._heads.append((level, head))
                return
            head, level = node_hash(self._heads.pop()[1], head), level + 1

    def root(self, rest: Sequence[bytes]) -> bytes:
        """The head of the tree, with the leaves `rest` at its right edge."""
        root = tree_head(rest) if rest else None
        for _level, head in reversed(self._heads):
            root = head if root is None else node_hash(head, root)
        return EMPTY_TREE if root is None else root

    def node(self, level: int, number: int) -> bytes | None:
        """A node of a level that is kept; None when the tree has not grown so far."""
        nodes = self._kept.get(level, [])
        return nodes[number] if 0 <= number < len(nodes) else None


class Reread:
    """All entries, once `read` is through: how many, their chain, their tree; and both at each of `sizes`."""

    def __init__(self, sizes: Collection[int]) -> None:
        self.n_entries = 0
        self.chain = GENESIS
        self.tree = Growth()
        self._rest: list[bytes] = []  # leaves at the right edge of the tree
        self._sizes = sorted({size for size in sizes if size >= 0}, reverse=True)  # what is altered may say -1
        self._at: dict[int, tuple[bytes, bytes]] = {}
        self._remember()

    def root(self) -> bytes:
        """The head of the tree over all entries."""
        return self.tree.root(self._rest)

    def head_at(self, size: int) -> tuple[bytes, bytes] | None:
        """Root and chain of the first `size` entries; None when there are not so many."""
        return self._at.get(size)

    def read(self, connection: Connection) -> Iterator[Fault]:
        """Read every entry; tell each that is not what was written."""
        n_asked, last, after = _PIECE, 0, _BEFORE_ALL
        while True:
            try:
                rows = fetch(connection, _ASKED.format(after, n_asked))
            except (connection.dialect.loaded_dbapi.Error, OverflowError):
                if n_asked == 1:
                    yield "ledger_bytes", last + 1, None
                    return
                n_asked = 1  # to say where
                continue
            if not rows:
                return
            leaves = _leaves_of_sound(self.chain, last, rows)
            if leaves is None:
                leaves = []
                for fault, leaf in _look_through(self.chain, last, rows):
                    leaves.append(leaf)
                    if fault:
                        yield fault
            last = after = rows[-1][0]
            self._grow(leaves, [row[3] for row in rows].__getitem__)

    def add(self, stretch: Stretch) -> None:
        """Count in a stretch that was seen to be sound, which follows what was read."""
        done, n = 0, len(stretch)
        while done < n:
            until_head = self._sizes[-1] - self.n_entries if self._sizes else n
            if self._rest or done % KEPT_WIDTH or min(n - done, until_head) < KEPT_WIDTH:
                end = min(n, done + KEPT_WIDTH - len(self._rest))
                self._grow(stretch.leaves(done, end), partial(stretch.chain_at, done))
            else:  # a subtree of which only the head is asked for
                end = done + KEPT_WIDTH
                self.tree.add(stretch.head(done // KEPT_WIDTH), KEPT_BITS)
                self.n_entries += KEPT_WIDTH
                self.chain = stretch.chain_at(end - 1)
                self._remember()
            done = end

    def _grow(self, leaves: Sequence[bytes], chain_at: Callable[[int], bytes]) -> None:
        done = 0
        while done < len(leaves):
            n = KEPT_WIDTH - len(self._rest)
            if self._sizes:
                n = min(n, self._sizes[-1] - self.n_entries)
            part = leaves[done : done + n]
            self._rest.extend(part)
            done += len(part)
            self.n_entries += len(part)
            self.chain = chain_at(done - 1)
            if len(self._rest) == KEPT_WIDTH:
                self.tree.add(tree_head(self._rest), KEPT_BITS)
                self._rest = []
            self._remember()

    def _remember(self) -> None:
        while self._sizes and self._sizes[-1] == self.n_entries:
            self._at[self._sizes.pop()] = (self.root(), self.chain)


def _leaves_of_sound(chain: bytes, last: int, rows: Sequence[Any]) -> list[bytes] | None:
    """The leaves of `rows`, which follow entry `last` and `chain`; None when one of them is not as it should be."""
    seqs, recorded, hashes, chains, digests = zip(*rows, strict=True)
    try:
        if (
            seqs[0] == last + 1
            and seqs[-1] - last == len(rows)
            and [sha256(b"\x00" + one).digest() for one in recorded] == list(hashes)
            and [sha256(a + b).digest() for a, b in zip((chain, *chains[:-1]), hashes, strict=True)] == list(chains)
            and [sha256(body_of(one)).digest() for one in recorded] == list(digests)
        ):
            return list(hashes)
    except (TypeError, ValueError, AttributeError):  # a value of another type, or bytes that are no entry
        pass
    return None


def _look_through(chain: bytes, last: int, rows: Sequence[Any]) -> Iterator[tuple[Fault | None, bytes]]:
    """The leaf of each of `rows`, and what is wrong with it."""
    for seq, recorded, hashed, told, digest in rows:
        fault = "ledger_missing" if seq != last + 1 else ""
        number = last + 1 if fault else seq
        try:
            leaf = sha256(b"\x00" + recorded).digest()
            if not fault and leaf != hashed:
                fault = "ledger_bytes"
            if not fault and sha256(chain + hashed).digest() != told:
                fault = "ledger_chain"
            if not fault and sha256(body_of(recorded)).digest() != digest:
                fault = "ledger_columns"
        except (TypeError, ValueError, AttributeError):
            leaf, fault = GENESIS, fault or "ledger_bytes"
        yield (fault, number, None) if fault else None, leaf
        chain, last = (told if isinstance(told, bytes) else GENESIS), seq
