"""Canonical: whether the bytes of entries, and all that is written beside them, say the same.

One walk over the bytes of some thousands of entries, letter by letter: an entry has exactly the
shape of `socle.accounting.record_body`, and its key, number, reversal and postings are those that
stand in the columns. Then its hash, the link of the chain, the digest of its body and the nodes of the tree
above it are made anew, as in `chain`. All without Python's lock.

Columns come as long strings. Between two keys stands a quotation mark, which no key in an entry's
bytes can hold, so there is one way only to read them.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mobigo.store.ledger.abreast import BLOCK, WORDS, hash_all, pad, put
from mobigo.store.ledger.heads import KEPT_WIDTH
from socle.accounting import MAX_POSTINGS

Letters: TypeAlias = NDArray[np.uint8]
Numbers: TypeAlias = NDArray[np.int64]

UNSOUND: Final = -1

_HASH: Final = 4 * WORDS  # bytes
_N_INSTANT: Final = len("2026-03-04T07:10:00Z")
_MOST_DIGITS: Final = 18  # of a number that fits
_PAIR: Final = 2 * BLOCK  # bytes of two hashes, padded

# What has been read of each column, and how many of each.
_KEY_AT, _REVERSAL, _POSTING, _N_TOLD, _N_REVERSED = range(5)


def _word(text: str) -> Letters:
    return np.frombuffer(text.encode(), np.uint8)


# The words of an entry, in the order in which they come.
_EFFECTIVE_AT = _word('{"effective_at":"')
_FACTS = _word('","facts_sha256":')
_NULL = _word("null")
_KEY = _word(',"key":"')
_KIND = _word('","kind":"')
_POSTINGS = _word('","postings":[')
_LEG = _word('["')
_CENTS = _word('",')
_RECORDED_AT = _word('],"recorded_at":"')
_INSTANT = _word("dddd-dd-ddTdd:dd:ddZ")  # d: any digit
_REVERSES = _word('","reverses":')
_SEQ = _word(',"seq":')
_END_OF_BODY = _word("}")

_QUOTE, _COMMA, _MINUS, _ZERO, _NINE, _CLOSE, _BRACE, _DIGIT, _N = b'",-09]}dn'


@njit(cache=True, nogil=True)
def _skip(text: Letters, at: int, end: int, word: Letters) -> int:
    """Where `word` ends that begins at `at`; UNSOUND when it does not, or `at` is UNSOUND."""
    if at < 0 or at + len(word) > end:
        return UNSOUND
    read = text[at : at + len(word)]
    for i in range(len(word)):
        if read[i] != word[i]:
            return UNSOUND
    return at + len(word)


@njit(cache=True, nogil=True)
def _quote(text: Letters, at: int, end: int) -> int:
    """The next quotation mark from `at` on; UNSOUND when there is none."""
    if at < 0:
        return UNSOUND
    while at < end and text[at] != _QUOTE:
        at += 1
    return at if at < end else UNSOUND


@njit(cache=True, nogil=True)
def _number(text: Letters, at: int, end: int) -> tuple[int, int]:
    """The number at `at` as the databases write it, which is not zero, and where it ends; UNSOUND when it is none."""
    is_negative = at < end and text[at] == _MINUS
    if is_negative:
        at += 1
    value, begin = 0, at
    while at < end and _ZERO <= text[at] <= _NINE:
        value = 10 * value + int(text[at] - _ZERO)
        at += 1
        if at - begin > _MOST_DIGITS:
            return 0, UNSOUND
    if at == begin or text[begin] == _ZERO:
        return 0, UNSOUND
    return -value if is_negative else value, at


@njit(cache=True, nogil=True)
def _instant(text: Letters, at: int, end: int) -> int:
    """Where the instant ends that begins at `at`; UNSOUND when it is none."""
    if at < 0 or at + _N_INSTANT > end:
        return UNSOUND
    for i in range(_N_INSTANT):
        letter, wanted = text[at + i], _INSTANT[i]
        if not (_ZERO <= letter <= _NINE if wanted == _DIGIT else letter == wanted):
            return UNSOUND
    return at + _N_INSTANT


@njit(cache=True, nogil=True)
def _legs(
    text: Letters,
    at: int,
    end: int,
    seq: int,
    postings: Letters,
    codes: Letters,
    code_bounds: Numbers,
    ranks: Numbers,
    places: Numbers,
    told: Numbers,
) -> int:
    """Where the legs of entry `seq` end that begin at `at`; UNSOUND when they are not its postings, or not balanced."""
    legs = np.empty((MAX_POSTINGS, 3), np.int64)  # account, where its cents begin and end
    n, place = 0, places[_POSTING]
    while place < len(postings):
        number, after = _number(postings, place, len(postings))
        if after < 0 or number < seq or n == MAX_POSTINGS:
            return UNSOUND
        if number != seq:
            break
        account, after = _number(postings, after + 1, len(postings))
        if after < 0 or not 0 < account < len(ranks):
            return UNSOUND
        begin = place = after + 1
        while place < len(postings) and postings[place] != _COMMA:
            place += 1
        into = n  # legs of an entry stand in the order of their codes
        while into > 0 and ranks[legs[into - 1, 0]] > ranks[account]:
            legs[into] = legs[into - 1]
            into -= 1
        legs[into, 0], legs[into, 1], legs[into, 2] = account, begin, place
        n += 1
        place += 1
    places[_POSTING] = place
    total, n_told = 0, places[_N_TOLD]
    for leg in range(n):
        account, begin, stop = legs[leg]
        if leg:
            at = at + 1 if at < end and text[at] == _COMMA else UNSOUND
        at = _skip(text, at, end, _LEG)
        at = _skip(text, at, end, codes[code_bounds[account] : code_bounds[account + 1]])
        at = _skip(text, at, end, _CENTS)
        cents, after = _number(text, max(at, 0), end)
        if after < 0 or _skip(text, at, end, postings[begin:stop]) != after or after == end or text[after] != _CLOSE:
            return UNSOUND
        at = after + 1
        total += cents
        told[0, n_told + leg], told[1, n_told + leg], told[2, n_told + leg] = seq, account, cents
    places[_N_TOLD] += n
    return at if n and total == 0 else UNSOUND


@njit(cache=True, nogil=True)
def _same(
    text: Letters,
    at: int,
    end: int,
    column: Letters,
    places: Numbers,
    which: int,
) -> int:
    """Where the word ends that begins at `at`, up to a quotation mark; UNSOUND unless `column` goes on with it."""
    stop, place = _quote(text, at, end), places[which]
    if stop < 0 or place > len(column):
        return UNSOUND
    place = _skip(column, place, len(column), text[at:stop])
    if place < 0 or (place < len(column) and column[place] != _QUOTE):
        return UNSOUND
    places[which] = place + 1
    return stop


@njit(cache=True, nogil=True)
def _walk(
    text: Letters,
    start: int,
    end: int,
    seq: int,
    keys: Letters,
    reversals: Letters,
    postings: Letters,
    codes: Letters,
    code_bounds: Numbers,
    ranks: Numbers,
    places: Numbers,
    told: Numbers,
) -> tuple[int, int, int]:
    """Walk over entry `seq`, `text[start:end]`: where its postings, its instant and what it reverses end.

    UNSOUND, three times, when it is not an entry or anything beside it says otherwise.
    """
    unsound = (UNSOUND, UNSOUND, UNSOUND)
    at = _skip(text, _instant(text, _skip(text, start, end, _EFFECTIVE_AT), end), end, _FACTS)
    if at < 0 or at >= end:
        return unsound
    at = _skip(text, at, end, _NULL) if text[at] == _N else _quote(text, at + 1, end) + 1
    at = _same(text, _skip(text, at, end, _KEY), end, keys, places, _KEY_AT)
    at = _skip(text, _quote(text, _skip(text, at, end, _KIND), end), end, _POSTINGS)
    if at < 0:
        return unsound
    at = _legs(text, at, end, seq, postings, codes, code_bounds, ranks, places, told)
    recorded = at + 1
    at = _instant(text, _skip(text, at, end, _RECORDED_AT), end)
    instant = at + 1
    at = _skip(text, at, end, _REVERSES)
    if at < 0 or at >= end:
        return unsound
    if text[at] == _N:
        at = _skip(text, at, end, _NULL)
    else:
        number, place = _number(reversals, places[_REVERSAL], len(reversals))
        if place < 0 or number != seq or text[at] != _QUOTE:
            return unsound
        places[_REVERSAL] = place + 1
        places[_N_REVERSED] += 1
        at = _same(text, at + 1, end, reversals, places, _REVERSAL) + 1
    reverses = at
    at = _skip(text, at, end, _SEQ)
    number, at = _number(text, max(at, 0), end)
    if reverses <= 0 or number != seq or at != end - 1 or text[at] != _BRACE:
        return unsound
    return recorded, instant, reverses


@njit(cache=True, nogil=True)
def _is_same(made: NDArray[np.uint32], told: Letters) -> bool:
    return bool((made.view(np.uint8)[: len(told)] == told).all())


@njit(cache=True, nogil=True)
def _climb(nodes: NDArray[np.uint32], n: int, pairs: Letters, first_pair: Numbers) -> None:
    """Make of `nodes`, a power of two of them, the one above them all."""
    read = nodes.view(np.uint8)
    while n > 1:
        n //= 2
        for i in range(n):
            begin = _PAIR * i
            pairs[begin] = 1
            pad(pairs, begin, put(pairs, begin + 1, read, 2 * _HASH * i, 2 * _HASH * (i + 1)))
        hash_all(pairs.view(np.uint32), first_pair, n, nodes)


@njit(cache=True, nogil=True)
def look(
    begin: int,
    text: Letters,
    bounds: Numbers,
    keys: Letters,
    reversals: Letters,
    n_reversals: int,
    postings: Letters,
    codes: Letters,
    code_bounds: Numbers,
    ranks: Numbers,
    hashes: Letters,
    digests: Letters,
    chains: Letters,
    before: Letters,
    told: Numbers,
    heads: Letters,
) -> int:
    """How many postings entries `begin` + 1 and on have, when they are all as they should be, else UNSOUND.

    Entry `i` from 0 is `text[bounds[i]:bounds[i + 1]]`. `reversals` holds number and key of those that
    reverse, `postings` number, account and cents. Account `a` has the code
    `codes[code_bounds[a]:code_bounds[a + 1]]`, the `ranks[a]`-th of all in order. `before` is the link
    before the first. Writes number, account and cents of each posting into `told` [3, n] and the head of
    each complete subtree into `heads`.
    """
    n = len(bounds) - 1
    width = min(n, KEPT_WIDTH)
    most = 0
    for base in range(0, n, width):
        last = min(n, base + width)
        most = max(most, (bounds[last] - bounds[base]) // BLOCK + (last - base) * 2)
    leaves, bodies = np.empty(most * BLOCK, np.uint8), np.empty(most * BLOCK, np.uint8)
    first_leaf, first_body = np.zeros(width + 1, np.int64), np.zeros(width + 1, np.int64)
    pairs, first_pair = np.empty(_PAIR * width, np.uint8), 2 * np.arange(width + 1)
    made = np.empty(width * WORDS, np.uint32)
    places = np.zeros(5, np.int64)
    for base in range(0, n, width):
        n_here = min(n - base, width)
        leaf = body = 0
        for i in range(n_here):
            start, end = bounds[base + i], bounds[base + i + 1]
            recorded, instant, reverses = _walk(
                text, start, end, begin + base + i + 1,
                keys, reversals, postings, codes, code_bounds, ranks, places, told,
            )  # fmt: skip
            if recorded < 0:
                return UNSOUND
            leaves[leaf] = 0
            leaf = pad(leaves, leaf, put(leaves, leaf + 1, text, start, end))
            first_leaf[i + 1] = leaf // BLOCK
            at = put(bodies, put(bodies, body, text, start, recorded), text, instant, reverses)
            body = pad(bodies, body, put(bodies, at, _END_OF_BODY, 0, 1))
            first_body[i + 1] = body // BLOCK
            at, link = (base + i) * _HASH, _PAIR * i
            middle = put(pairs, link, before, 0, _HASH) if at == 0 else put(pairs, link, chains, at - _HASH, at)
            pad(pairs, link, put(pairs, middle, hashes, at, at + _HASH))
        here = slice(base * _HASH, (base + n_here) * _HASH)
        for padded, first, wanted in (
            (bodies, first_body, digests),
            (pairs, first_pair, chains),
            (leaves, first_leaf, hashes),
        ):
            hash_all(padded.view(np.uint32), first, n_here, made)
            if not _is_same(made, wanted[here]):
                return UNSOUND
        if n_here == KEPT_WIDTH:
            _climb(made, n_here, pairs, first_pair)
            head = base // KEPT_WIDTH * _HASH
            heads[head : head + _HASH] = made.view(np.uint8)[:_HASH]
    is_all = places[_KEY_AT] == len(keys) + 1 and places[_POSTING] == len(postings) + 1
    is_all &= places[_N_REVERSED] == n_reversals and places[_REVERSAL] == len(reversals) + min(n_reversals, 1)
    return places[_N_TOLD] if is_all else UNSOUND


@njit(cache=True, nogil=True)
def tally(told: Numbers, sums: Numbers, last: Numbers) -> None:
    """Add postings, told as by `look`, to the cents of their accounts and the number of what moved each last."""
    for i in range(told.shape[1]):
        sums[told[1, i]] += told[2, i]
        last[told[1, i]] = told[0, i]
