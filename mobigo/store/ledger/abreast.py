"""Abreast: SHA-256 (FIPS 180-4) of many messages side by side, a lane of the processor's registers for each.

Messages stand padded to whole blocks one after the other. Thirty-two lanes at a time took 39 ns for a
block of 64 bytes where 16 took 62, 8 took 168, and a call of `hashlib` for each message 90.

Nothing rests on it alone: what it does not find to be as written is hashed again by `hashlib`.
"""

from __future__ import annotations

from itertools import count, islice
from math import isqrt
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

BLOCK: Final = 64  # bytes
WORDS: Final = 8  # of a hash, of 32 bits

_LANES: Final = 32


def _cube_root(number: int) -> int:
    root = 1 << -(-number.bit_length() // 3)  # Newton's way down, from above
    while (lower := (2 * root + number // root**2) // 3) < root:
        root = lower
    return root


# FIPS 180-4, 4.2.2 and 5.3.3: the first 32 bits behind the point of roots of the first primes.
_PRIMES = [*islice((n for n in count(2) if all(n % d for d in range(2, isqrt(n) + 1))), 64)]
_ROUNDS = np.array([_cube_root(prime << 96) & 0xFFFFFFFF for prime in _PRIMES], np.uint32)
_START = np.array([isqrt(prime << 64) & 0xFFFFFFFF for prime in _PRIMES[:WORDS]], np.uint32)


@njit(inline="always")
def _turned(x: np.uint32, n: int) -> np.uint32:
    return (x >> np.uint32(n)) | (x << np.uint32(32 - n))


@njit(inline="always")
def _swapped(x: np.uint32) -> np.uint32:
    """The bytes of a word the other way round: words of a message begin with their highest."""
    return (
        (x >> np.uint32(24))
        | ((x >> np.uint32(8)) & np.uint32(0xFF00))
        | ((x << np.uint32(8)) & np.uint32(0xFF0000))
        | (x << np.uint32(24))
    )


@njit(inline="always")
def _round(
    v: NDArray[np.uint32], w: NDArray[np.uint32], t: int,
    a: int, b: int, c: int, d: int, e: int, f: int, g: int, h: int,
) -> None:  # fmt: skip
    """Round `t` of all lanes. Which row of `v` is a, b … is told, so that none is moved."""
    for lane in range(_LANES):
        va, vb, vc = v[a * _LANES + lane], v[b * _LANES + lane], v[c * _LANES + lane]
        ve, vf, vg = v[e * _LANES + lane], v[f * _LANES + lane], v[g * _LANES + lane]
        first = (
            v[h * _LANES + lane]
            + (_turned(ve, 6) ^ _turned(ve, 11) ^ _turned(ve, 25))
            + ((ve & vf) ^ (~ve & vg))
            + _ROUNDS[t]
            + w[t * _LANES + lane]
        )
        v[d * _LANES + lane] += first
        v[h * _LANES + lane] = (
            first + (_turned(va, 2) ^ _turned(va, 13) ^ _turned(va, 22)) + ((va & vb) ^ (va & vc) ^ (vb & vc))
        )


@njit(cache=True, nogil=True)
def hash_all(words: NDArray[np.uint32], first: NDArray[np.int64], n: int, hashes: NDArray[np.uint32]) -> None:
    """Write the hashes of `n` messages, of which `m` is the padded blocks `first[m]` to `first[m + 1]` of `words`."""
    s = np.empty(WORDS * _LANES, np.uint32)  # word, lane
    v = np.empty(WORDS * _LANES, np.uint32)
    w = np.empty(64 * _LANES, np.uint32)
    for base in range(0, n, _LANES):
        n_lanes = min(_LANES, n - base)
        longest = 0
        for lane in range(n_lanes):
            longest = max(longest, first[base + lane + 1] - first[base + lane])
        for row in range(WORDS):
            for lane in range(_LANES):
                s[row * _LANES + lane] = _START[row]
        for block in range(longest):
            for lane in range(_LANES):
                m = base + min(lane, n_lanes - 1)  # a lane without a message does what another does
                read = (first[m] + min(block, first[m + 1] - first[m] - 1)) * 16  # or is done, and does no matter what
                for t in range(16):
                    w[t * _LANES + lane] = _swapped(words[read + t])
            for t in range(16, 64):
                for lane in range(_LANES):
                    x, y = w[(t - 15) * _LANES + lane], w[(t - 2) * _LANES + lane]
                    w[t * _LANES + lane] = (
                        w[(t - 16) * _LANES + lane]
                        + (_turned(x, 7) ^ _turned(x, 18) ^ (x >> np.uint32(3)))
                        + w[(t - 7) * _LANES + lane]
                        + (_turned(y, 17) ^ _turned(y, 19) ^ (y >> np.uint32(10)))
                    )
            v[:] = s
            for t in range(0, 64, 8):
                _round(v, w, t, 0, 1, 2, 3, 4, 5, 6, 7)
                _round(v, w, t + 1, 7, 0, 1, 2, 3, 4, 5, 6)
                _round(v, w, t + 2, 6, 7, 0, 1, 2, 3, 4, 5)
                _round(v, w, t + 3, 5, 6, 7, 0, 1, 2, 3, 4)
                _round(v, w, t + 4, 4, 5, 6, 7, 0, 1, 2, 3)
                _round(v, w, t + 5, 3, 4, 5, 6, 7, 0, 1, 2)
                _round(v, w, t + 6, 2, 3, 4, 5, 6, 7, 0, 1)
                _round(v, w, t + 7, 1, 2, 3, 4, 5, 6, 7, 0)
            for i in range(WORDS * _LANES):
                s[i] += v[i]
            for lane in range(n_lanes):
                m = base + lane
                if first[m + 1] - first[m] == block + 1:
                    for row in range(WORDS):
                        hashes[m * WORDS + row] = _swapped(s[row * _LANES + lane])


@njit(cache=True, nogil=True)
def put(padded: NDArray[np.uint8], at: int, text: NDArray[np.uint8], begin: int, end: int) -> int:
    """Write `text[begin:end]` at byte `at`; where it ends."""
    into, what = padded[at : at + end - begin], text[begin:end]
    for i in range(len(what)):
        into[i] = what[i]
    return at + end - begin


@njit(cache=True, nogil=True)
def pad(padded: NDArray[np.uint8], begin: int, at: int) -> int:
    """End the message that stands from byte `begin` to `at` as it is hashed; where its last block ends."""
    n_bits = 8 * (at - begin)
    end = begin + (at - begin + 8) // BLOCK * BLOCK + BLOCK
    padded[at] = 0x80
    padded[at + 1 : end - 8] = 0
    for i in range(8):
        padded[end - 1 - i] = n_bits & 255
        n_bits >>= 8
    return end
