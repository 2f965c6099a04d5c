"""Sound: whether the books are what was written, told as fast as we can and without saying what is wrong.

Books are almost always sound. So they are first looked at stretch by stretch, several at a time: the
database hands over a stretch as a few long strings, without a row or a value for each entry, and
`canonical` walks over them without Python's lock. Each link of the chain starts from what is
written before it, so a stretch can be looked at before the one to its left. What stretches cannot show
by themselves, the number of entries and the balances, is read before, of one moment.

Whatever is not exactly as it should be makes the books unsound, and nothing more is said here:
`reread` and `compare` look again, one entry after the other, and name it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from mobigo.store.bulk import fetch
from mobigo.store.ledger.chain import GENESIS
from mobigo.store.ledger.heads import KEPT_WIDTH

STRETCH: Final = 64 * KEPT_WIDTH
"""Entries looked at together, a whole number of the subtrees that are kept."""

_HASH = len(GENESIS)

_RANGE = "SELECT min(seq), max(seq), count(*) FROM entry"
_EDGE = "SELECT entry_seq FROM posting ORDER BY entry_seq {} LIMIT 1"
_ACCOUNTS = "SELECT id, code, min_balance_cents FROM account ORDER BY id"
_BALANCES = "SELECT account_id, cents, entry_seq FROM balance ORDER BY account_id"

# All that is written of a stretch, and how many of its rows hold bytes where bytes should be.
_ENTRIES: Final = {
    "sqlite": """
        SELECT
            CAST(group_concat(bytes, '') AS BLOB), group_concat(length(bytes)),
            CAST(group_concat(hash, '') AS BLOB), CAST(group_concat(chain, '') AS BLOB),
            CAST(group_concat(body_sha256, '') AS BLOB), CAST(group_concat(key, '"') AS BLOB),
            CAST(group_concat(seq || '"' || reverses, '"') AS BLOB), count(reverses), sum(
                typeof(bytes) = 'blob' AND typeof(hash) = 'blob' AND typeof(chain) = 'blob'
                AND typeof(body_sha256) = 'blob' AND typeof(key) = 'text'
            ), (SELECT chain FROM entry WHERE seq = {begin})
        FROM (SELECT * FROM entry WHERE seq > {begin} AND seq <= {end} ORDER BY seq)
    """,
    "postgresql": """
        SELECT
            string_agg(bytes, ''), string_agg(length(bytes)::text, ','), string_agg(hash, ''), string_agg(chain, ''),
            string_agg(body_sha256, ''), convert_to(string_agg(key, '"'), 'UTF8'),
            convert_to(string_agg(seq || '"' || reverses, '"'), 'UTF8'), count(reverses), count(*),
            (SELECT chain FROM entry WHERE seq = {begin})
        FROM (SELECT * FROM entry WHERE seq > {begin} AND seq <= {end} ORDER BY seq) AS told
    """,
}

# And its postings, which the primary key has in order.
_POSTINGS: Final = {
    "sqlite": """
        SELECT CAST(group_concat(entry_seq || ' ' || account_id || ' ' || cents) AS BLOB)
        FROM (SELECT * FROM posting WHERE entry_seq > {begin} AND entry_seq <= {end} ORDER BY entry_seq, account_id)
    """,
    "postgresql": """
        SELECT convert_to(string_agg(entry_seq || ' ' || account_id || ' ' || cents, ','), 'UTF8')
        FROM (
            SELECT * FROM posting WHERE entry_seq > {begin} AND entry_seq <= {end} ORDER BY entry_seq, account_id
        ) AS told
    """,
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """A sound stretch: the hashes of its entries, their chain end to end, and the heads of its complete subtrees."""

    hashes: bytes
    chains: bytes
    heads: bytes
    postings: NDArray[np.int64]  # [3, n]: number of the entry, account, cents

    def __len__(self) -> int:
        return len(self.hashes) // _HASH

    def leaves(self, begin: int, end: int) -> list[bytes]:
        """The hashes of its entries `begin` to `end`, from 0."""
        return [self.hashes[at : at + _HASH] for at in range(begin * _HASH, end * _HASH, _HASH)]

    def chain_at(self, begin: int, at: int = 0) -> bytes:
        """The chain after its entry `begin` + `at`, from 0."""
        return self.chains[(begin + at) * _HASH : (begin + at + 1) * _HASH]

    def head(self, number: int) -> bytes:
        """The head of its complete subtree of that number, from 0."""
        return self.heads[number * _HASH : (number + 1) * _HASH]


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of one moment, 1, 2, 3 …, with the number of entries and what the balances say."""

    n_entries: int
    codes: NDArray[np.uint8]  # end to end
    code_bounds: NDArray[np.int64]  # account a has codes[code_bounds[a]:code_bounds[a + 1]]; there is no account 0
    ranks: NDArray[np.int64]  # account -> its place among all codes
    balances: NDArray[np.int64]  # [2, account]: cents, the last entry that moved it
    moved: NDArray[np.int64] = field(init=False)  # the same, as stretches tell it

    def __post_init__(self) -> None:
        object.__setattr__(self, "moved", np.zeros_like(self.balances))

    def add(self, stretch: Stretch) -> None:
        """Count in the postings of a stretch, which follows those that were added."""
        from mobigo.store.ledger.canonical import tally

        tally(stretch.postings, *self.moved)

    def are_balanced(self) -> bool:
        """Whether all stretches together have come to what the balances say."""
        return bool((self.moved == self.balances).all())


