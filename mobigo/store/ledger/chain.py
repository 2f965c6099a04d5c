"""Chain: the hashes that make an edit visible, the tree over all entries, and proofs about it.

Two rules, each a SHA-256:

- the chain: `entry_hash = SHA-256(0x00 || bytes)`, `chain_n = SHA-256(chain_{n-1} || entry_hash_n)`,
  `chain_0` being 32 zero bytes. It locates the first entry that is not what was written.
- the tree of RFC 6962 (section 2.1) whose leaves are the same entry hashes and whose nodes are
  `SHA-256(0x01 || left || right)`. From its head, that an entry is in the books is proved by
  about log2(n) hashes, and so is that later books continue earlier ones.

Proofs are made from `Subtree`, a function that gives the head of the leaves `begin` to `end`, so
that they can be made from a list as well as from heads of subtrees that are kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final, TypeAlias

from socle.accounting import Account

GENESIS: Final = bytes(32)
EMPTY_TREE: Final = sha256(b"").digest()

Subtree: TypeAlias = Callable[[int, int], bytes]


def entry_hash(recorded: bytes) -> bytes:
    """The hash of the canonical bytes of an entry; also its leaf in the tree."""
    return sha256(b"\x00" + recorded).digest()


def next_chain(chain: bytes, hashed: bytes) -> bytes:
    """The chain after an entry of hash `hashed`."""
    return sha256(chain + hashed).digest()


def account_bytes(account: Account, number: int) -> bytes:
    """The canonical bytes of the account opened as `number`: accounts are chained as entries are."""
    told = {
        "code": account.code,
        "id": number,
        "kind": str(account.kind),
        "min_balance_cents": account.min_balance_cents,
        "pending_of": account.pending_of,
    }
    return json.dumps(told, separators=(",", ":")).encode()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The node above two others."""
    return sha256(b"\x01" + left + right).digest()


def tree_head(leaves: Sequence[bytes]) -> bytes:
    """The head of the tree over `leaves`; of a perfect tree's level when its nodes are given instead."""
    if not leaves:
        return EMPTY_TREE
    level = leaves
    while len(level) > 1:
        # A node without neighbour goes up as it is: the same tree as cutting at the largest power of two.
        above = [sha256(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]


def subtrees_of(leaves: Sequence[bytes]) -> Subtree:
    """The heads of the subtrees over `leaves`."""
    return lambda begin, end: tree_head(leaves[begin:end])


def cut_of(size: int) -> int:
    """The largest power of two below `size`: where a tree of that size parts."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_proof(subtree: Subtree, leaf: int, size: int) -> list[bytes]:
    """What to combine the leaf at `leaf` (from 0) with to reach the head of the first `size` leaves.

    RFC 6962, section 2.1.1.
    """
    if not 0 <= leaf < size:
        raise ValueError(f"no leaf {leaf} in a tree of {size}")
    path: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        cut = begin + cut_of(end - begin)
        if leaf < cut:
            path.append(subtree(cut, end))
            end = cut
        else:
            path.append(subtree(begin, cut))
            begin = cut
    return path[::-1]


def consistency_proof(subtree: Subtree, first: int, second: int) -> list[bytes]:
    """What shows that the tree of `second` leaves begins with the tree of `first`.

    RFC 6962, section 2.1.2.
    """
    if not 0 < first <= second:
        raise ValueError(f"no proof from {first} to {second} leaves")
    path: list[bytes] = []
    begin, end, whole = 0, second, True  # whole: the earlier tree is this subtree's beginning, and known as such
    while first != end:
        cut = begin + cut_of(end - begin)
        if first <= cut:
            path.append(subtree(cut, end))
            end = cut
        else:
            path.append(subtree(begin, cut))
            begin, whole = cut, False
    if not whole:
        path.append(subtree(begin, end))
    return path[::-1]


def verify_inclusion(leaf_hash: bytes, leaf: int, size: int, path: Iterable[bytes], head: bytes) -> bool:
    """Whether `path` leads from the leaf at `leaf` to the head of a tree of `size` leaves (RFC 9162, 2.1.3.2)."""
    if not 0 <= leaf < size:
        return False
    at, last, reached = leaf, size - 1, leaf_hash
    for beside in path:
        if last == 0:
            return False
        if at % 2 or at == last:
            reached = node_hash(beside, reached)
            while at % 2 == 0 and at:
                at, last = at >> 1, last >> 1
        else:
            reached = node_hash(reached, beside)
        at, last = at >> 1, last >> 1
    return last == 0 and reached == head


def verify_consistency(first: int, second: int, earlier: bytes, later: bytes, path: Sequence[bytes]) -> bool:
    """Whether `path` shows that the head `later` of `second` leaves continues `earlier` of `first`.

    RFC 9162, section 2.1.4.2.
    """
    if not 0 < first <= second:
        return False
    if first == second:
        return not path and earlier == later
    steps = list(path) if first & (first - 1) else [earlier, *path]
    if not steps:
        return False
    at, last = first - 1, second - 1
    while at % 2:
        at, last = at >> 1, last >> 1
    of_earlier = of_later = steps[0]
    for beside in steps[1:]:
        if last == 0:
            return False
        if at % 2 or at == last:
            of_earlier, of_later = node_hash(beside, of_earlier), node_hash(beside, of_later)
            while at % 2 == 0 and at:
                at, last = at >> 1, last >> 1
        else:
            of_later = node_hash(of_later, beside)
        at, last = at >> 1, last >> 1
    return last == 0 and of_earlier == earlier and of_later == later
