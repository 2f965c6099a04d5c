"""Sound: whether a stretch of entries is what was written, told as fast as we can and without saying what is wrong.

Books are almost always sound. So they are first looked at stretch by stretch, several at a time: the
database hands over a stretch as a few long strings, without a row or a value for each entry, and
compares by itself what it repeats beside the bytes. Each link of the chain starts from what is
written before it, so a stretch can be looked at before the one to its left.

Whatever is not exactly as it should be makes a stretch unsound, and nothing more is said here:
`reread` and `compare` look again, one entry after the other, and name it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate, pairwise
from typing import Final

from sqlalchemy import Connection

from mobigo.store.bulk import fetch
from mobigo.store.ledger.chain import GENESIS, tree_head
from mobigo.store.ledger.heads import KEPT_WIDTH
from socle.accounting import body_of

STRETCH: Final = 64 * KEPT_WIDTH
"""Entries looked at together, a whole number of the subtrees that are kept."""

_HASH = len(GENESIS)
_BODY_ENDS = b',"reverses":null}'
_RECORDED_AT = re.compile(rb',"recorded_at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"')
_N_RECORDED_AT = len(',"recorded_at":"2026-03-04T07:10:00Z"')
_N_ENDS = len(',"reverses":null,"seq":}')  # and the digits of the number

_RANGE = "SELECT min(seq), max(seq), count(*) FROM entry"

# All that is written of a stretch, and how many of its rows hold bytes where bytes should be.
_TOLD: Final = {
    "sqlite": """
        SELECT
            CAST(group_concat(bytes, '') AS BLOB), group_concat(length(bytes)),
            CAST(group_concat(hash, '') AS BLOB), CAST(group_concat(chain, '') AS BLOB),
            CAST(group_concat(body_sha256, '') AS BLOB), count(reverses), sum(
                typeof(bytes) = 'blob' AND typeof(hash) = 'blob' AND typeof(chain) = 'blob'
                AND typeof(body_sha256) = 'blob' AND typeof(key) = 'text'
            ), (SELECT chain FROM entry WHERE seq = {begin})
        FROM (SELECT * FROM entry WHERE seq > {begin} AND seq <= {end} ORDER BY seq)
    """,
    "postgresql": """
        SELECT
            string_agg(bytes, ''), string_agg(length(bytes)::text, ','), string_agg(hash, ''), string_agg(chain, ''),
            string_agg(body_sha256, ''), count(reverses), count(*), (SELECT chain FROM entry WHERE seq = {begin})
        FROM (SELECT * FROM entry WHERE seq > {begin} AND seq <= {end} ORDER BY seq) AS told
    """,
}

# One row when anything beside the bytes is not what they say: key, number, what is reversed, postings. See `compare`.
_DIFFERS: Final = {
    "sqlite": """
        SELECT 1 FROM entry WHERE seq > {begin} AND seq <= {end} AND NOT coalesce(
            instr(bytes, CAST(',"key":"' || key || '","kind":"' AS BLOB)) > 0
            AND CASE WHEN reverses IS NULL
                THEN substr(bytes, -24 - length(seq)) = CAST(',"reverses":null,"seq":' || seq || '}}' AS BLOB)
                ELSE instr(bytes, CAST(',"reverses":"' || reverses || '","seq":' || seq || '}}' AS BLOB)) > 0
            END
            AND instr(bytes, CAST((
                SELECT ',"postings":[' || group_concat(leg) || CASE sum(cents) WHEN 0 THEN '],"recorded_at":"' END
                FROM (
                    SELECT '["' || coalesce(code, '?') || '",' || cents || ']' AS leg, cents
                    FROM posting LEFT JOIN account ON account.id = posting.account_id
                    WHERE posting.entry_seq = entry.seq ORDER BY code
                )
            ) AS BLOB)) > 0, 0) LIMIT 1
    """,
    "postgresql": """
        SELECT 1 FROM entry LEFT JOIN (
            SELECT entry_seq, sum(cents) AS off, count(code) = count(*) AS known,
                string_agg('["' || code || '",' || cents || ']', ',' ORDER BY code COLLATE "C") AS legs
            FROM posting LEFT JOIN account ON account.id = posting.account_id
            WHERE entry_seq > {begin} AND entry_seq <= {end} GROUP BY entry_seq
        ) AS told ON told.entry_seq = entry.seq
        WHERE entry.seq > {begin} AND entry.seq <= {end} AND NOT coalesce(
            told.off = 0 AND told.known
            AND position(convert_to(',"key":"' || key || '","kind":"', 'UTF8') IN bytes) > 0
            AND position(convert_to(
                ',"reverses":' || coalesce('"' || reverses || '"', 'null') || ',"seq":' || seq || '}}', 'UTF8'
            ) IN bytes) > 0
            AND position(convert_to(',"postings":[' || told.legs || '],"recorded_at":"', 'UTF8') IN bytes) > 0, false)
        LIMIT 1
    """,
}

# One row when a posting belongs to no entry, whose stretch would not show it.
_STRAY: Final = """
    SELECT 1 FROM (SELECT DISTINCT entry_seq FROM posting) AS told
    WHERE NOT EXISTS (SELECT 1 FROM entry WHERE entry.seq = told.entry_seq) LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A sound stretch: the hashes of its entries, their chain end to end, and the heads of its complete subtrees."""

    leaves: list[bytes]
    chains: bytes
    heads: tuple[bytes, ...]

    def chain_at(self, at: int) -> bytes:
        """The chain after its entry `at`, from 0."""
        return self.chains[at * _HASH : (at + 1) * _HASH]


def count_plain(connection: Connection) -> int | None:
    """How many entries there are; None unless they are numbered from 1 without gap."""
    ((first, last, n),) = fetch(connection, _RANGE)
    return int(n) if n == 0 or (first == 1 and last == n) else None


def has_no_stray_posting(connection: Connection) -> bool:
    """Whether each posting belongs to an entry."""
    return not fetch(connection, _STRAY)


def read_sound(connection: Connection, begin: int, end: int) -> Stretch | None:
    """Entries `begin` + 1 to `end`, or None when anything about them is not as it should be.

    Raises:
        The driver's own errors.
    """
    told, differs = (asked[connection.dialect.name].format(begin=begin, end=end) for asked in (_TOLD, _DIFFERS))
    ((joined, lengths, hashes, chains, digests, n_reversals, n_whole, before),) = fetch(connection, told)
    n = end - begin
    if n_whole != n or {len(hashes), len(chains), len(digests)} != {n * _HASH}:
        return None
    if begin == 0:
        before = GENESIS
    elif not isinstance(before, bytes) or len(before) != _HASH:
        return None
    bounds = [0, *accumulate(map(int, lengths.split(",")))]
    leaves = [sha256(b"\x00" + joined[a:b]).digest() for a, b in pairwise(bounds)]
    is_sound = (
        b"".join(leaves) == hashes
        and _is_chained(before, hashes, chains)
        and _are_digests(joined, bounds, begin, digests, has_reversals=n_reversals > 0)
        and not fetch(connection, differs)
    )
    if not is_sound:
        return None
    whole = range(0, n - KEPT_WIDTH + 1, KEPT_WIDTH)
    return Stretch(leaves, chains, tuple(tree_head(leaves[at : at + KEPT_WIDTH]) for at in whole))


def _is_chained(before: bytes, hashes: bytes, chains: bytes) -> bool:
    """Whether `chains` are the chain over `hashes` after `before`."""
    earlier = before + chains
    links = [sha256(earlier[at : at + _HASH] + hashes[at : at + _HASH]).digest() for at in range(0, len(hashes), _HASH)]
    return b"".join(links) == chains


def _are_digests(joined: bytes, bounds: list[int], begin: int, digests: bytes, *, has_reversals: bool) -> bool:
    """Whether `digests` are those of the bodies of entries `begin` + 1 and on."""
    if has_reversals:
        try:
            return b"".join([sha256(body_of(joined[a:b])).digest() for a, b in pairwise(bounds)]) == digests
        except ValueError:
            return False
    # A body is what stands before the instant of recording, with an end of its own: those bytes need not be looked
    # for, since `_DIFFERS` sees to it that the number stands at the end, and nothing is reversed.
    ends = [b - _N_ENDS - len(str(seq)) for seq, b in enumerate(bounds[1:], begin + 1)]
    cuts = [end - _N_RECORDED_AT for end in ends]
    instants = {joined[a:b] for a, b in zip(cuts, ends, strict=True)}
    bodies = [sha256(joined[a:b] + _BODY_ENDS).digest() for a, b in zip(bounds, cuts, strict=False)]
    return b"".join(bodies) == digests and all(map(_RECORDED_AT.fullmatch, instants))