def read_accounts(connection: Connection) -> Accounts | None:
    """The accounts; None unless they and the entries are numbered from 1 without gap and each has its balance.

    None also when there is a posting before the first entry or after the last, and when an account is
    below its bound.

    Raises:
        The driver's own errors.
    """
    ((first, last, n),) = fetch(connection, _RANGE)
    edges = [seq for way in ("", "DESC") for (seq,) in fetch(connection, _EDGE.format(way))]
    accounts = fetch(connection, _ACCOUNTS)
    balances = fetch(connection, _BALANCES)
    numbers = range(1, len(accounts) + 1)
    is_plain = (
        (n == 0 or (first, last) == (1, n))
        and _are_whole(edges)
        and all(1 <= seq <= n for seq in edges)
        and [id_ for id_, _code, _least in accounts] == [id_ for id_, _cents, _seq in balances] == [*numbers]
        and _are_whole(value for row in balances for value in row)
        and all(
            least is None or cents >= least or least > 0
            for (_id, _code, least), (_, cents, _seq) in zip(accounts, balances, strict=True)
        )
    )
    if not is_plain:
        return None
    codes = [b"", *(str(code).encode() for _id, code, _least in accounts)]
    ranks = np.empty(len(codes), np.int64)
    ranks[sorted(range(len(codes)), key=codes.__getitem__)] = np.arange(len(codes))
    told = np.array([(0, 0), *((cents, seq) for _id, cents, seq in balances)], np.int64)
    return Accounts(n, _letters(b"".join(codes)), np.cumsum([0, *map(len, codes)]), ranks, np.ascontiguousarray(told.T))


def read_sound(connection: Connection, accounts: Accounts, begin: int, end: int) -> Stretch | None:
    """Entries `begin` + 1 to `end`, or None when anything about them is not as it should be.

    Raises:
        The driver's own errors.
    """
    from mobigo.store.ledger.canonical import UNSOUND, look  # slow to load, and few entries need none of it

    asked = (asked[connection.dialect.name].format(begin=begin, end=end) for asked in (_ENTRIES, _POSTINGS))
    (row,), ((postings,),) = (fetch(connection, question) for question in asked)
    joined, lengths, hashes, chains, digests, keys, reversals, n_reversals, n_whole, before = row
    n = end - begin
    if begin == 0:
        before = GENESIS
    if n_whole != n or postings is None or {len(hashes), len(chains), len(digests)} != {n * _HASH}:
        return None
    if not isinstance(before, bytes) or len(before) != _HASH:
        return None
    bounds = np.concatenate([[0], np.cumsum(np.fromstring(lengths, np.int64, sep=","))])
    if len(bounds) != n + 1 or bounds[-1] != len(joined):
        return None
    told = np.empty((3, postings.count(b",") + 1), np.int64)
    heads = np.empty(n // KEPT_WIDTH * _HASH, np.uint8)
    n_told = look(
        begin, _letters(joined), bounds, _letters(keys), _letters(reversals or b""), n_reversals, _letters(postings),
        accounts.codes, accounts.code_bounds, accounts.ranks,
        _letters(hashes), _letters(digests), _letters(chains), _letters(before), told, heads,
    )  # fmt: skip
    return None if n_told == UNSOUND else Stretch(hashes, chains, heads.tobytes(), told[:, :n_told])


def _letters(text: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(text, np.uint8)


def _are_whole(values: Iterable[Any]) -> bool:
    """Whether all are whole numbers: SQLite keeps in a column what it is given."""
    return {type(value) for value in values} <= {int}
